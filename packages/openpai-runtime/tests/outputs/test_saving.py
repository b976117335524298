"""Outputs are saved whatever happened, and what was saved is written down."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import Any, Callable

import pytest
from support.wait import wait_until

from openpai.runtime.exit_codes import OUTPUTS_NOT_SAVED

pytestmark = pytest.mark.process


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize(
    ("when", "codes"), [("always", (0, 1)), ("success", (0,)), ("failure", (1,))]
)
def test_outputs_are_saved_by_when(task: Any, code: int, when: str, codes: Any) -> None:
    """`when` is one of always, success and failure."""
    task.section(outputs=[{"path": "a", "when": when}])
    assert task.bash(f"echo x >a; exit {code}").returncode == code
    assert (task.output / "a").exists() is (code in codes)


def test_outputs_of_killed_command_are_saved(task: Any) -> None:
    """A command that a signal ended has outputs like any other."""
    task.section(outputs=[{"path": "ckpt/**"}])
    assert task.bash("mkdir ckpt; echo x >ckpt/1; kill -KILL $$").returncode == 137
    assert (task.output / "ckpt/1").read_text() == "x\n"


def test_manifest_lists_saved_files(task: Any) -> None:
    """Files with size and checksum, the end of the task, and what matched nothing."""
    task.section(outputs=[{"path": "d"}, {"path": "*.core"}])
    task.env.update(FC_FRAMEWORK_ATTEMPT_ID="2", FC_TASK_ATTEMPT_ID="1")
    task.bash("mkdir d; printf abc >d/a; exit 5")
    content = task.manifest
    assert content["files"] == [
        {"path": "d/a", "size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    ]
    assert (content["exitCode"], content["event"], content["complete"]) == (5, "failure", True)
    assert (content["job"], content["role"], content["index"]) == ("mnist", "worker", 0)
    assert content["attempt"] == {"job": 2, "task": 1}
    assert content["unmatched"] == ["*.core"]
    assert content["started"] <= content["saved"]


def test_saved_outputs_are_reported(task: Any) -> None:
    """One line on stderr with number, size and place, and one for what matched nothing."""
    task.section(outputs=[{"path": "a"}, {"path": "b"}])
    assert task.bash("printf abc >a").stderr == (
        "[openpai-runtime] Saved 1 file (3 bytes) to team:/users/alice/jobs/mnist/output.\n"
        "[openpai-runtime] Outputs that match nothing: b.\n"
    )


def test_outputs_select_task_roles(task: Any) -> None:
    """A task of another role neither saves it nor misses it."""
    task.document["taskRoles"] = {"worker": {"instances": 1}, "ps": {"instances": 1}}
    task.section(
        outputs=[{"path": "a", "taskRoles": ["worker"]}, {"path": "b", "taskRoles": ["ps"]}]
    )
    content = task.bash("touch a b").stderr
    assert "Saved 1 file" in content
    assert "match nothing" not in content
    assert [file["path"] for file in task.manifest["files"]] == ["worker/0/a"]


def test_outputs_of_several_tasks_are_separate(task: Any) -> None:
    """With more than one task each has a folder of its role and index."""
    task.document["taskRoles"] = {"worker": {"instances": 2}, "ps": {}}
    task.env["PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX"] = "1"
    task.section(outputs=[{"path": "a"}])
    task.bash("echo x >a")
    assert (task.output / "worker/1/a").exists()
    content = json.loads((task.output / ".openpai/worker-1.json").read_text())
    assert [file["path"] for file in content["files"]] == ["worker/1/a"]


def test_output_folder_is_in_environment(task: Any) -> None:
    """What is written into PAI_SDK_JOB_OUTPUT_DIR is in the job's output folder at once."""
    task.section()
    task.bash('echo x >"$PAI_SDK_JOB_OUTPUT_DIR/direct"; echo y >"$PAI_SDK_JOB_WORKSPACE/side"')
    assert (task.output / "direct").read_text() == "x\n"
    assert (task.output.parent / "side").read_text() == "y\n"


