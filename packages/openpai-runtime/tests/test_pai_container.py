"""The inside of a PAI container, laid out as PAI's own runtime leaves it.

In namespaces of its own: /usr/local/pai is a fake one, and PID 1 is a bash like PAI's, which calls
the user's script and does not pass signals on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from support.wait import wait_until

from openpai.core.protocol.bootstrap import bootstrap_text

pytestmark = pytest.mark.process

ENTRY = """
export PAI_WORK_DIR=$(pwd)
bash -c '
  set -o errexit -o nounset -o pipefail
  source /usr/local/pai/runtime.d/runtime_env.sh
  /usr/local/pai/runtime.d/user.sh 2>&1 | tee /usr/local/pai/logs/$FC_POD_UID/user-all/current
'
exit $?
"""


class Container:
    """A fake /usr/local/pai and what is mounted into the container."""

    def __init__(self, folder: Path) -> None:
        self.pai = folder / "pai"
        self.storage = folder / "nfs"
        self.work = folder / "image-workdir"
        log = self.pai / "logs/pod-7/user-all"
        temporary = folder / "tmp"
        for made in (self.pai / "runtime.d", log, self.storage, self.work, temporary):
            made.mkdir(parents=True)
        (self.pai / "runtime").write_text(ENTRY)
        (self.pai / "runtime.d/runtime_env.sh").write_text(
            "export PAI_HOST_IP_worker_0='10.0.0.5'\nexport PAI_CONTAINER_HOST_IP='10.0.0.5'\n"
        )
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "TMPDIR": str(temporary),
            "PAI_FRAMEWORK_NAME": "alice~mnist",
            "PAI_CURRENT_TASK_ROLE_NAME": "worker",
            "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": "0",
            "FC_POD_UID": "pod-7",
        }

    def start(self, commands: str, **section: Any) -> subprocess.Popen[str]:
        """Start the container with these user commands."""
        section = {"version": 1, "workspace": "team:/users/alice", **section}
        job = {
            "name": "mnist",
            "taskRoles": {"worker": {"instances": 1}},
            "secrets": "******",
            "extras": {
                "storages": [{"name": "team", "mountPath": str(self.storage)}],
                "openpai.runtime": section,
            },
        }
        (self.pai / "runtime.d/job_config.yaml").write_text(json.dumps(job))
        user = self.pai / "runtime.d/user.sh"
        strict = "#!/bin/bash\nset -o errexit\nset -o nounset\nset -o pipefail\n"
        user.write_text(strict + bootstrap_text(False) + "\n" + commands + "\n")
        user.chmod(0o755)
        inside = (
            "mkdir -p /usr/local/pai && mount --bind $0 /usr/local/pai && "
            "exec bash /usr/local/pai/runtime"
        )
        over = (
            "mount -t tmpfs none $1 && mkdir $1/up $1/work && "
            "mount -t overlay -o lowerdir=/usr/local,upperdir=$1/up,workdir=$1/work "
            "none /usr/local && "
        )
        scratch = self.pai.with_name("scratch")
        scratch.mkdir(exist_ok=True)
        return subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "bash",
                "-c",
                over + inside,
                str(self.pai),
                str(scratch),
            ],
            env=self.env,
            cwd=self.work,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def output(self) -> Path:
        """The job's output folder on the mounted storage."""
        return self.storage / "users/alice/jobs/mnist/output"


@pytest.fixture
def container(tmp_path: Path) -> Container:
    """A container, where this user may make one."""
    made = Container(tmp_path)
    process = made.start("echo works")
    out, err = process.communicate(timeout=60)
    if "works" not in out:
        pytest.skip(f"no container can be made here: {err.strip()[-200:]}")
    return made


def test_container_runs_task(container: Any, finish: Callable[..., Any]) -> None:
    """The platform's config is found, callbacks are called, outputs go to the mounted storage."""
    done = finish(
        container.start(
            "echo x >model; echo $PAI_HOST_IP_worker_0 $PPID",
            outputs=[{"path": "model"}],
            callbacks=[{"on": "exit", "commands": ["echo code $OPENPAI_EXIT_CODE"]}],
        )
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("10.0.0.5 ")
    assert "code 0" in done.stdout
    assert (container.output / "model").read_text() == "x\n"


def test_container_failure_is_explained_from_platform_log(
    container: Any, finish: Callable[..., Any]
) -> None:
    """The log that PAI keeps in the container is read, and the exit code is the command's."""
    done = finish(container.start("python3 -c 'import no_such_module'"))
    assert done.returncode == 1
    assert "Log: ModuleNotFoundError: No module named 'no_such_module'" in done.stdout


def test_container_first_process_ignores_sigterm(
    container: Any, finish: Callable[..., Any]
) -> None:
    """A fact to live with: only what was saved at an interval is there after the kill."""
    process = container.start(
        "echo x >model; echo ready; while true; do sleep 0.05; done",
        outputs=[{"path": "model", "every": 0.1}],
        callbacks=[{"on": "stop", "commands": ["echo stopped"]}],
    )
    assert process.stdout.readline() == "ready\n"
    wait_until((container.output / "model").exists)
    first = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    os.kill(first, signal.SIGTERM)
    (container.output / "model").unlink()
    wait_until((container.output / "model").exists)  # the task continues
    os.kill(first, signal.SIGKILL)
    assert "stopped" not in finish(process).stdout
