"""What a task finds around it."""

import json
import socket
import subprocess
from functools import partial

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process


def test_gpus_are_assigned(client, job_text, gate):
    """Two tasks of one GPU each get different devices; a task without gets none."""
    show = 'echo "$CUDA_VISIBLE_DEVICES/$NVIDIA_VISIBLE_DEVICES"'
    client.submit(job_text("gpus", show, gate.command, instances=2, gpu=1))
    client.wait("gpus", "RUNNING")
    gate.open()
    client.wait("gpus")
    seen = {client.log("gpus", index=index).strip() for index in (0, 1)}
    assert seen == {"0/0", "1/1"}
    client.submit(job_text("nogpus", show))
    client.wait("nogpus")
    assert client.log("nogpus") == "/none\n"


def test_environment_has_pai_variables(cluster, client, job_text):
    """PAI's variables, and where the local cluster and its storages are."""
    client.submit(job_text("env", "env"))
    client.wait("env")
    seen = dict(line.split("=", 1) for line in client.log("env", "stdout").splitlines())
    assert seen["PAI_JOB_NAME"] == f"{client.user}~env"
    assert seen["PAI_CURRENT_TASK_ROLE_NAME"] == "worker"
    assert seen["OPENPAI_LOCAL_CLUSTER"] == cluster.uri
    assert seen["PAI_WORK_DIR"] == seen["PWD"]
    assert json.loads(seen["OPENPAI_STORAGES"]).keys() == {"local-storage"}
    assert seen["FC_POD_UID"] == client.task("env")["containerId"]


def test_server_settings_do_not_leak_into_task(tmp_path, plain_client, job_text, monkeypatch):
    """Tasks do not inherit tokens or PAI variables of the server's environment."""
    from openpai.core.local import LocalCluster

    monkeypatch.setenv("OPENPAI_TOKEN", "should-not-be-seen")
    monkeypatch.setenv("PAI_JOB_NAME", "should-not-be-seen")
    monkeypatch.setenv("SOMETHING_ELSE", "is-seen")
    with LocalCluster() as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("leak", "env"))
        client.wait("leak")
        seen = client.log("leak")
        client.close()
    assert "should-not-be-seen" not in seen
    assert "is-seen" in seen


def test_shown_ports_match_environment(client, job_text):
    """The API's ports are those in the environment, computed from the task's uid."""
    from openpai.core.execution.ports import task_ports

    client.submit(job_text("ports", 'echo "$PAI_CONTAINER_HOST_http_PORT_LIST"'))
    client.wait("ports")
    task = client.task("ports")
    assert client.log("ports").strip() == task["containerPorts"]["http"]
    wanted = task_ports(task["containerId"], {"ssh": 1, "http": 1})
    assert task["containerPorts"] == {label: str(numbers[0]) for label, numbers in wanted.items()}


def test_port_of_other_task_is_not_assigned(monkeypatch):
    """Where a uid's ports are taken, another uid is chosen before the start."""
    from openpai.core.local.executor import task_spec

    document = {"taskRoles": {"worker": {"resourcePerInstance": {}}}}
    # Any program of this machine may be using the ports that belong to "first".
    monkeypatch.setattr(task_spec, "_is_free", lambda port: True)
    choose = partial(task_spec.choose_uid, document, "worker", "first")
    uid, ports = choose([])
    assert uid == "first"
    again, others = choose(ports["http"])
    assert again != "first"
    assert set(others["http"]).isdisjoint(ports["http"])


def test_port_in_use_is_not_assigned():
    """The ports are tried on this machine, not only looked up among the tasks."""
    from openpai.core.local.executor import task_spec

    document = {"taskRoles": {"worker": {"resourcePerInstance": {}}}}
    uid, ports = task_spec.choose_uid(document, "worker", "first", [])
    with socket.create_server(("127.0.0.1", ports["http"][0])):
        assert task_spec.choose_uid(document, "worker", uid, [])[0] != uid


def test_tasks_connect_to_each_other(client, job_text):
    """Two tasks talk over the ports of PAI's host list."""
    serve = "\n".join(
        [
            "import os, socket, time",
            "hosts = os.environ['PAI_TASK_ROLE_worker_HOST_LIST'].split(',')",
            "host, port = hosts[0].split(':')",
            "if os.environ['PAI_TASK_INDEX'] == '0':",
            "    server = socket.create_server((host, int(port)))",
            "    peer, _ = server.accept()",
            "    print(peer.recv(100).decode())",
            "else:",
            "    for _ in range(1200):",
            "        try:",
            "            socket.create_connection((host, int(port))).sendall(b'hello')",
            "            break",
            "        except OSError:",
            "            time.sleep(0.05)",
        ]
    )
    role = "completion: {minFailedInstances: 1, minSucceededInstances: -1}"
    client.submit(job_text("talk", f"python3 - <<'END'\n{serve}\nEND", instances=2, role=role))
    assert client.wait("talk")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("talk", index=0) == "hello\n"


