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


class Steps:
    """A folder of files that a loop waits for, one after each of its rounds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.allowed = 0
        folder.mkdir()

    def loop(self, rounds: int, body: str) -> str:
        """Return the shell command of a loop; ``$i`` counts its rounds from 1.

        Round 1 runs at once, the next one once the test allows as many rounds.
        """
        allowed = shlex.quote(str(self.folder))
        wait = f"until [ $i = 1 ] || [ -e {allowed}/$i ]; do sleep 0.02; done"
        return f"for i in $(seq 1 {rounds}); do {wait}; {body}; done"

    def allow(self, rounds: int) -> None:
        """Let the loop continue to the end of this round."""
        for number in range(self.allowed + 1, rounds + 1):
            (self.folder / str(number)).touch()
        self.allowed = max(self.allowed, rounds)
