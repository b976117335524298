"""The plan of a task: environment, ports, steps, limits; steps are run with a real bash."""

from __future__ import annotations

import subprocess

import pytest

from openpai.core.execution.ports import task_ports
from openpai.core.execution.task_environment import place_environment
from openpai.core.execution.task_plan import (
    Limits,
    Placement,
    plan_task,
    role_limits,
    role_ports,
)
from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.protocol.roles import task_roles
from openpai.core.protocol.templates import TemplateError
from openpai.core.protocol.validation import server_verdict

PLUGINS = "com.microsoft.pai.runtimeplugin"


def _placement(document, **changes):
    """Every task on this machine, with ports by its name."""
    tasks = [
        (name, index)
        for name, role in document["taskRoles"].items()
        for index in range(role.get("instances", 1))
    ]
    ports = {task: task_ports(f"uid-{task}", role_ports(document, task[0])) for task in tasks}
    fields = {
        "user": "alice",
        "virtual_cluster": "default",
        "ips": dict.fromkeys(tasks, "127.0.0.1"),
        "ports": ports,
        "uid": f"uid-{tasks[0]}",
    }
    return Placement(**{**fields, **changes})


def _plan(document, role="worker", index=0, secrets=None, **changes):
    return plan_task(document, role, index, _placement(document, **changes), secrets=secrets)


