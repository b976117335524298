"""Hold a job or a process of a test until the test lets it continue."""

from __future__ import annotations

import shlex
from pathlib import Path


class Gate:
    """A file that a command waits for and that the test makes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def command(self) -> str:
        """The shell command that waits."""
        return f"until [ -e {shlex.quote(str(self.path))} ]; do sleep 0.05; done"

    def open(self) -> None:
        """Let the command continue."""
        self.path.touch()
