"""Starting and ending a server: what can go wrong is said in one sentence."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.wait import wait_until

from openpai.core.errors import OpenPaiError
from openpai.core.local import LocalCluster, daemon
from openpai.core.local.state.state_dir import StateDir


@pytest.fixture
def state(tmp_path):
    """A state folder whose server is ended afterwards."""
    folder = tmp_path / "state"
    yield folder
    if daemon.status(folder):
        daemon.down(folder, stop_jobs=True)


def _in_another_process(code, **environment):
    """Run Python code; return (exit status, stderr)."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.mark.process
def test_up_returns_when_server_answers(state, plain_client):
    """After up the very first request is answered, and status knows the same server."""
    running = daemon.up(state)
    client = plain_client(running.uri, running.user, running.token)
    assert client("GET", "/info").status_code == 200
    assert client("GET", "/tokens/check").json()["username"] == running.user
    client.close()
    assert daemon.status(state).uri == running.uri


@pytest.mark.process
def test_state_folder_is_private(state):
    """Nobody else may enter it; password, token and key are the owner's alone."""
    daemon.up(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for name in ("password", "token", "key", "server.json"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600
        assert (state / name).read_text().strip()


@pytest.mark.process
def test_second_up_names_address_of_first(state):
    """One folder, one server."""
    running = daemon.up(state)
    with pytest.raises(OpenPaiError, match=f"up already, at {running.uri}"):
        daemon.up(state)


def test_down_without_server_raises(state):
    """There is nothing to end, and the message says how to start one."""
    with pytest.raises(OpenPaiError, match="not up") as caught:
        daemon.down(state)
    assert "local up" in caught.value.hint


@pytest.mark.process
def test_port_in_use_raises(state):
    """The port is named, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OpenPaiError, match=f"Port {port} of this machine is in use"):
            daemon.up(state, port=port)
    assert daemon.status(state) is None


@pytest.mark.process
def test_last_port_is_reused(state):
    """Clients that know the address, and running tasks, find the next server."""
    first = daemon.up(state)
    daemon.down(state)
    assert daemon.up(state).uri == first.uri


@pytest.mark.process
def test_occupied_last_port_is_replaced(state):
    """The port is only a wish where none was asked for."""
    first = daemon.up(state)
    daemon.down(state)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(first.uri.rpartition(":")[2])))
        taken.listen()
        assert daemon.up(state).uri != first.uri


def test_unwritable_folder_raises(tmp_path):
    """A file in the way is a clear error, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OpenPaiError, match="cannot keep its state in"):
        daemon.up(tmp_path / "file" / "state")


@pytest.mark.process
def test_full_disk_raises(tmp_path):
    """No room to write: one sentence, and nothing half written that a later up would trust."""
    code = (
        "import resource, sys\n"
        "from openpai.core.errors import OpenPaiError\n"
        "from openpai.core.local import daemon\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n    daemon.up(sys.argv[1])\n"
        "except OpenPaiError as error:\n    sys.exit('error: ' + str(error))\n"
    ).replace("sys.argv[1]", repr(str(tmp_path / "state")))
    status, said = _in_another_process(code)
    assert (status, said.startswith("error: The local cluster cannot keep its state")) == (1, True)
    daemon.up(tmp_path / "state")
    daemon.down(tmp_path / "state")


@pytest.mark.process
def test_missing_werkzeug_names_extra(tmp_path):
    """The extra to install is named."""
    (tmp_path / "werkzeug.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'werkzeug'\", name='werkzeug')\n"
    )
    code = f"from openpai.core.local import daemon; daemon.up({str(tmp_path / 'state')!r})"
    status, said = _in_another_process(code, PYTHONPATH=str(tmp_path))
    assert status == 1
    assert "pip install 'openpai-core[local]'" in said


def test_unknown_option_raises(state):
    """A misspelled option is refused before anything is started."""
    with pytest.raises(OpenPaiError, match="Invalid option 'gpu'"):
        daemon.up(state, gpu=1)
    assert not state.exists()


def test_logs_without_server_raise(state):
    with pytest.raises(OpenPaiError, match="no local cluster ran there"):
        list(daemon.logs(state))


@pytest.mark.process
def test_server_log_has_address(state):
    """The log is kept when the server is down."""
    running = daemon.up(state)
    daemon.down(state)
    assert any(running.uri in line for line in daemon.logs(state))


@pytest.mark.process
def test_killed_server_is_not_up(state):
    """After kill -9 status says that nothing runs, and up works."""
    running = daemon.up(state)
    os.kill(running.pid, 9)
    wait_until(lambda: daemon.status(state) is None)
    assert daemon.up(state).pid != running.pid


def test_clusters_run_side_by_side(tmp_path, plain_client):
    """Each has its own folder, port, users and jobs."""
    with LocalCluster(tmp_path / "one") as one, LocalCluster(tmp_path / "two") as two:
        assert one.uri != two.uri
        stranger = plain_client(two.uri, one.user, one.token)
        assert stranger("GET", "/jobs").status_code == 401
        stranger.close()


def test_embedded_cluster_removes_its_folder(tmp_path):
    """Without a folder a cluster leaves nothing behind."""
    with LocalCluster() as cluster:
        folder = Path(cluster.folder)
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.process
def test_server_json_has_no_secrets(state):
    """Address, process, user and engine; no token, no password."""
    running = daemon.up(state)
    reported = json.loads(StateDir(state).server.read_text())
    process = {"uri": running.uri, "pid": running.pid, "user": running.user}
    assert reported == {**process, "engine": "process"}


@pytest.mark.process
def test_command_line_has_no_secrets(state):
    """Who lists processes learns no secret."""
    running = daemon.up(state)
    line = Path(f"/proc/{running.pid}/cmdline").read_bytes().decode()
    for name in ("password", "token", "key"):
        assert (state / name).read_text().strip() not in line
