"""Tasks in images of several systems: no root, no network, nothing may be written."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from openpai.core.protocol.bootstrap import CARRIED, add_bootstrap
from openpai.runtime.cli.zipapp import carry

ENVIRON = {
    "OPENPAI_JOB_CONFIG": "/task/job.json",
    "PAI_FRAMEWORK_NAME": "alice~train",
    "PAI_CURRENT_TASK_ROLE_NAME": "main",
    "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": "0",
    "FC_POD_UID": "pod",
}


def prepare(container: Any, *commands: str, **section: Any) -> None:
    """Write script and config of a job, and carry the runtime into its workspace."""
    section = {"version": 1, "workspace": "team:/alice", **section}
    document = {
        "name": "train",
        "taskRoles": {"main": {"instances": 1, "commands": ["cd /task", *commands]}},
        "extras": {"openpai.runtime": section},
    }
    document = add_bootstrap(document)
    (container.task / "job.json").write_text(json.dumps(document))
    strict = ["set -o errexit", "set -o nounset", "set -o pipefail"]
    script = "\n".join([*strict, *document["taskRoles"]["main"]["commands"]])
    (container.task / "user.sh").write_text(script)
    place = container.team / "alice" / CARRIED
    place.parent.mkdir(parents=True)
    place.parent.parent.chmod(0o777)
    carry(place)


def start(container: Any, **options: Any) -> Any:
    """Start the job's task as PAI does."""
    return container.start("bash", "-c", "cd /task; exec bash user.sh", **ENVIRON, **options)


def output(container: Any) -> Path:
    """The job's output folder."""
    return Path(container.team / "alice/jobs/train/output")


def test_task_runs_in_read_only_image(container: Any, python: tuple[int, int]) -> None:
    """From the workspace alone: callbacks, outputs, the exit code, and why it failed."""
    tell = {"on": "failure", "commands": ["echo failed with $OPENPAI_EXIT_CODE"]}
    prepare(container, "echo x >a", "exit 3", outputs=[{"path": "a"}], callbacks=[tell])
    done = start(container)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 3, err
    if python < (3, 8):
        assert out == ""
        assert "[openpai-runtime] There is no Python 3.8 or newer" in err
        return
    assert out == "failed with 3\n", err
    assert (output(container) / "a").read_text() == "x\n"
    report = json.loads((output(container) / ".openpai/main-0.json").read_text())
    assert report["explanation"]["exitCode"] == 3


def test_job_that_needs_runtime_fails_without_python(
    container: Any, python: tuple[int, int]
) -> None:
    """An image with an old Python only: one sentence, and no command that would go wrong."""
    if python >= (3, 8):
        pytest.skip("this image has a Python that is new enough")
    prepare(container, "echo never", waitForPeers="1m")
    done = start(container)
    out, err = done.communicate(timeout=120)
    assert (done.returncode, out) == (1, "")
    assert err.count("\n") == 1
    assert "This job needs it for what its runtime section asks for." in err


def test_sigterm_to_first_process_saves_outputs(container: Any, python: tuple[int, int]) -> None:
    """The bootstrap makes the runtime the first process; it passes the signal on."""
    if python < (3, 8):
        pytest.skip("the runtime does not run in this image")
    prepare(
        container,
        "trap 'echo late >a; exit 5' TERM",
        "echo ready; while true; do sleep 0.05; done",
        outputs=[{"path": "a"}],
    )
    process = start(container)
    assert process.stdout.readline() == "ready\n"
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    os.kill(int(child), signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 5
    assert (output(container) / "a").read_text() == "late\n"


def test_callbacks_run_without_bash(container: Any, python: tuple[int, int]) -> None:
    """Callbacks are run by the shell that there is."""
    if python < (3, 8):
        pytest.skip("the runtime does not run in this image")
    prepare(container, "true", callbacks=[{"on": "exit", "commands": ["echo by ${0##*/}"]}])
    pyz = f"/mnt/team/alice/{CARRIED}"
    words = ("python3", pyz, "run", "--", "sh", "-c", "echo ran")
    done = container.run(*words, hidden="/bin/bash", **ENVIRON)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ran\nby sh\n"


def test_plan_fits_system(container: Any, python: tuple[int, int]) -> None:
    """What mounts a share would be installed by the system's own means."""
    if python < (3, 8):
        pytest.skip("the runtime does not run in this image")
    mount = {"storage": "far", "path": "/far", "type": "nfs", "data": {"server": "h"}}
    prepare(container, "true", mounts=[mount])
    pyz = f"/mnt/team/alice/{CARRIED}"
    done = container.run(
        "python3", pyz, "run", "--dry-run", "--", "true", user=0, hidden="", **ENVIRON
    )
    assert done.returncode == 0, done.stderr
    assert "    mount -t nfs -o rw,nolock h:/ /far\n" in done.stdout
    report = container.run("python3", pyz, "info", **ENVIRON).stdout
    assert "system: Debian" in report or "system: Ubuntu" in report
