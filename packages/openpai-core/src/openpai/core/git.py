"""Git command lines in which the configuration of a repository cannot run programs.

A checkout, an unpacked archive or a shared folder may contain a ``.git/config``, and any folder in
it may be a bare repository. Git runs programs that such a file names. The user's ``~/.gitconfig``
stays in effect except for hooks and file system monitors.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["git_command", "git_output"]

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "safe.bareRepository=explicit",
)

#: For queries: git fetches no objects, prompts for nothing, and writes nothing.
_QUERY_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # a missing object would be fetched by a configured program
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ASKPASS": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


def git_command(folder: Path, *words: str) -> list[str]:
    """Return a git command line for a folder."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return ["git", "--no-pager", *settings, "-C", os.fspath(folder), *words]


def git_output(folder: Path, *words: str) -> bytes | None:
    """Return the output of git about a repository of this machine.

    Only for commands that read the index or objects: ``status``, ``diff`` and ``add`` would run the
    filters that a repository configures.

    Returns:
        Its stdout; ``None`` if git is missing or fails.
    """
    try:
        done = subprocess.run(
            git_command(folder, *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            env={**os.environ, **_QUERY_ENVIRONMENT},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