def test_deployments_and_parameters_are_applied(client, job_text):
    """Templates are filled in, and the active deployment goes around the commands."""
    text = job_text("deploy", "echo <% $parameters.word %> $kept", top="parameters: {word: main}")
    text += (
        "deployments:\n"
        "  - name: here\n"
        "    taskRoles:\n"
        "      worker:\n"
        "        preCommands: ['kept=yes; echo pre']\n"
        "        postCommands: [echo post]\n"
        "defaults: {deployment: here}\n"
    )
    client.submit(text)
    client.wait("deploy")
    assert client.log("deploy") == "pre\nmain yes\npost\n"


def test_plugin_commands_run_around_user_commands(client, job_text):
    """The cmd plugin's pre-commands come before, its post-commands after a success."""
    text = job_text("plugin", "cat begun; echo main") + (
        "extras:\n"
        "  com.microsoft.pai.runtimeplugin:\n"
        "    - plugin: cmd\n"
        "      parameters:\n"
        "        preCommands: ['echo ready > begun']\n"
        "        postCommands: ['echo tidied']\n"
    )
    client.submit(text)
    assert client.wait("plugin")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("plugin") == "ready\nmain\n"
    assert "tidied" in client.log("plugin", "runtime.log")


def test_role_prerequisites_run_first(client, job_text):
    """A prerequisite that is a plugin runs for the roles that name it, before those of extras."""
    text = job_text("prepared", "cat order", role="prerequisites: [first]").replace(
        "prerequisites:\n  - {type: dockerimage",
        "prerequisites:\n"
        "  - name: first\n"
        "    type: script\n"
        "    plugin: com.microsoft.pai.runtimeplugin.cmd\n"
        "    callbacks: [{event: taskStarts, commands: ['echo prerequisite >> order']}]\n"
        "  - {type: dockerimage",
        1,
    )
    text += (
        "extras:\n"
        "  com.microsoft.pai.runtimeplugin:\n"
        "    - {plugin: cmd, parameters: {preCommands: ['echo extra >> order']}}\n"
    )
    assert client.submit(text).status_code == 202
    assert client.wait("prepared")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("prepared") == "prerequisite\nextra\n"


def test_git_plugin_clones_code(client, job_text, tmp_path):
    """The task finds the clone in its working folder; one that cannot be made fails the task."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "train.sh").write_text("echo trained\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Add it"], check=True)
    extras = "extras: {com.microsoft.pai.runtimeplugin: [{plugin: git, parameters: {%s}}]}\n"
    code = extras % f"repo_uri: '{tmp_path}', clone_dir: code"
    client.submit(job_text("cloned", "bash code/train.sh") + code)
    assert client.wait("cloned")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("cloned") == "trained\n"
    client.submit(job_text("uncloned", "echo never") + extras % f"repo_uri: '{tmp_path}/none'")
    assert client.wait("uncloned")["jobStatus"]["state"] == "FAILED"
    assert client.log("uncloned") == ""
    assert "does not exist" in client.log("uncloned", "runtime.log")


@pytest.mark.parametrize(
    ("command", "status"),
    [("rm -rf $PWD; exit 5", 5), ("kill -9 $$", 137), ("/dev/null", 126)],
    ids=["folder-gone", "killed", "not-executable"],
)
def test_unusual_exit_keeps_status(client, job_text, command, status, request):
    name = request.node.callspec.id
    client.submit(job_text(name, command))
    if status == 137:  # the platform would try again without end
        client.wait(name, "RUNNING", "WAITING")
        client.stop(name)
        assert client.wait(name)["jobStatus"]["state"] == "STOPPED"
        return
    ended = client.wait(name)["jobStatus"]
    assert ended["appExitMessages"]["runtime"]["originUserExitCode"] == status


def test_fork_bomb_is_killed(client, job_text):
    """A task that multiplies is killed whole; the server answers all the time."""
    bomb = "f() { [ $1 -gt 0 ] || { sleep 600; return; }; f $(($1-1)) & f $(($1-1)) & wait; }; f 6"
    client.submit(job_text("bomb", "echo started", bomb))
    client.wait("bomb", "RUNNING")
    wait_until(lambda: client.log("bomb") == "started\n")
    assert client("GET", "/info").status_code == 200
    client.stop("bomb")
    assert client.wait("bomb")["jobStatus"]["state"] == "STOPPED"
