"""The bootstrap on machines that have the runtime, a Python only, or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.core.protocol.bootstrap import bootstrap_text

pytestmark = pytest.mark.process

RUNTIME = (
    'if [ "$1" = --version ]; then exit; fi\n'
    'echo "$0 $1 $2"; export OPENPAI_RUNTIME_ACTIVE="${FC_POD_UID:-1}"; shift 2; exec "$@"'
)


def script(needed: bool = False) -> str:
    """A task's script: the bootstrap and a command that says how often it ran."""
    return bootstrap_text(needed) + "\necho command ran; command -v install || true\n"


def test_runtime_of_environment_variable_is_used(machine: Any) -> None:
    """OPENPAI_RUNTIME wins over what is on PATH; the script then runs once, as its child."""
    machine.command("openpai-runtime", "exit 99")
    named = machine.command("other", RUNTIME)
    done = machine.run(script(), OPENPAI_RUNTIME=str(named))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{named} run --\ncommand ran\n"


def test_runtime_on_path_is_used(machine: Any) -> None:
    """An image that holds openpai-runtime needs nothing else."""
    path = machine.command("openpai-runtime", RUNTIME)
    assert machine.run(script()).stdout == f"{path} run --\ncommand ran\n"


def test_broken_runtime_on_path_is_skipped(machine: Any) -> None:
    """A broken installation does not keep the commands from running."""
    machine.command("openpai-runtime", "exit 127")
    done = machine.run(script())
    assert (done.returncode, done.stdout) == (0, "command ran\n")


def test_script_is_not_restarted_inside_runtime(machine: Any) -> None:
    """The runtime's child skips the bootstrap."""
    machine.command("openpai-runtime", "exit 99")
    env = {"FC_POD_UID": "pod", "OPENPAI_RUNTIME_ACTIVE": "pod"}
    assert machine.run(script(), **env).stdout == "command ran\n"


def test_nested_job_starts_its_own_runtime(machine: Any) -> None:
    """A marker inherited from another task does not count."""
    path = machine.command("openpai-runtime", RUNTIME)
    env = {"FC_POD_UID": "inner", "OPENPAI_RUNTIME_ACTIVE": "outer"}
    assert machine.run(script(), **env).stdout == f"{path} run --\ncommand ran\n"


def test_exit_code_is_passed_through(machine: Any) -> None:
    """The bootstrap adds nothing to the task's fate."""
    machine.command("openpai-runtime", RUNTIME)
    assert machine.run(bootstrap_text(True) + "\nexit 42\n").returncode == 42


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_old_python_warns_and_runs_commands(
    machine: Any, old_python: Callable[[str], str], version: str
) -> None:
    """A job that needs nothing runs its commands, after one sentence on stderr."""
    machine.python(old_python(version))
    done = machine.run(script())
    assert (done.returncode, done.stdout) == (0, "command ran\n")
    assert done.stderr.count("\n") == 1
    assert "no Python 3.8 or newer" in done.stderr


def test_missing_python_fails_job_that_needs_runtime(machine: Any) -> None:
    """Code, requirements or mounts cannot be had: exit 1, and the commands do not run."""
    done = machine.run(script(needed=True))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("[openpai-runtime] There is no Python 3.8")


def test_missing_index_falls_back_to_commands(machine: Any, bare_python: str) -> None:
    """When pip finds nothing the commands run, and no half made folder is left."""
    machine.python(bare_python)
    done = machine.run(script())
    assert (done.returncode, done.stdout) == (0, "command ran\n")
    assert "could not be installed" in done.stderr
    assert list((machine.home / ".cache/openpai/runtime").iterdir()) == []


def test_runtime_is_installed_once_into_private_folder(
    machine: Any, bare_python: str, tmp_path: Path
) -> None:
    """The folder has mode 0700 and is below the home; a second task needs no index."""
    machine.python(bare_python)
    machine.wheels(tmp_path / "wheels")
    done = machine.run(script(needed=True))
    assert done.stdout.splitlines() == [
        f"installed ['run', '--', 'bash', '{machine.script}']",
        "command ran",
    ]
    folder = machine.home / ".cache/openpai/runtime"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [child.name[:4] for child in folder.iterdir()] == ["0.1-"]
    again = machine.run(script(needed=True), PIP_FIND_LINKS="")
    assert again.stdout.startswith("installed")


def test_concurrent_tasks_share_installation(
    machine: Any, bare_python: str, tmp_path: Path
) -> None:
    """Both find a whole installation, and one folder remains."""
    machine.python(bare_python)
    machine.wheels(tmp_path / "wheels")
    tasks = [machine.start(script(needed=True)) for _ in range(2)]
    outs = [task.communicate(timeout=600)[0] for task in tasks]
    assert [out.splitlines()[-1] for out in outs] == ["command ran"] * 2
    assert len(list((machine.home / ".cache/openpai/runtime").iterdir())) == 1


def test_user_modules_do_not_shadow_runtime(machine: Any, bare_python: str, tmp_path: Path) -> None:
    """Files in the working directory do no harm, and PYTHONPATH gains no entry."""
    machine.python(bare_python)
    machine.wheels(tmp_path / "wheels")
    for name in ("os.py", "platform.py", "pip.py", "openpai.py"):
        (machine.home / name).write_text("raise SystemExit('shadowed')")
    done = machine.run(bootstrap_text(True) + '\necho "${PYTHONPATH:-none}"\n')
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "none"


@pytest.mark.parametrize("home", ["/nonexistent", ""])
def test_missing_home_uses_temporary_folder(
    machine: Any, bare_python: str, tmp_path: Path, home: str
) -> None:
    """Where the home cannot be written, a folder of this user below TMPDIR is used."""
    if os.geteuid() == 0 and home:
        home = "/proc/none"
    machine.python(bare_python)
    machine.wheels(tmp_path / "wheels")
    machine.env.pop("HOME")
    env = {"HOME": home} if home else {"XDG_CACHE_HOME": "/proc/none"}
    done = machine.run(script(needed=True), **env)
    assert done.stdout.startswith("installed"), done.stderr
    folder = machine.tmp / f"openpai-runtime-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_link_in_temporary_folder_is_refused(
    machine: Any, bare_python: str, tmp_path: Path
) -> None:
    """Nothing is installed through a link that somebody else may have made."""
    machine.python(bare_python)
    machine.wheels(tmp_path / "wheels")
    (tmp_path / "elsewhere").mkdir()
    (machine.tmp / f"openpai-runtime-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    done = machine.run(script(), XDG_CACHE_HOME="/proc/none")
    assert "no folder to install" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_script_not_in_a_file_runs_without_runtime(machine: Any) -> None:
    """`bash -c TEXT` cannot be started again; its commands run all the same."""
    machine.command("openpai-runtime", RUNTIME)
    inner = machine.home / "inner"
    inner.write_text(script())
    done = machine.run('text=$(cat inner); bash -c "$text"\n')
    assert (done.returncode, done.stdout) == (0, "command ran\n")
    assert "not in a file" in done.stderr
