"""`opai set`, `opai unset` and `opai completion`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml


def in_force(opai) -> dict[str, object]:
    """Return the defaults in force."""
    return {row["key"]: row["value"] for row in opai("set", "-o", "json").json}


def test_folder_defaults_override_user_defaults(opai, home):
    """Without -g a value goes into ./.openpai, with -g into the user's file, which is weaker."""
    assert opai("set", "-g", "image=far", "gpu=1").exit_code == 0
    assert opai("set", "image=near").exit_code == 0
    assert yaml.safe_load((home / "defaults.yaml").read_text()) == {"image": "far", "gpu": 1}
    assert yaml.safe_load(Path(".openpai/defaults.yaml").read_text()) == {"image": "near"}
    assert (in_force(opai)["image"], in_force(opai)["gpu"]) == ("near", 1)


def test_set_shows_origin_of_values(opai):
    """Each value in force has its origin."""
    opai("set", "image=near")
    origins = {row["key"]: row["origin"] for row in opai("set", "-o", "json").json}
    assert (origins["image"], origins["cpu"]) == (".openpai/defaults.yaml", "built-in")


def test_list_defaults_add_and_remove(opai):
    """+= adds to a list, -= takes away, = replaces."""
    opai("set", "sources+=a", "sources+=b", "sources-=a")
    assert in_force(opai)["sources"] == ["b"]
    opai("set", "sources=c")
    assert in_force(opai)["sources"] == ["c"]


def test_set_value_with_equals_sign(opai):
    """Only the first sign parts key and value."""
    opai("set", "image=registry/x@sha256=1")
    assert in_force(opai)["image"] == "registry/x@sha256=1"


def test_unset_removes_value(opai):
    """The value is gone; a second time is reported and succeeds."""
    opai("set", "image=x")
    assert opai("unset", "image").exit_code == 0
    assert in_force(opai)["image"] is None
    again = opai("unset", "image")
    assert (again.exit_code, "was not set" in again.stderr) == (0, True)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("imge=x", "'image'"),
        ("gpu=many", "whole number"),
        ("justakey", "KEY=VALUE"),
        ("image+=x", "not a list"),
        ("cluster-alias=x", "-g"),
        ("pip-installs=evil", "-g"),
    ],
)
def test_set_refuses_invalid_pairs(opai, pair, said):
    """Wrong keys, wrong values, and what a folder may not decide end with 2."""
    result = opai("set", pair)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path(".openpai/defaults.yaml").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_script(opai, shell):
    """The code for each shell is printed, and names opai."""
    result = opai("completion", shell)
    assert result.exit_code == 0
    assert "_OPAI_COMPLETE" in result.stdout


@pytest.mark.process
def test_completion_is_valid_bash(opai):
    """The printed code is valid bash."""
    text = opai("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_completion_refuses_unknown_shell(opai, monkeypatch):
    """Without an argument the shell of $SHELL is taken; an unknown one is named."""
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert opai("completion").exit_code == 2
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert opai("completion").exit_code == 0


def complete(line: str, monkeypatch, capsys) -> list[str]:
    """Return what <Tab> offers in bash after this line."""
    from openpai.cli.run import run

    monkeypatch.setenv("_OPAI_COMPLETE", "bash")
    monkeypatch.setenv("_OPAI_BREAKS", " \t\n\"'><=;|&(:")
    monkeypatch.setenv("OPENPAI_COMPLETION_SECONDS", "30")
    assert run(["--", line]) == 0
    return [row.split("\t")[1] for row in capsys.readouterr().out.split("\n") if row]


def test_completion_offers_commands_and_clusters(local, monkeypatch, capsys):
    """Names of commands and of known clusters are completed."""
    assert complete("opai job sta", monkeypatch, capsys) == ["status", "start"]
    assert complete("opai job list -a l", monkeypatch, capsys) == ["local"]


@pytest.mark.process
def test_completion_offers_jobs(local, job, monkeypatch, capsys):
    """Names of my jobs are completed; without a cluster nothing is, silently."""
    name = job("true")
    assert complete(f"opai job status {name[:12]}", monkeypatch, capsys) == [name]
    whole = complete(f"opai job status alice~{name[:12]}", monkeypatch, capsys)
    assert whole == [f"alice~{name}"]
    monkeypatch.setenv("OPENPAI_CLUSTER", "nosuchcluster")
    assert complete("opai job status x", monkeypatch, capsys) == []


def test_completion_splits_words_as_bash(local, monkeypatch, capsys):
    """Bash parts words at = and :, and gets what comes after; what it would read is quoted."""
    assert complete("opai job list --state=RUN", monkeypatch, capsys) == ["RUNNING"]
    assert complete("opai job list --state RUN", monkeypatch, capsys) == ["RUNNING"]
    assert complete("opai job list -a ", monkeypatch, capsys) == ["local"]
    offered = complete("opai storage list local-storage:", monkeypatch, capsys)
    assert all(path.startswith("/") for path in offered)


@pytest.mark.process
def test_completion_imports_no_commands(opai):
    """The names of commands come from the table; no command is imported for them."""
    import os
    import sys

    program = (
        "import sys; from openpai.cli.run import run; sys.argv = ['opai'];"
        "run(['--', 'opai', 'job', 's']); sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "_OPAI_COMPLETE": "zsh"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "plain\tstatus\t" in done.stdout
    imported = set(done.stderr.split())
    assert not {"requests", "yaml", "openpai.cli.commands.job.status"} & imported


def test_set_show_origin_lists_all_layers(opai, home, monkeypatch):
    """`set --show-origin`: environment, folder, home, built in, the strongest first."""
    monkeypatch.setenv("OPENPAI_CLUSTER", "from-environment")
    opai("set", "-g", "image=home", "cluster-alias=from-home")
    opai("set", "image=here")
    rows = opai("set", "--show-origin", "-o", "json").json
    images = [(row["value"], row["origin"]) for row in rows if row["key"] == "image"]
    assert images == [
        ("here", ".openpai/defaults.yaml"),
        ("home", str(home / "defaults.yaml")),
        (None, "built-in"),
    ]
    clusters = [(row["value"], row["origin"]) for row in rows if row["key"] == "cluster-alias"]
    assert clusters[:2] == [
        ("from-environment", "$OPENPAI_CLUSTER"),
        ("from-home", str(home / "defaults.yaml")),
    ]
    in_force = {row["key"]: row for row in opai("set", "-o", "json").json}
    assert in_force["image"]["value"] == "here"
    assert in_force["cluster-alias"]["origin"] == "$OPENPAI_CLUSTER"