def test_outputs_are_relative_to_first_directory(task: Any) -> None:
    """A command that changes its directory does not move its outputs."""
    task.section(outputs=[{"path": "a"}])
    task.bash("echo x >a; cd /")
    assert (task.output / "a").exists()


def test_outputs_refuse_links_outside(task: Any) -> None:
    """The task's own exit code stays, and the manifest names them."""
    task.section(outputs=[{"path": "d"}])
    done = task.bash("mkdir d; ln -s /etc/passwd d/p; echo x >d/a")
    assert done.returncode == 0
    assert "d/p" in done.stderr
    assert task.manifest["refused"] == ["d/p"]
    assert sorted(path.name for path in (task.output / "d").iterdir()) == ["a"]


def test_outputs_are_saved_at_interval(task: Any, finish: Callable[..., Any]) -> None:
    """While the command still runs, the output appears in the job's folder, and changes there."""
    task.section(outputs=[{"path": "a", "every": 0.1}])
    script = "echo one >a; read -r x; echo two >a; read -r x"
    process = task.start("bash", "-c", script, stdin=subprocess.PIPE)
    saved = task.output / "a"
    wait_until(lambda: saved.exists() and saved.read_text() == "one\n")
    process.stdin.write("\n")
    process.stdin.flush()
    wait_until(lambda: saved.read_text() == "two\n", show=saved.read_text)
    process.stdin.write("\n")
    assert finish(process).returncode == 0


def test_outputs_of_interval_survive_kill(task: Any) -> None:
    """A kill -9 of the runtime costs only what came after the last interval."""
    task.section(outputs=[{"path": "a", "every": 0.1}])
    process = task.start("bash", "-c", "echo one >a; sleep 600")
    wait_until((task.output / "a").exists)
    process.kill()
    process.wait(60)
    assert (task.output / "a").read_text() == "one\n"


def test_outputs_keep_permissions_and_times(task: Any) -> None:
    """A saved file looks like the file it was."""
    task.section(outputs=[{"path": "a"}])
    task.bash("echo x >a; chmod 750 a; touch -d 2020-01-01 a")
    here, there = (task.work / "a").stat(), (task.output / "a").stat()
    assert there.st_mode & 0o777 == 0o750
    assert there.st_mtime == here.st_mtime


def test_outputs_of_many_files_are_saved(task: Any) -> None:
    """Thousands of files in one folder are no trouble."""
    task.section(outputs=[{"path": "d"}])
    task.bash("mkdir d; cd d; seq 1200 | split -l 1 -a 3")
    assert len(list((task.output / "d").iterdir())) == 1200
    assert len(task.manifest["files"]) == 1200


def test_outputs_wait_for_missing_storage(task: Any, finish: Callable[..., Any]) -> None:
    """Outputs are saved when the storage comes back while the runtime tries again."""
    task.section(outputs=[{"path": "a"}])
    away = task.storage.with_name("away")
    process = task.start("bash", "-c", "echo x >a; echo ready; read -r x", stdin=subprocess.PIPE)
    process.stdout.readline()
    task.storage.rename(away)
    process.stdin.write("\n")
    process.stdin.flush()
    assert "Not saved yet, trying again" in process.stderr.readline()
    away.rename(task.storage)
    assert finish(process).returncode == 0
    assert (task.output / "a").read_text() == "x\n"


def test_outputs_are_not_saved_to_unmounted_folder(task: Any, finish: Callable[..., Any]) -> None:
    """An unmounted storage is a folder like any other; nothing is saved beside the storage."""
    task.section(outputs=[{"path": "a"}], gracePeriod=1)
    process = task.start("bash", "-c", "echo x >a; trap : TERM; echo ready; sleep 600 & wait")
    process.stdout.readline()
    task.storage.rename(task.storage.with_name("away"))
    task.storage.mkdir()
    process.terminate()
    done = finish(process)
    assert "Not saved" in done.stderr
    assert list(task.storage.iterdir()) == []


