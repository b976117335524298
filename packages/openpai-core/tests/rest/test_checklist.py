"""The client handles every known behaviour of a real rest-server: one check per row."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[3] / "docs" / "rest.md"
BEGIN, END = "<!-- checklist -->\n", "<!-- /checklist -->"


def _load():
    """Import the checks, which stand beside this file and in no package."""
    spec = importlib.util.spec_from_file_location("checklist_of_rest", HERE / "checklist.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.AUTHORITY = str(HERE.parent / "data" / "tls" / "ca.pem")
    return module


CHECKS = _load().CHECKS


@pytest.mark.parametrize("behaviour", CHECKS)
def test_client_handles(behaviour, request):
    """What the row says, over real HTTP."""
    check = CHECKS[behaviour]
    check(**{name: request.getfixturevalue(name) for name in inspect.signature(check).parameters})


def test_document_rows_match_checks():
    """And every check its row, which says what the client does about it."""
    if not DOCUMENT.exists():
        pytest.skip("the documents are not part of this package's own archive")
    table = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert [reported for reported, _ in rows] == list(CHECKS)
    assert all(done for _, done in rows)
