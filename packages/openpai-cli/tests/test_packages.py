"""What `pip install openpai-cli` brings: few packages, each with a reason in the docs."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

MOST = 30


def brought(name: str, extras: tuple[str, ...] = (), seen: set | None = None) -> set[str]:
    """Return the names of all that a distribution needs, on any Python and system."""
    seen = set() if seen is None else seen
    for text in requires(name) or ():
        needed = Requirement(text)
        asked = {"extra": ""}, *({"extra": extra} for extra in extras)
        marked = needed.marker and "extra" in str(needed.marker)
        if marked and not any(needed.marker.evaluate(one) for one in asked):
            continue
        found = needed.name.lower().replace("_", "-")
        if found == "colorama" or (found, tuple(needed.extras)) in seen:
            continue  # colorama is for Windows, where opai does not run
        seen.add((found, tuple(needed.extras)))
        if found != "tomli":  # not there on this Python
            brought(needed.name, tuple(needed.extras), seen)
    return {found for found, _ in seen}


def test_dependencies_are_few_and_documented():
    """At most 30 beyond our own, and the list in the docs is the whole list."""
    page = Path(__file__).parents[3] / "docs" / "cli.md"
    if not page.exists():
        pytest.skip("the documentation is in the repository only")
    table = page.read_text().partition("<!-- packages -->")[2].partition("<!-- end -->")[0]
    reported = {name.lower() for name in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)}
    others = {name for name in brought("openpai-cli") if not name.startswith("openpai-")}
    assert others == reported
    assert len(others) <= MOST
