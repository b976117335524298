"""A small run of the campaign of ``hatch run test:log-faults``."""

from __future__ import annotations

import runpy

import pytest


@pytest.mark.timeout(600)
def test_no_line_is_lost_or_doubled(root, clean_home):
    """Many logs are followed through cuts, expired addresses and rotations, each counted."""
    campaign = runpy.run_path(str(root / "tests" / "log_faults.py"))["campaign"]
    figures = campaign(seed=1, faults=50, jobs=3, lines=400)
    assert figures["lines"] > 0
