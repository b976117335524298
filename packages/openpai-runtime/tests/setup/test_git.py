"""Repositories are there at their commits before the command, or it does not run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from openpai.runtime.exit_codes import NOT_READY

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


def git(folder: Path, *words: str) -> str:
    """Run git with an author."""
    who = {
        f"GIT_{one}_{what}": "x" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environ = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits, the first tagged, and dot-files."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for version in ("one", "two"):
        (folder / "version").write_text(version)
        (folder / ".settings").write_text(version)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", version)
        if version == "one":
            git(folder, "tag", "first")
    return folder


@pytest.mark.parametrize("allows", [True, False])
@pytest.mark.parametrize("length", [40, 10])
def test_checkout_of_commit_hash(task: Any, repository: Path, allows: bool, length: int) -> None:
    """Also an old one, a shortened one, and from a server that gives out branches only."""
    git(repository, "config", "uploadpack.allowAnySHA1InWant", str(allows).lower())
    commit = git(repository, "rev-parse", "first")[:length]
    task.section(git=[{"repository": f"file://{repository}", "commit": commit}])
    done = task.bash("cat version .settings; git rev-parse HEAD")
    assert done.stdout == f"oneone{git(repository, 'rev-parse', 'first')}\n", done.stderr


@pytest.mark.parametrize(("commit", "version"), [("main", "two"), ("first", "one")])
def test_checkout_of_branch_or_tag(task: Any, repository: Path, commit: str, version: str) -> None:
    """In the folder that is asked for, beside other files."""
    (task.work / "src").mkdir()
    (task.work / "src/own").write_text("own")
    task.section(git=[{"repository": str(repository), "commit": commit, "directory": "src"}])
    assert task.bash("cat src/version src/own").stdout == f"{version}own"


def test_checkout_reports_missing_commit(task: Any, repository: Path) -> None:
    """Git's own message, and one sentence."""
    task.section(git=[{"repository": str(repository), "commit": "nowhere"}])
    done = task.run("echo", "never")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "because its git repository cannot be checked out" in done.stderr
    why = task.manifest["explanation"]["notStarted"]
    assert "its git repository cannot be checked out" in why


def test_checkout_keeps_existing_file(task: Any, repository: Path) -> None:
    """What lies in the working directory stays as it is."""
    (task.work / "version").write_text("mine")
    task.section(git=[{"repository": str(repository), "commit": "main"}])
    assert task.run("true").returncode == NOT_READY
    assert (task.work / "version").read_text() == "mine"


def test_checkout_secret_is_only_given_to_git(task: Any, repository: Path, tmp_path: Path) -> None:
    """It is in no argument, and the program that gives it to git is removed."""
    (tmp_path / "secrets.yaml").write_text('token: "s3\'cr%et $HOME"\n')
    task.env["OPENPAI_SECRETS"] = str(tmp_path / "secrets.yaml")
    task.env["TMPDIR"] = str(tmp_path / "private")
    (tmp_path / "private").mkdir()
    helper = tmp_path / "git"  # asks as git would ask for a password, then is git
    helper.write_text(
        '#!/bin/sh\nfor word; do test "$word" = fetch && "$GIT_ASKPASS" Password: '
        f'>{tmp_path}/told; done\necho "$@" >>{tmp_path}/words\nexec {shutil.which("git")} "$@"\n'
    )
    helper.chmod(0o755)
    task.env["PATH"] = f"{tmp_path}:{task.env['PATH']}"
    source = {"repository": str(repository), "commit": "main", "secret": "token"}
    task.section(git=[source])
    done = task.run("true")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text() == "s3'cr%et $HOME\n"
    assert "cr%et" not in (tmp_path / "words").read_text() + done.stderr
    assert not list((tmp_path / "private").glob("*askpass*"))


def test_checkout_reports_missing_git(task: Any, repository: Path) -> None:
    """The sentence says what to do."""
    task.env["PATH"] = "/nonexistent"
    task.section(git=[{"repository": str(repository), "commit": "main"}])
    assert "git is not installed in the image. Install it there." in task.run("/bin/true").stderr


def test_checkout_includes_submodules(task: Any, repository: Path, tmp_path: Path) -> None:
    """At the commits that the repository names."""
    allowed = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "in")
    git(outer, "commit", "-q", "-m", "outer")
    task.env.update(allowed)
    task.section(git=[{"repository": str(outer), "commit": "main"}])
    done = task.bash("cat in/version in/.settings")
    assert done.stdout == "twotwo", done.stderr