def _run(script, tmp_path, **environment):
    """Run a step as a plan's executor does: as a file, by bash."""
    file = tmp_path / "step.sh"
    file.write_text(script, encoding="utf-8")
    return subprocess.run(
        ["bash", str(file)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_server_variables_match_recorded_pods(framework_requests):
    """Each variable that a real pod got from the server, with its value."""
    checked = 0
    for request in framework_requests:
        document = load_yaml(request["config"])
        if server_verdict(request["config"]).status != 202:
            continue  # stored with its secrets masked
        for name, asked in zip(task_roles(document), request["roles"]):
            placement = _placement(
                document, user=request["user"], virtual_cluster=request["virtualCluster"]
            )
            environment = plan_task(document, name, 0, placement).environment
            wanted = {k: v for k, v in asked["environment"].items() if k != "HIVED_VISIBLE_DEVICES"}
            assert {key: environment.get(key) for key in wanted} == wanted, request["name"]
            assert environment["FC_FRAMEWORK_NAME"] == request["framework"]
            assert environment["FC_TASKROLE_NAME"] == asked["name"]
            checked += 1
    assert checked > 30


def test_scripts_ports_and_limits_match_recorded_pods(framework_requests):
    """What the server handed to the pods of real jobs."""
    for request in framework_requests:
        verdict = server_verdict(request["config"])
        if verdict.status != 202:
            continue
        for name, asked in zip(task_roles(verdict.document), request["roles"]):
            assert verdict.scripts[name] == asked["script"]
            counts = {label: port["count"] for label, port in asked["ports"].items()}
            assert role_ports(verdict.document, name) == counts
            limits = role_limits(verdict.document, name)
            assert limits.cpu == asked["limits"]["cpu"]
            assert f"{limits.memory_mb}Mi" == asked["limits"]["memory"]
            assert f"{limits.shm_mb}Mi" == asked["limits"]["shm"]


def test_host_variables_match_runtime(functions):
    """Addresses and ports of all tasks, as PAI's runtime wrote them for a recorded job."""
    recorded = functions["runtimeEnvironment"]
    ips, ports = {}, {}
    for name, index, ip, uid in recorded["tasks"]:
        spec = recorded["roles"][name]
        counts = {label: port["count"] for label, port in spec["ports"].items()}
        ips[name, index] = ip
        ports[name, index] = task_ports(
            uid, counts, spec["schedulePortStart"], spec["schedulePortEnd"]
        )
    environment = place_environment("taskrole", 0, ips, ports, list(ips))
    assert environment == recorded["environment"]


def test_unplaced_tasks_have_no_host_variables(minimal):
    """Without gang allocation a peer may not run yet: it has no address, but is counted."""
    minimal["taskRoles"]["worker"]["instances"] = 2
    placement = _placement(minimal, ips={("worker", 0): "10.0.0.1"})
    environment = plan_task(minimal, "worker", 0, placement).environment
    assert "PAI_HOST_IP_worker_1" not in environment
    assert environment["PAI_TASK_ROLE_worker_HOST_LIST"].count(":") == 1
    assert environment["PAI_TASK_ROLE_INSTANCES"] == "worker:0,worker:1"


def test_attempts_and_devices_are_in_environment(minimal):
    assert _plan(minimal).environment["NVIDIA_VISIBLE_DEVICES"] == "none"
    minimal["taskRoles"]["worker"]["resourcePerInstance"]["gpu"] = 2
    environment = _plan(minimal, framework_attempt=3, task_attempt=1, gpus=(0, 3)).environment
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "0,3"
    assert environment["FC_FRAMEWORK_ATTEMPT_ID"] == "3"
    assert environment["FC_TASK_ATTEMPT_ID"] == "1"
    assert "NVIDIA_VISIBLE_DEVICES" not in _plan(minimal).environment


def test_ports_and_limits_are_in_plan(minimal):
    """Own ports by label, and the share of the machine; /dev/shm has 512 MiB by default."""
    minimal["taskRoles"]["worker"]["resourcePerInstance"]["ports"] = {"web": 2}
    plan = _plan(minimal)
    assert {label: len(ports) for label, ports in plan.ports.items()} == {
        "web": 2,
        "ssh": 1,
        "http": 1,
    }
    assert plan.limits == Limits(cpu=1, memory_mb=1024, gpu=0, shm_mb=512)


def test_job_without_plugins_has_one_step(minimal):
    """Just the script, with its three options."""
    (step,) = _plan(minimal).steps
    assert (step.name, step.when, step.failure_policy) == ("main", "main", "fail")
    assert step.script.endswith("set -o pipefail\necho hello")


@pytest.mark.process
@pytest.mark.parametrize(
    ("commands", "code"),
    [(["false", "echo on"], 1), (["echo $UNSET"], 1), (["false | true"], 1), (["exit 7"], 7)],
)
def test_script_stops_at_first_failure(minimal, tmp_path, commands, code):
    """A failing command, an unset variable, a failing part of a pipe."""
    minimal["taskRoles"]["worker"]["commands"] = commands
    result = _run(_plan(minimal).steps[0].script, tmp_path)
    assert (result.returncode, result.stdout) == (code, "")


@pytest.mark.process
def test_deployments_share_shell_with_commands(minimal, tmp_path):
    """What runs before may change folder and variables; what runs after sees them too."""
    minimal["deployments"] = [
        {
            "name": "d",
            "taskRoles": {
                "worker": {
                    "preCommands": ["mkdir -p in && cd in", "export A=1"],
                    "postCommands": ["echo $B"],
                }
            },
        }
    ]
    minimal["defaults"] = {"deployment": "d"}
    minimal["taskRoles"]["worker"]["commands"] = ["B=$A-$(basename $PWD)"]
    result = _run(_plan(minimal).steps[0].script, tmp_path)
    assert result.stdout == "1-in\n"


def test_secrets_are_rendered_where_given(minimal):
    """With the secrets the script has their values; without, the tag stays."""
    minimal["secrets"] = {"pw": "a&b"}
    minimal["taskRoles"]["worker"]["commands"] = ["echo <% $secrets.pw %>"]
    assert _plan(minimal, secrets=minimal["secrets"]).steps[0].script.endswith("echo a&b")
    assert _plan(minimal).steps[0].script.endswith("echo <% $secrets.pw %>")


def test_plugins_run_around_commands_in_order(minimal):
    """Prerequisites first, then extras; what runs after success in the reverse order."""
    minimal["prerequisites"].append(
        {
            "name": "first",
            "type": "script",
            "plugin": f"{PLUGINS}.cmd",
            "callbacks": [
                {"event": "taskStarts", "commands": ["echo a"]},
                {"event": "taskSucceeds", "commands": ["echo z"]},
            ],
        }
    )
    minimal["taskRoles"]["worker"]["prerequisites"] = ["img", "first"]
    minimal["extras"] = {
        PLUGINS: [
            {
                "plugin": "cmd",
                "parameters": {"preCommands": ["echo b"], "postCommands": ["echo y"]},
            },
            {"plugin": "cmd", "parameters": {"preCommands": ["no"]}, "taskroles": ["other"]},
        ]
    }
    steps = _plan(minimal).steps
    assert [(step.name, step.when) for step in steps] == [
        ("plugin_pre0", "start"),
        ("plugin_pre1", "start"),
        ("main", "main"),
        ("plugin_post1", "success"),
        ("plugin_post0", "success"),
    ]
    assert [step.script.split("\n")[1] for step in steps if step.name != "main"] == [
        "echo a",
        "echo b",
        "echo y",
        "echo z",
    ]


@pytest.mark.process
@pytest.mark.parametrize(("policy", "code", "output"), [("fail", 1, ""), ("ignore", 0, "on\n")])
def test_plugin_failure_may_be_ignored(minimal, tmp_path, policy, code, output):
    """``ignore``: the rest runs and the step succeeds; otherwise the first failure ends it."""
    minimal["extras"] = {
        PLUGINS: [
            {
                "plugin": "cmd",
                "failurePolicy": policy,
                "parameters": {"preCommands": ["false", "echo on"]},
            }
        ]
    }
    step = _plan(minimal).steps[0]
    result = _run(step.script, tmp_path)
    assert (step.failure_policy, result.returncode, result.stdout) == (policy, code, output)


@pytest.mark.process
def test_git_plugin_clones_into_its_folder(minimal, tmp_path):
    """A repository with its hidden files, and again without harm."""
    repository = tmp_path / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", str(repository)], check=True, timeout=60)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True, timeout=60)
    parameters = {"repo_uri": str(repository), "clone_dir": "my code", "options": ["--quiet"]}
    minimal["extras"] = {PLUGINS: [{"plugin": "git", "parameters": parameters}]}
    step = _plan(minimal).steps[0]
    for _ in range(2):
        assert _run(step.script, tmp_path).returncode == 0
    assert (tmp_path / "my code" / ".git").is_dir()


@pytest.mark.process
def test_tensorboard_runs_in_first_task_only(minimal, tmp_path):
    """The first task of the first role starts it, with port and folders; others do not."""
    minimal["taskRoles"]["worker"]["instances"] = 2
    parameters = {"port": 6007, "logdir": {"run": "/logs/a b"}}
    minimal["extras"] = {PLUGINS: [{"plugin": "tensorboard", "parameters": parameters}]}
    step = _plan(minimal).steps[0]
    assert [other.name for other in _plan(minimal, index=1).steps] == ["main"]
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "tensorboard"
    program.write_text('#!/bin/bash\necho "$@" > arguments\n', encoding="utf-8")
    program.chmod(0o755)
    script = step.script + "wait\n"
    assert _run(script, tmp_path, PATH=f"{tmp_path}/bin:/usr/bin:/bin").returncode == 0
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").strip()
    assert arguments == "--logdir=/logs/a b --port=6007 --bind_all"


@pytest.mark.process
def test_missing_tensorboard_is_reported(minimal, tmp_path):
    """A machine without the program runs the job all the same."""
    parameters = {"port": 6007, "logdir": {"run": "/logs"}}
    minimal["extras"] = {PLUGINS: [{"plugin": "tensorboard", "parameters": parameters}]}
    result = _run(_plan(minimal).steps[0].script, tmp_path)
    assert (result.returncode, "not installed" in result.stdout) == (0, True)


@pytest.mark.process
@pytest.mark.parametrize("plugin", ["ssh", "teamwise_storage"])
def test_plugins_of_pai_containers_report_no_effect(minimal, tmp_path, plugin):
    """What only a PAI container can do is reported and does not fail the task."""
    minimal["extras"] = {PLUGINS: [{"plugin": plugin, "parameters": {"jobssh": True}}]}
    result = _run(_plan(minimal).steps[0].script, tmp_path)
    assert (result.returncode, "nothing to do" in result.stdout) == (0, True)


@pytest.mark.process
def test_unknown_plugin_fails(minimal, tmp_path):
    """A task whose plugin nobody knows does not start."""
    minimal["extras"] = {PLUGINS: [{"plugin": "nope"}]}
    result = _run(_plan(minimal).steps[0].script, tmp_path)
    assert (result.returncode, result.stderr) == (1, "Plugin nope is unknown.\n")


def test_plugin_parameters_are_rendered(minimal):
    """References to parameters, secrets and bound prerequisites, or a clear error."""
    minimal["parameters"] = {"greeting": "hi"}
    commands = ["echo <% $parameters.greeting %> <% $secrets.s %>"]
    minimal["extras"] = {PLUGINS: [{"plugin": "cmd", "parameters": {"preCommands": commands}}]}
    assert "echo hi S" in _plan(minimal, secrets={"s": "S"}).steps[0].script
    with pytest.raises(TemplateError, match="leads nowhere"):
        _plan(minimal)
