"""No program that a checkout configures runs when its files are sent along with a job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from openpai.core.code.sources import pack_sources
from openpai.core.local import LocalCluster

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]

HOOKS = ("post-index-change", "post-checkout", "pre-commit", "reference-transaction", "fsmonitor")


def _git(folder: Path, *words: str) -> None:
    who = {
        f"GIT_{one}_{what}": "x" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environ = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *words], env=environ, check=True, capture_output=True)


def _configuration(program: Path, hooks: Path) -> str:
    """Return a configuration that names a program wherever git runs one."""
    return f"""
[core]
    fsmonitor = {program}
    hooksPath = {hooks}
    sshCommand = {program}
    pager = {program}
    editor = {program}
    askPass = {program}
    gitProxy = {program}
    alternateRefsCommand = {program}
[alias]
    ls-files = !{program}
[credential]
    helper = !{program}
[diff]
    external = {program}
[diff "planted"]
    textconv = {program}
    command = {program}
[filter "planted"]
    clean = {program}
    smudge = {program}
    process = {program}
    required = true
[gpg]
    program = {program}
[pager]
    ls-files = {program}
[protocol]
    allow = always
[protocol "ext"]
    allow = always
[remote "origin"]
    url = ext::{program}
    uploadpack = {program}
    promisor = true
    partialCloneFilter = blob:none
[submodule "planted"]
    update = !{program}
[uploadpack]
    packObjectsHook = {program}
"""


@pytest.fixture
def checkout(opai, tmp_path: Path) -> Path:
    """Plant programs in the folder that commands run in; return the file that they would write.

    The folder is a repository with a sparse index and a tree that is missing, so that git, reading
    its index, wants to fetch. A folder in it is a bare repository, as an archive may bring.
    """
    ran, program, hooks = tmp_path / "ran", tmp_path / "program", tmp_path / "hooks"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\n')
    program.chmod(0o755)
    hooks.mkdir()
    work = opai.folder
    for name in ("src/main.py", "other/deep/file", "weights.bin"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    (work / ".gitignore").write_text("*.bin\n")
    (work / ".gitattributes").write_text("* filter=planted diff=planted\n")
    _git(work, "init", "-q", "-b", "main")
    _git(work, "add", "-f", ".")
    _git(work, "commit", "-q", "-m", "x")
    listed = subprocess.run(
        ["git", "-C", str(work), "rev-parse", "HEAD:other"],
        capture_output=True,
        text=True,
        check=True,
    )
    _git(work, "sparse-checkout", "set", "--cone", "--sparse-index", "src")
    _git(work, "clone", "-q", "--bare", ".", "src/embedded")
    shutil.rmtree(work / "src" / "embedded" / "hooks")
    tree = listed.stdout.strip()
    (work / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    for folder in (work / ".git", work / "src" / "embedded"):
        (folder / "hooks").mkdir(exist_ok=True)
        with (folder / "config").open("a") as file:
            file.write(_configuration(program, hooks))
        for name in HOOKS:
            for place in (hooks, folder / "hooks"):
                shutil.copy(program, place / name)
    (work / "job.yaml").write_text(
        "protocolVersion: 2\nname: x\ntype: job\n"
        "prerequisites: [{type: dockerimage, name: i, uri: x}]\n"
        "taskRoles: {w: {instances: 1, dockerImage: i, commands: ['true'],"
        " resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}}}\n"
    )
    return ran


@pytest.fixture
def here(clean_home, opai) -> None:
    """Make a local cluster the one that is selected."""
    with LocalCluster(cpus=4, memory_mb=4096) as local:
        uri = ("--pai-uri", local.uri, "--user", local.user, "--token", local.token)
        opai("cluster", "add", "here", *uri)
        yield


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_job_sub_runs_nothing_planted(opai, here, checkout: Path, dry: list[str]) -> None:
    """Neither a submission nor its dry run runs a program of the checkout."""
    for number, folder in enumerate((".", "src", "src/embedded")):
        words = ["--image", "x", "--name", f"planted-{number}", "--src", ".", *dry, "--", "true"]
        opai("job", "sub", *words, cwd=opai.folder / folder)
    assert not checkout.exists(), checkout.read_text()


def test_job_run_runs_nothing_planted(opai, checkout: Path) -> None:
    """A job that runs in the checkout's folder runs its own commands only."""
    opai("job", "run", "job.yaml")
    assert not checkout.exists(), checkout.read_text()


def test_notebook_submit_runs_nothing_planted(opai, here, checkout: Path) -> None:
    """A notebook that takes its folder along takes files, and runs nothing of them."""
    cell = {"cell_type": "code", "id": "a", "source": "1", "metadata": {}, "outputs": []}
    notebook = {"cells": [{**cell, "execution_count": None}], "metadata": {}}
    (opai.folder / "book.ipynb").write_text(
        json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 5})
    )
    opai("notebook", "submit", "book.ipynb", "--folder", "--image", "x", "--dry-run", code=None)
    done = opai("notebook", "submit", "book.ipynb", "--folder", "--image", "x", code=None)
    assert done.returncode == 0, done.stderr
    assert not checkout.exists(), checkout.read_text()


def test_tracked_file_in_embedded_repository_is_sent(opai, checkout: Path) -> None:
    """What is tracked and ignored is sent also from a folder that looks like a repository."""
    folder = opai.folder / "src" / "embedded"
    (folder / "model.bin").write_text("x")
    shutil.rmtree(opai.folder / ".git")
    _git(opai.folder, "init", "-q")
    (opai.folder / ".gitattributes").unlink()
    _git(opai.folder, "add", "-f", "src/embedded/model.bin")
    with pack_sources(["."], folder) as archive:
        assert "model.bin" in archive.files
