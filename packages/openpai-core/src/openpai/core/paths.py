"""Where OpenPAI keeps a user's files."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "home",
]


def home() -> Path:
    """Return the folder of the user's configuration: ``$OPENPAI_HOME``, else ``~/.openpai``."""
    named = os.environ.get("OPENPAI_HOME")
    return Path(named).expanduser() if named else Path.home() / ".openpai"
