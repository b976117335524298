"""A small run of the campaign of ``hatch run test:log-faults``."""

from __future__ import annotations

import pytest
from tools.log_faults import campaign


@pytest.mark.timeout(600)
def test_followed_logs_are_complete_over_faults(clean_home):
    """Many logs are followed through cuts, expired addresses and rotations, each counted."""
    figures = campaign(seed=1, faults=50, jobs=3, lines=400)
    assert figures["lines"] > 0
