"""Jobs of the local cluster in real containers: of podman, and of the docker command."""

import os
import signal
from contextlib import ExitStack

import pytest
from support.gate import Gate
from support.wait import wait_until

from openpai.core import Cluster
from openpai.core.local import LocalCluster, daemon

pytestmark = pytest.mark.xdist_group("podman")

#: What does not depend on the command line of the engine.
once = pytest.mark.parametrize("engine", ["podman"], indirect=True)


def _log(job, stream="stdout"):
    return "".join(f"{line}\n" for line in job.logs(stream=stream))


def test_commands_run_in_image(client, job, containers):
    """The image's files, PAI's variables, what the job asked for; nothing is left afterwards."""
    commands = [
        "echo root: $(ls /)",
        "echo $PAI_TASK_INDEX $PAI_WORK_DIR $PAI_CURRENT_TASK_ROLE_NAME",
        "echo shm: $(df -m --output=size /dev/shm)",
        'while read -r line; do echo "config: $line"; done < "$OPENPAI_JOB_CONFIG"',
        "echo to-stderr >&2",
    ]
    ended = client.submit(job("image", *commands))
    assert ended.wait(timeout=120).state == "SUCCEEDED"
    out = _log(ended)
    assert "work" in out
    assert "boot" not in out.splitlines()[0]
    assert "0 / worker" in out
    assert "32" in next(line for line in out.splitlines() if line.startswith("shm:"))
    assert "config: name: image" in out
    assert _log(ended, "stderr") == "to-stderr\n"
    assert containers() == []
    assert not [event for event in ended.events() if event.reason == "ImageNotRun"]


@once
def test_storages_are_mounted(client, job, team):
    """At mountPath, and the others where OPENPAI_STORAGES says; both are read and written."""
    extras = {"storages": [{"name": "team", "mountPath": "/data/team"}]}
    (team / "given").write_text("from outside\n")
    commands = ["cat /data/team/given", "echo inside > /data/team/made", "echo $OPENPAI_STORAGES"]
    ended = client.submit(job("storages", *commands, extras=extras))
    assert ended.wait(timeout=120).state == "SUCCEEDED"
    assert _log(ended).startswith("from outside\n")
    assert '"team": "/data/team"' in _log(ended)
    assert (team / "made").read_text() == "inside\n"


@once
def test_plugins_run_and_secrets_stay_hidden(client, job):
    """Pre-commands run in the same container and write to runtime.log; secrets are on no argv."""
    cmd = {
        "plugin": "cmd",
        "parameters": {"preCommands": ["echo ready > /begun"], "postCommands": ["echo tidied"]},
    }
    extras = {"com.microsoft.pai.runtimeplugin": [cmd]}
    secret = "swordfish-of-the-day"
    watch = (
        "for file in /proc/[0-9]*/cmdline; do "
        "while read -r -d '' word; do echo \"word: $word\"; done < $file; done"
    )
    commands = ["cat /begun", "word='<% $secrets.word %>'; echo ${#word}", watch]
    ended = client.submit(job("plugins", *commands, extras=extras, secrets={"word": secret}))
    assert ended.wait(timeout=120).state == "SUCCEEDED"
    assert _log(ended).startswith(f"ready\n{len(secret)}\n")
    assert secret not in _log(ended)
    assert "tidied" in _log(ended, "runtime.log")


@once
@pytest.mark.parametrize(
    ("name", "command", "code", "own"),
    [("seven", "exit 7", 255, 7), ("no-command", "not-there", 220, 127)],
)
def test_exit_codes_are_translated(client, job, name, command, code, own):
    """Its own status and PAI's code, as without containers."""
    status = client.submit(job(name, command)).wait(timeout=120)
    assert (status.app_exit_code, status.exit_code) == (code, own)


@once
def test_container_over_memory_limit_fails(client, job):
    """The kernel kills it; PAI says -1200 and does not try again."""
    greedy = job("greedy", "a=x; while true; do a=$a$a; done", memory=48, jobRetryCount=2)
    status = client.submit(greedy).wait(timeout=120)
    assert (status.state, status.app_exit_code, status.retries) == ("FAILED", -1200, 0)


