"""What is wrong with a job's runtime section is said, and the command runs if it can."""

from __future__ import annotations

from typing import Any

import pytest

from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process


def test_command_runs_without_section(task: Any) -> None:
    """A job that does not use the runtime is a plain command."""
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")


@pytest.mark.parametrize("text", [b"extras: {openpai.runtime: [", b"\xff\xfe openpai.runtime"])
def test_unreadable_config_is_reported(task: Any, text: bytes) -> None:
    """The command runs all the same."""
    task.env["OPENPAI_JOB_CONFIG"] = str(task.work / "broken.yaml")
    (task.work / "broken.yaml").write_bytes(text)
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.startswith("[openpai-runtime] The job config")
    assert "Traceback" not in done.stderr


def test_missing_config_is_reported(task: Any) -> None:
    """The sentence names the file."""
    task.env["OPENPAI_JOB_CONFIG"] = "/no/such.yaml"
    done = task.run("echo", "ran")
    assert done.stdout == "ran\n"
    assert "cannot be read: /no/such.yaml: No such file or directory." in done.stderr


def test_broken_parts_are_reported_and_others_used(task: Any) -> None:
    """One wrong output or callback does not cost the others."""
    task.section(
        outputs=[{"path": "a"}, {"path": "/b"}, {"path": "c"}],
        callbacks=[
            {"on": "ended", "commands": ["x"]},
            {"on": "exit", "commands": ["echo exit"]},
        ],
        unknown=1,
    )
    done = task.bash("touch a c")
    assert (done.returncode, done.stdout) == (0, "exit\n")
    assert (
        "/extras/openpai.runtime/outputs/1/path: Invalid value '/b'. A path or glob" in done.stderr
    )
    assert (
        "/extras/openpai.runtime/callbacks/0/on: Invalid value 'ended'. The event:" in done.stderr
    )
    assert "/extras/openpai.runtime/unknown" in done.stderr
    assert sorted(path.name for path in task.output.glob("*")) == [".openpai", "a", "c"]


@pytest.mark.parametrize(
    "section", [{"code": {"archive": "x"}}, {"requirements": "numpy"}, {"mounts": [{"path": "/x"}]}]
)
def test_command_requires_its_preparation(task: Any, section: Any) -> None:
    """Code, requirements and mounts that cannot be understood are not skipped."""
    task.section(**section)
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert f"broken in '{next(iter(section))}'" in done.stderr


@pytest.mark.parametrize("section", [[], "x", 5])
def test_section_of_wrong_type_is_ignored(task: Any, section: Any) -> None:
    """It is said, and the command runs."""
    task.document["extras"] = {"openpai.runtime": section}
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "The section must be a mapping." in done.stderr


def test_outputs_without_workspace_are_reported(task: Any) -> None:
    """The command runs; there is nowhere to save."""
    task.section(workspace="nowhere", outputs=[{"path": "a"}])
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "Outputs need a workspace" in done.stderr