def test_outputs_without_time_left_are_reported(task: Any, finish: Callable[..., Any]) -> None:
    """A command that uses up the grace period leaves none for its outputs."""
    task.section(outputs=[{"path": "a"}], gracePeriod=0.01)
    process = task.start("bash", "-c", "echo x >a; trap '' TERM; echo ready; sleep 600 & wait")
    process.stdout.readline()
    process.terminate()
    done = finish(process)
    assert "Not saved: the grace period was over" in done.stderr
    assert not (task.output / "a").exists()


def test_unsaved_outputs_fail_successful_task(task: Any) -> None:
    """Success without its outputs is none: the exit code says so, and stderr why."""
    task.section(outputs=[{"path": "a"}, {"path": "b"}])
    done = task.bash('echo x >a; echo x >b; mkdir "$PAI_SDK_JOB_OUTPUT_DIR/a"')
    assert done.returncode == OUTPUTS_NOT_SAVED
    assert "Not saved: 1 of the outputs, the first being a: " in done.stderr
    assert (task.output / "b").exists()
    assert task.manifest["complete"] is False
    (lost,) = task.manifest["notSaved"]
    assert lost["path"] == "a"
    assert "folder" in lost["reason"]


def test_unsaved_outputs_keep_failed_exit_code(task: Any) -> None:
    """Trouble with outputs never hides how the command ended."""
    task.section(outputs=[{"path": "a"}])
    done = task.bash('echo x >a; mkdir "$PAI_SDK_JOB_OUTPUT_DIR/a"; exit 9')
    assert done.returncode == 9
    assert "Not saved" in done.stderr


def test_unknown_storage_is_reported_at_start_and_end(
    task: Any, finish: Callable[..., Any]
) -> None:
    """The command runs with a folder of its own for outputs, and the task fails in the end."""
    task.section(workspace="other:/users/alice", gracePeriod=3)
    process = task.start(
        "bash",
        "-c",
        'trap "exit 0" TERM; echo x >"$PAI_SDK_JOB_OUTPUT_DIR/a"; echo ready; sleep 600 & wait',
    )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    done = finish(process)
    why = "The storage 'other' is not mounted in this task"
    assert done.stderr.count(f"tried again at the end, not usable now: {why}") == 1
    assert re.findall(rf"Not saved: .*{why}", done.stderr)
    assert done.returncode == OUTPUTS_NOT_SAVED


def test_late_storage_receives_outputs(task: Any, finish: Callable[..., Any]) -> None:
    """What went into the replacement folder is saved when the storage is there at the end."""
    away = task.storage.with_name("away")
    task.section()
    task.storage.rename(away)
    script = 'echo x >"$PAI_SDK_JOB_OUTPUT_DIR/a"; echo ready; read -r x'
    process = task.start("bash", "-c", script, stdin=subprocess.PIPE)
    process.stdout.readline()
    away.rename(task.storage)
    process.stdin.write("\n")
    assert finish(process).returncode == 0
    assert (task.output / "a").read_text() == "x\n"


@pytest.fixture
def small_disk(task: Any) -> Any:
    """The task's storage on a file system of 256 KiB."""
    try:
        options = "size=256k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", task.storage], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small file system")
    yield task
    subprocess.run(["umount", task.storage], check=True)


def test_outputs_that_fit_on_full_disk_are_saved(
    small_disk: Any, finish: Callable[..., Any]
) -> None:
    """The small files go first; the rest is named, and nothing half written is left."""
    small_disk.section(outputs=[{"path": "**"}], gracePeriod=3)
    script = (
        "head -c 1M /dev/zero >big; echo x >small; trap 'exit 0' TERM; echo ready; sleep 600 & wait"
    )
    process = small_disk.start("bash", "-c", script)
    process.stdout.readline()
    process.terminate()
    done = finish(process)
    assert done.returncode == OUTPUTS_NOT_SAVED
    assert "big: No space left on device" in done.stderr
    left = sorted(path.name for path in small_disk.output.iterdir())
    assert left == [".openpai", "small"]
