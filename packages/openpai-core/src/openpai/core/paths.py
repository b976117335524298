"""Folders of the user."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "home",
]


def home() -> Path:
    """Return the configuration folder: ``$OPENPAI_HOME``, else ``~/.openpai``."""
    named = os.environ.get("OPENPAI_HOME")
    return Path(named).expanduser() if named else Path.home() / ".openpai"
