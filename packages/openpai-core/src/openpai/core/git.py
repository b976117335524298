"""The one way to git: command lines in which a repository's own configuration runs nothing.

A checkout, an unpacked archive or a folder that others share may hold a ``.git/config``, and any
folder in it may be a bare repository with one. Git runs programs that such a file names; what the
user's own ``~/.gitconfig`` says stays in force but for hooks and file system monitors.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["ask_git", "git_command"]

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "safe.bareRepository=explicit",
)

#: For questions: git gets no objects from elsewhere, asks nobody, and writes nothing.
_ALONE = {
    "GIT_ALLOW_PROTOCOL": "none",  # an object that is missing would be fetched, by any program
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ASKPASS": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


def git_command(folder: Path, *words: str) -> list[str]:
    """Return a command line of git that works in a folder."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return ["git", "--no-pager", *settings, "-C", os.fspath(folder), *words]


def ask_git(folder: Path, *words: str) -> bytes | None:
    """Return what git answers about a repository of this machine.

    Only for commands that read the index or objects: ``status``, ``diff`` and ``add`` would run the
    filters that a repository configures.

    Returns:
        What it writes to stdout; ``None`` where there is no git, or it refuses.
    """
    try:
        done = subprocess.run(
            git_command(folder, *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            env={**os.environ, **_ALONE},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
