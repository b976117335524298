"""The command tree: what there is, what it says of itself, what it makes of mistakes."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import textwrap
from pathlib import Path

import click
import pytest

from openpai.cli.commands import table as _root
from openpai.cli.framework.groups import Command

OWN = {
    **{
        (name, own): lazy
        for name, group in _root.GROUPS.items()
        for own, lazy in group.table.items()
    },
    **{(name,): lazy for name, lazy in _root.SINGLES.items()},
}


def every_command() -> dict[tuple[str, ...], click.Command]:
    """Return all commands by their path, those of other distributions included."""
    from openpai.notebook.cli import notebook
    from openpai.storage.cli import storage

    others = {
        (str(group.name), name): group.get_command(click.Context(group), name)
        for group in (storage, notebook)
        for name in group.list_commands(click.Context(group))
    }
    return {**{path: lazy.load() for path, lazy in OWN.items()}, **others}


def test_every_command_file_has_row():
    """Every module of a folder of commands is a command of that group, and vice versa."""
    for name, group in _root.GROUPS.items():
        package = f"openpai.cli.commands.{name}"
        folder = Path(str(importlib.import_module(package).__path__[0]))
        modules = {f"{package}.{path.stem}" for path in folder.glob("[a-z]*.py")}
        own = {lazy.module for lazy in group.table.values() if lazy.module.startswith(package)}
        submit = {"openpai.cli.commands.sweep.submit"} & modules  # `opai job sweep`
        assert own == modules - submit


def test_help_shows_summary_once(opai):
    """A command's help begins with the line that the help of its group has."""
    for path, lazy in OWN.items():
        shown = " ".join(opai(*path, "--help").stdout.split())
        assert shown.count(lazy.help) == 1
    assert [path for path, lazy in OWN.items() if lazy.load().name != path[-1]] == []


def test_help_begins_with_example(opai):
    """Every command shows first how it is used, with -h as with --help."""
    shown = {path: opai(*path, "-h") for path in every_command()}
    assert [path for path, one in shown.items() if one.exit_code] == []
    without = [path for path, one in shown.items() if not one.stdout.startswith("Examples:\n  ")]
    assert without == []
    assert [path for path, one in shown.items() if opai(*path, "--help") != one] == []


def test_examples_use_existing_options():
    wrong = []
    for path, loaded in every_command().items():
        known = {name for param in loaded.params for name in (*param.opts, *param.secondary_opts)}
        own = f"opai {' '.join(path)}"
        for line in loaded.examples:
            # What follows a pipe, a remark or a script is not this command's.
            words = re.split(r"\s(?:\||>|&&|#|--|\S+\.py)\s", line)[0].partition(own)[2]
            words = re.sub(r"'[^']*'", "", words)
            if not set(re.findall(r"(?<=\s)--?[a-zA-Z][\w-]*", words)) <= known:
                wrong.append(line)
    assert wrong == []


def test_options_have_help():
    unexplained = []
    for path, lazy in OWN.items():
        loaded = lazy.load()
        assert isinstance(loaded, Command)
        options = [param for param in loaded.params if isinstance(param, click.Option)]
        unexplained += [(*path, one.name) for one in options if not one.hidden and not one.help]
    assert unexplained == []


def test_root_help_lists_groups(opai):
    """`opai` alone, `opai -h` and `opai --help` show what there is."""
    help_text = opai("--help").stdout
    for name in ("cluster", "job", "output", "local", "storage", "notebook", "set", "completion"):
        assert f"\n  {name} " in help_text
    assert opai("-h").stdout == help_text


@pytest.mark.parametrize("group", [[], ["job"], ["storage"]], ids=["opai", "opai job", "storage"])
def test_group_without_command_shows_help(opai, group):
    """Without a command there is no error but the help."""
    result = opai(*group)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == opai(*group, "--help").stdout


def test_version_is_installed_version(opai):
    """`opai --version`, short cut or not, says the installed version."""
    version = importlib.metadata.version("openpai-cli")
    assert opai("--version").stdout == f"opai {version}\n"


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        (["jbo"], "Did you mean 'opai job'?"),
        (["job", "lst"], "Did you mean 'opai job list'"),
        (["job", "zzzz"], "See: opai job --help"),
        (["job", "list", "--stat", "RUNNING"], "--state"),
    ],
)
def test_unknown_name_suggests_nearest(opai, line, suggestion):
    """An unknown command or option ends with 2 and the nearest name."""
    result = opai(*line)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert suggestion in result.stderr


def test_usage_error_as_json(opai):
    """With -o json even a wrong command line is answered in JSON, on stderr."""
    import json

    result = opai("job", "list", "--limit", "many", "-o", "json")
    error = json.loads(result.stderr)["error"]
    assert result.exit_code == error["exitCode"] == 2
    assert "'many'" in error["message"]


def test_missing_distribution_is_named(opai, monkeypatch):
    """A command that belongs to opai but is not installed says what to install."""
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    result = opai("storage", "list", "/")
    assert result.exit_code == 2
    assert "pip install openpai-storage" in result.stderr


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution that contributes the command `extra`, with this module text."""

    def install(text: str) -> None:
        folder = tmp_path / "site"
        (folder / "extra_stuff-1.0.dist-info").mkdir(parents=True)
        (folder / "extra_stuff-1.0.dist-info" / "entry_points.txt").write_text(
            "[openpai.commands]\n"
            "extra = extra_stuff_module:command\n"
            "job = extra_stuff_module:command\n"
        )
        (folder / "extra_stuff_module.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "extra_stuff_module", raising=False)

    return install


def test_contributed_command_runs(opai, plugin):
    """An entry point of `openpai.commands` is listed, run, and given the running opai."""
    plugin("""
        import click
        from openpai.core.cli.app import current_app

        @click.command()
        @click.pass_context
        def command(context):
            "Do something extra."
            rows = [{"name": "a", "size": 1}]
            current_app(context).emit(rows, columns=[("NAME", "name")], format="json")
    """)
    assert "Do something extra." in opai("--help").stdout
    assert opai("extra").json == [{"name": "a", "size": 1}]


def test_contributed_command_cannot_replace_own(opai, plugin):
    """A plug-in that offers `job` changes nothing about `opai job`."""
    plugin("raise RuntimeError('never imported')")
    assert "Submit one command as a job." in opai("job", "--help").stdout


def test_broken_plugin_writes_one_warning(opai, plugin):
    """A plug-in that fails to import is a warning; everything else works."""
    plugin("raise RuntimeError('rotten')")
    result = opai("--help")
    assert result.exit_code == 0
    assert result.stderr == "opai: warning: the command 'extra' of extra-stuff is broken: rotten\n"
    assert opai("extra").exit_code == 2


@pytest.mark.process
def test_program_on_path_is_command(opai, tmp_path, monkeypatch):
    """`opai-hello` on $PATH is `opai hello`, and gets its options untouched."""
    import subprocess

    program = tmp_path / "opai-hello"
    program.write_text('#!/bin/sh\necho "hello $*"\nexit 7\n')
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "openpai.cli", "hello", "--help", "-x"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "hello --help -x\n")
