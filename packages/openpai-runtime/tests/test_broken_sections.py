"""What is wrong with a job's runtime section is said, and the command runs if it can."""

from __future__ import annotations

from typing import Any

import pytest

from openpai.runtime.exits import NOT_READY

pytestmark = pytest.mark.process


def test_without_a_section_the_command_just_runs(task: Any) -> None:
    """A job that does not use the runtime is a plain command."""
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")


@pytest.mark.parametrize("text", [b"extras: {openpai.runtime: [", b"\xff\xfe openpai.runtime"])
def test_a_config_that_cannot_be_read_is_said(task: Any, text: bytes) -> None:
    """The command runs all the same."""
    task.env["OPENPAI_JOB_CONFIG"] = str(task.work / "broken.yaml")
    (task.work / "broken.yaml").write_bytes(text)
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.startswith("[openpai-runtime] The job config")
    assert "Traceback" not in done.stderr


def test_a_config_that_is_not_there_is_said(task: Any) -> None:
    """The sentence names the file."""
    task.env["OPENPAI_JOB_CONFIG"] = "/no/such.yaml"
    done = task.run("echo", "ran")
    assert done.stdout == "ran\n"
    assert "cannot be read: /no/such.yaml: No such file or directory." in done.stderr


def test_broken_parts_are_said_and_the_others_used(task: Any) -> None:
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
    assert "/extras/openpai.runtime/outputs/1/path: '/b' is not" in done.stderr
    assert "/extras/openpai.runtime/callbacks/0/on: 'ended' is not one of" in done.stderr
    assert "/extras/openpai.runtime/unknown" in done.stderr
    assert sorted(path.name for path in task.output.glob("*")) == [".openpai", "a", "c"]


@pytest.mark.parametrize(
    "section", [{"code": {"archive": "x"}}, {"requirements": "numpy"}, {"mounts": [{"path": "/x"}]}]
)
def test_a_command_does_not_run_without_what_it_needs(task: Any, section: Any) -> None:
    """Code, requirements and mounts that cannot be understood are not skipped."""
    task.section(**section)
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert f"broken in '{next(iter(section))}'" in done.stderr


@pytest.mark.parametrize("section", [[], "x", 5])
def test_a_section_that_is_no_map_counts_as_none(task: Any, section: Any) -> None:
    """It is said, and the command runs."""
    task.document["extras"] = {"openpai.runtime": section}
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "This must be a map" in done.stderr


def test_outputs_without_a_workspace_are_said(task: Any) -> None:
    """The command runs; there is nowhere to save."""
    task.section(workspace="nowhere", outputs=[{"path": "a"}])
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "Outputs need a workspace" in done.stderr