@once
def test_missing_image_fails(client, job):
    """254, never tried again; what the engine said is in runtime.log."""
    ended = client.submit(job("nowhere", "true", image="127.0.0.1:9/none:1", jobRetryCount=2))
    status = ended.wait(timeout=120)
    assert (status.state, status.app_exit_code, status.retries) == ("FAILED", 254, 0)
    assert "127.0.0.1:9" in _log(ended, "runtime.log")


def test_image_without_bash_fails(client, job):
    """PAI needs it too: the container cannot be started, and the reason is reported."""
    status = client.submit(job("bare", "true", image="localhost/openpai-test-no-bash:1")).wait(
        timeout=60
    )
    assert status.state == "FAILED"
    assert status.app_exit_code in (-1201, -1203)
    assert "ContainerCannotRun" in status.app_exit_diagnostics


def test_stop_sends_sigterm(client, job, containers):
    """SIGTERM reaches the user's commands, though bash is the first process of the container."""
    tidy = ["trap 'echo tidied; exit 0' TERM", "echo ready", "while true; do sleep 0.1; done"]
    running = client.submit(job("tidy", *tidy))
    wait_until(lambda: "ready" in _log(running), "the container runs", show=running.explain)
    running.stop()
    assert running.wait(timeout=120).state == "STOPPED"
    assert "tidied" in _log(running), _log(running, "runtime.log")
    assert containers() == []


def test_stop_removes_container_that_ignores_sigterm(engine, job, containers):
    """After the grace period nothing of it is left."""
    with ExitStack() as stack:
        local = stack.enter_context(LocalCluster(engine=engine, gpus=0, grace=2))
        client = stack.enter_context(Cluster(local.uri, user=local.user, token=local.token))
        deaf = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
        running = client.submit(job("deaf", deaf))
        wait_until(lambda: "ready" in _log(running), "the container runs", show=running.explain)
        running.stop()
        assert running.wait(timeout=120).state == "STOPPED"
        assert containers() == []


#: Counts until its gate is open, so that lines are written at any time.
COUNT = "n=0; until [ -e /team/gate ]; do n=$((n + 1)); echo $n; sleep 0.1; done; echo end"


def test_container_survives_killed_server(engine, job, tmp_path, containers):
    """Kill -9 of the server: the next one finds the same task, with its whole log."""
    state, team = tmp_path / "state", tmp_path / "team"
    team.mkdir()
    options = {"engine": engine, "cpus": 8, "memory_mb": 8192, "storages": {"team": str(team)}}
    extras = {"storages": [{"name": "team", "mountPath": "/team"}]}
    running = daemon.up(state, **options)
    try:
        with Cluster(running.uri, user=running.user, token=running.token) as client:
            lasting = client.submit(job("lasting", COUNT, extras=extras))
            wait_until(lambda: "1" in _log(lasting), "the container runs", show=lasting.explain)
            os.kill(running.pid, signal.SIGKILL)
            wait_until(lambda: daemon.status(state) is None, "the server is dead")
            assert daemon.up(state, **options).uri == running.uri
            Gate(team / "gate").open()
            assert lasting.wait(timeout=120).state == "SUCCEEDED"
            assert lasting.status().retries == 0
            *numbers, end = _log(lasting).split()
            assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
            assert end == "end"
            assert containers() == []
    finally:
        daemon.down(state, stop_jobs=True)


@once
def test_container_of_lost_supervisor_is_removed(client, job, local, containers, team):
    """The platform lost it: what is left of it is ended, and the job is tried again."""
    extras = {"storages": [{"name": "team", "mountPath": "/team"}]}
    command = "[ -e /team/flag ] && exit 0; echo > /team/flag; while true; do sleep 1; done"
    lost = client.submit(job("lost", command, extras=extras))
    wait_until((team / "flag").exists, "the container runs", show=lost.explain)
    assert local.preempt("lost") == 1
    status = lost.wait(timeout=120)
    assert (status.state, status.retries) == ("SUCCEEDED", 1)
    assert containers() == []
