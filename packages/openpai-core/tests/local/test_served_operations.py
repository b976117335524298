"""What is served is what the documentation says."""

import re
from pathlib import Path

import pytest

from openpai.core.local.api.routes import ROUTES

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "local-cluster.md"
ACCESS = {
    "open": "nothing",
    "token": "any token",
    "late": "any token; a bad name is refused first",
    "login": "a user token",
}


def operations() -> str:
    """Return the table of the documentation: one row for a path and what it needs."""
    rows: dict[tuple[str, str], list[str]] = {}
    for route in ROUTES:
        path = re.sub(r"^/api/v2/(user|group)(?=/|$)", r"/api/v2/\1s", route.path)
        methods = rows.setdefault((path, ACCESS[route.access]), [])
        methods += [m for m in (route.methods or "any").split() if m not in methods]
    lines = [f"| `{path}` | {' '.join(m)} | {needs} |" for (path, needs), m in rows.items()]
    return "\n".join(["| path | methods | needs |", "|---|---|---|", *lines])


def test_documented_operations_match_routes():
    """Each operation is in it, and nothing else."""
    if not DOCUMENT.exists():
        pytest.skip("the documentation is not part of this distribution")
    text = DOCUMENT.read_text(encoding="utf-8")
    inside = text.partition("<!-- operations -->\n")[2].partition("\n<!-- end of operations -->")[0]
    assert inside == operations()


def test_operations_need_a_token(client):
    """Without one, 401; nothing is done before."""
    for route in ROUTES:
        if route.access == "open":
            continue
        path = re.sub(r"\{\w+\}", "x", route.path)
        method = route.methods.split()[0]
        answer = client(method, path, headers={"Authorization": None})
        assert (answer.status_code, route.path) == (401, route.path)
