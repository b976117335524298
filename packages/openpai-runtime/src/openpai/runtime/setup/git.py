"""Check out git repositories at a commit below the working directory."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_file
from openpai.core.git import git_command
from openpai.core.protocol import Git
from openpai.runtime.secrets import read_secret
from openpai.runtime.setup.steps import Goal, Step

__all__ = ["git_goal"]

_EVERYTHING = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")


def git_goal(wanted: Git, root: Path, environ: Mapping[str, str]) -> Goal:
    """Return the goal of a repository; its folder may contain other files.

    Only the commit is fetched if the server allows that, else all branches and tags.

    Raises:
        OpenPaiError: git is not installed.
    """
    if not shutil.which("git", path=environ.get("PATH")):
        raise OpenPaiError("git is not installed in the image.", "Install it there.")
    folder, name = root / wanted.directory, wanted.commit
    askpass = Path(tempfile.gettempdir(), f"openpai-askpass-{os.getpid()}")
    variables = {
        "GIT_TERMINAL_PROMPT": "0",
        **({"GIT_ASKPASS": str(askpass)} if wanted.secret else {}),
    }

    def git(what: str, *words: str) -> Step:
        return Step(what, git_command(folder, *words), environ=variables)

    begin = [
        Step(f"create {folder}", call=lambda: folder.mkdir(parents=True, exist_ok=True)),
        git("create a repository", "init", "-q"),
    ]
    if wanted.secret:
        ask = partial(_write_askpass, askpass, wanted.secret, environ)
        begin.append(Step(f"let {askpass} give git the secret {wanted.secret}", call=ask))
    remove = Step(f"remove {askpass}", call=partial(_remove, askpass))
    cleanup = [remove] if wanted.secret else []
    one = git(f"fetch {name}", "fetch", "-q", "--depth", "1", "--", wanted.repository, name)
    every = git("fetch everything", "fetch", "-q", "--", wanted.repository, *_EVERYTHING)
    fetches = [(one, "FETCH_HEAD")]
    if re.match(r"[0-9a-f]{4,64}$", name):  # not every server allows fetching by hash
        fetches = [(one, "FETCH_HEAD"), (every, name)] if len(name) >= 40 else [(every, name)]
    return Goal(
        "git",
        "its git repository cannot be checked out",
        [
            [
                *begin,
                fetch,
                git(f"check out {name}", "checkout", "-q", "--detach", commit),
                git("fetch its submodules", "submodule", "-q", "update", "--init", "--recursive"),
                *cleanup,
            ]
            for fetch, commit in fetches
        ],
    )


def _write_askpass(path: Path, secret: str, environ: Mapping[str, str]) -> None:
    """Write a private program for GIT_ASKPASS that prints a secret."""
    text = f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(read_secret(secret, environ))}\n"
    write_file(path, text, mode=0o700)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
