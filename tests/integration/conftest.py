"""What the integration tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def clean_home(tmp_path, monkeypatch) -> Path:
    """A configuration folder of the test's own, and no settings from outside."""
    import os

    for name in os.environ:
        if name.startswith(("OPENPAI_", "PAI_", "FC_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("OPENPAI_HOME", str(home))
    return home
