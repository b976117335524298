"""<Tab> in real shells: names of the cluster, remote paths, and silence where nobody answers."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pexpect
import pytest
from support.wait import wait_until

from openpai.core import Cluster
from openpai.core.config.clusters import ClusterEntry, save_cluster
from openpai.core.local import LocalCluster
from openpai.core.protocol.command_job import job_from_command

pytestmark = pytest.mark.xdist_group("completion")

#: shell → (its options, what makes completion work in it)
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(opai completion bash)"'),
    "zsh": (
        ["-f", "-i"],
        'unsetopt prompt_sp; autoload -U compinit && compinit -u -D; eval "$(opai completion zsh)"',
    ),
    "fish": (["--no-config", "-i"], "opai completion fish | source"),
}
NAMED = "local-storage:/data/"
# Completion asks the real program; a command that is run writes down the words that it was given.
WRAPPER = """\
#!/bin/sh
if [ -n "$_OPAI_COMPLETE" ] || [ "$1" = completion ]; then exec {real} "$@"; fi
printf '%s\\n' "$@" > "$HOME/written.new"
mv "$HOME/written.new" "$HOME/written"
"""


class Shell:
    """A real shell in a terminal, where `opai` writes down how it was called."""

    def __init__(self, program: str, kind: str, home: Path) -> None:
        options, setup = SHELLS[kind]
        self.home = home
        wrapper = home / "bin" / "opai"
        wrapper.parent.mkdir()
        wrapper.write_text(WRAPPER.format(real=Path(sys.executable).parent / "opai"))
        wrapper.chmod(0o755)
        path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
        places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(home)}
        self.child = pexpect.spawn(
            program,
            options,
            cwd=home,
            dimensions=(40, 200),
            env={**os.environ, **places, "PATH": path, "TERM": "xterm", "PS1": "> "},
            encoding="utf-8",
            timeout=1,
        )
        self.child.delaybeforesend = None
        self.screen = ""
        self.child.send(f"{setup}\r")
        assert self.words("opai set up") == ["set", "up"]

    def words(self, line: str) -> list[str]:
        """Type a line with its keys, then Return; give the words that `opai` was called with."""
        written = self.home / "written"
        written.unlink(missing_ok=True)
        self.child.send(f"{line}\r")

        def called() -> bool:
            self._read()
            return written.exists()

        wait_until(called, f"the shell calls opai after {line!r}", show=lambda: self.screen)
        return written.read_text().splitlines()

    def _read(self) -> None:
        """Take what the terminal shows, and answer what fish asks a terminal."""
        try:
            shown = self.child.read_nonblocking(100_000, timeout=0.1)
        except pexpect.TIMEOUT:
            return
        self.screen += shown
        if "\x1b[c" in shown or "\x1b[0c" in shown:
            self.child.send("\x1b[?62c")


@pytest.fixture(params=SHELLS)
def shell(request, needs, tmp_path):
    """Each shell, started."""
    program = needs(request.param)
    home = tmp_path / "shell"
    home.mkdir()
    started = Shell(program, request.param, home)
    yield started
    started.child.close(force=True)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A cluster with some jobs and files."""
    folder = tmp_path_factory.mktemp("cluster")
    for name in ("set one", "two"):
        (folder / "storage" / "data" / name).mkdir(parents=True)
    (folder / "storage" / "data" / "file.txt").write_text("x\n")
    with ExitStack() as stack:
        local = stack.enter_context(LocalCluster(folder))
        client = stack.enter_context(Cluster(local.uri, user=local.user, token=local.token))
        for name in ("train_one", "train_two", "other"):
            client.submit(job_from_command(name, ["true"], image="any", cpu=1, memory_mb=64))
        yield local


@pytest.fixture
def known_cluster(local, clean_home, monkeypatch):
    """The user knows that cluster as ``local``; it may take its time to answer."""
    monkeypatch.setenv("OPENPAI_COMPLETION_SECONDS", "60")
    save_cluster(ClusterEntry("local", local.uri, local.user, token=local.token))


def test_tab_completes_names_and_paths(known_cluster, shell):
    """Commands, options, clusters, jobs, states, storages and remote paths."""
    for typed, words in {
        "opai jo\tli\t--st\tRUN\t": ["job", "list", "--state", "RUNNING"],
        "opai job status train_o\t-a lo\t": ["job", "status", "train_one", "-a", "local"],
        "opai job stop other train_t\t": ["job", "stop", "other", "train_two"],
        "opai storage list /da\ttw\t": ["storage", "list", "/data/two/"],
        "opai storage cat /data/fi\t": ["storage", "cat", "/data/file.txt"],
        "opai storage list local\t": ["storage", "list", "local-storage:/"],
        "opai storage du local-storage:/da\tfi\t": ["storage", "du", f"{NAMED}file.txt"],
        "opai storage list /data/set\t": ["storage", "list", "/data/set one/"],
    }.items():  # fmt: skip
        assert shell.words(typed) == words, typed


def test_tab_is_silent_without_cluster(shell, clean_home):
    """The word stays as it was typed, nothing is written into the line."""
    clean_home.mkdir(exist_ok=True)
    # 192.0.2.0/24 is nobody's (RFC 5737); a machine may refuse it or let it wait.
    (clean_home / "clusters.yaml").write_text(
        "- {cluster_alias: gone, pai_uri: 'http://192.0.2.1:9', user: alice, token: t}\n"
    )
    assert shell.words("opai job status tr\t") == ["job", "status", "tr"]
    assert shell.words("opai storage list /da\t") == ["storage", "list", "/da"]
    assert "rror" not in shell.screen
