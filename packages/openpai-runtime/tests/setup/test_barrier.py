"""Tasks wait for each other before their commands, and reach each other by ssh."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from support.gate import Gate
from support.ports import free_port
from support.wait import wait_until

from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process

LAUNCH = "import sys; from openpai.runtime.cli.main import main; sys.exit(main())"
SERVER = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


class Gang:
    """The tasks of one job, each with a working directory of its own."""

    def __init__(self, task: Any, folder: Path, count: int) -> None:
        self.task = task
        self.folder = folder
        task.document["taskRoles"] = {"worker": {"instances": count}}
        for index in range(count):
            task.env[f"PAI_HOST_IP_worker_{index}"] = "127.0.0.1"
            for label in ("http", "ssh"):
                task.env[f"PAI_PORT_LIST_worker_{index}_{label}"] = str(free_port())

    def start(self, index: int, *argv: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command as one of the tasks."""
        self.task.config.write_text(json.dumps(self.task.document))
        work = self.folder / f"{index}-{len(list(self.folder.iterdir()))}"
        work.mkdir()
        own = {"PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": str(index), **environ}
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, "run", "--", *argv],
            env={**self.task.env, **own},
            cwd=work,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.task.processes.append(process)
        return process


def is_connected(port: int) -> bool:
    """Whether somebody is connected to a port of this machine."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


@pytest.fixture
def gang(task: Any, tmp_path: Path) -> Callable[[int], Gang]:
    """Make the tasks of a job."""
    folder = tmp_path / "gang"
    folder.mkdir()
    return lambda count: Gang(task, folder, count)


@pytest.mark.parametrize("workspace", ["team:/users/alice", None])
def test_peers_start_together(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any], workspace: str | None
) -> None:
    """They meet in the workspace, or without one at a port of the first task."""
    three = gang(3)
    task.section(waitForPeers="60s", workspace=workspace)
    if workspace is None:
        del task.document["extras"]["openpai.runtime"]["workspace"]
    last = three.folder / "last"
    first = [three.start(index, "test", "-e", str(last)) for index in (2, 0)]
    if workspace is None:
        wait_until(lambda: is_connected(int(task.env["PAI_PORT_LIST_worker_0_http"])))
    else:
        wait_until(lambda: len(list(task.storage.rglob("worker-*.json"))) == 2)
    assert [process.poll() for process in first] == [None, None]
    last.touch()
    for process in [*first, three.start(1, "true")]:
        assert finish(process).returncode == 0


def test_peers_port_is_free_for_command(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any]
) -> None:
    """Who met at a port may listen there at once."""
    two = gang(2)
    task.section(waitForPeers="60s")
    del task.document["extras"]["openpai.runtime"]["workspace"]
    port = task.env["PAI_PORT_LIST_worker_0_http"]
    bind = f"import socket; socket.socket().bind(('', {port}))"
    processes = [two.start(index, sys.executable, "-c", bind) for index in (1, 0)]
    assert finish(processes[1]).returncode == 0
    finish(processes[0])


@pytest.mark.parametrize("workspace", ["team:/users/alice", None])
def test_peers_name_missing_task(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any], workspace: str | None
) -> None:
    """After the time that was given the command is not started."""
    two = gang(2)
    task.section(waitForPeers="0.5s", workspace=workspace)
    if workspace is None:
        del task.document["extras"]["openpai.runtime"]["workspace"]
    done = finish(two.start(0, "echo", "never"))
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "Not all tasks are up after 0.5 s: worker-1 did not come." in done.stderr


def test_peers_reject_other_attempts(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any]
) -> None:
    """Nonsense, silence, and tasks of another attempt are not taken for the missing task."""
    two = gang(2)
    task.section(waitForPeers="60s")
    del task.document["extras"]["openpai.runtime"]["workspace"]
    port = int(task.env["PAI_PORT_LIST_worker_0_http"])
    host = two.start(0, "true")
    held: list[socket.socket] = []

    def knock() -> bool:
        try:
            held.append(socket.create_connection(("127.0.0.1", port), 60))
        except OSError:
            return False
        return True

    wait_until(knock)
    stranger = {"role": "worker", "index": 1, "attempt": "0-another", "greeting": {}}
    for greeting in ({"role": []}, stranger):
        with socket.create_connection(("127.0.0.1", port), 60) as noise:
            noise.sendall(json.dumps(greeting).encode() + b"\n")
            assert noise.recv(10) == b""
    assert host.poll() is None
    assert finish(two.start(1, "true")).returncode == 0
    for connection in held:
        connection.close()
    assert finish(host).returncode == 0


def test_peers_ignore_earlier_attempt(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any]
) -> None:
    """What an earlier attempt left in the workspace does not count."""
    two = gang(2)
    task.section(waitForPeers="60s")
    for process in [two.start(index, "true") for index in (0, 1)]:
        assert finish(process).returncode == 0
    task.section(waitForPeers="0.5s")
    late = two.start(0, "true", FC_FRAMEWORK_ATTEMPT_ID="1")
    assert finish(late).returncode == NOT_READY


@pytest.mark.skipif(not SERVER, reason="sshd is not installed")
def test_ssh_reaches_other_tasks(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any], tmp_path: Path
) -> None:
    """By role and index, with PAI's variables there, and nothing of it in the user's home."""
    two = gang(2)
    home = tmp_path / "home"
    home.mkdir()
    task.env.update(HOME=str(home), PAI_NOTE='a b"c', PAI_MORE="it's here")
    task.section(ssh=True, waitForPeers="60s")
    done = Gate(tmp_path / "done")
    waiting = two.start(1, "sh", "-c", done.command)
    script = 'ssh worker-1 \'echo "$PAI_MORE"\' && ssh worker-0 echo self; touch "$0"'
    caller = finish(two.start(0, "bash", "-c", script, str(done.path)))
    assert caller.stdout == "it's here\nself\n", caller.stderr
    assert finish(waiting).returncode == 0
    assert list(home.iterdir()) == []


@pytest.mark.skipif(not SERVER, reason="sshd is not installed")
def test_ssh_refuses_other_keys(
    gang: Callable[[int], Gang], task: Any, finish: Callable[..., Any], tmp_path: Path
) -> None:
    """A key that was not made for this job is refused."""
    one = gang(1)
    task.section(ssh=True)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"
    port = task.env["PAI_PORT_LIST_worker_0_ssh"]
    script = f"{shutil.which('ssh')} {options} -i {key} -p {port} 127.0.0.1 echo in || echo out"
    assert finish(one.start(0, "bash", "-c", script)).stdout == "out\n"
