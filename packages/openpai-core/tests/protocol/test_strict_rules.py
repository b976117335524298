"""Strict mode: what the server takes, or stumbles over, and no author can have meant."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from openpai.core.protocol.edits import parse_path, set_value
from openpai.core.protocol.job_yaml import dump_yaml
from openpai.core.protocol.rules import strict_rules
from openpai.core.protocol.validation import check_text, job_problems, validate_as_server

PLUGINS = "com.microsoft.pai.runtimeplugin"
WORKER = "/taskRoles/worker"

# rule, changes to the smallest job, JSON pointer of the problem, words of message or hint
CASES = [
    (
        "references",
        {f"{WORKER}/dockerImage": "imgg"},
        f"{WORKER}/dockerImage",
        "Did you mean 'img'?",
    ),
    ("references", {f"{WORKER}/data": "x"}, f"{WORKER}/data", "no prerequisite 'x' of type data"),
    (
        "references",
        {f"{WORKER}/prerequisites": ["x"]},
        f"{WORKER}/prerequisites/0",
        "There is: img",
    ),
    ("references", {"/defaults": {"deployment": "x"}}, "/defaults/deployment", "no deployment 'x'"),
    (
        "references",
        {"/prerequisites/1": {"name": "img", "type": "dockerimage", "uri": "x"}},
        "/prerequisites/1/name",
        "it is item 1 of 'prerequisites' too",
    ),
    ("references", {f"{WORKER}/dockerImage": "toString"}, f"{WORKER}/dockerImage", "There is no"),
    (
        "one name, two types",
        {"/prerequisites/1": {"name": "img", "type": "script"}},
        "/prerequisites/1/name",
        "as dockerimage and as script",
    ),
    (
        "deployment roles",
        {"/deployments": [{"name": "d", "taskRoles": {"wroker": {"preCommands": ["x"]}}}]},
        "/deployments/0/taskRoles/wroker",
        "Did you mean 'worker'?",
    ),
    (
        "misspelled keys",
        {"/defaults/virtualcluster": "x"},
        "/defaults/virtualcluster",
        "virtualCluster",
    ),
    (
        "misspelled keys",
        {f"{WORKER}/extraContainerOptions/shmMb": 1},
        f"{WORKER}/extraContainerOptions/shmMb",
        "shmMB",
    ),
    (
        "misspelled keys",
        {"/extras/gangallocation": False},
        "/extras/gangallocation",
        "gangAllocation",
    ),
    ("no task roles", {"/taskRoles": []}, "/taskRoles", "not a list"),
    ("no task roles", {"/taskRoles": 5}, "/taskRoles", "not the number 5"),
    ("role names", {"/taskRoles/ps_1": "worker"}, "/taskRoles/ps_1", "for instance 'ps1'"),
    ("role names", {f"/taskRoles/{'a' * 64}": "worker"}, f"/taskRoles/{'a' * 64}", "at most 63"),
    (
        "colliding roles",
        {"/taskRoles/WORKER": "worker"},
        "/taskRoles/WORKER",
        "have one name, 'worker'",
    ),
    ("instances", {f"{WORKER}/instances": None}, WORKER, "Write: instances: 1"),
    (
        "completion",
        {f"{WORKER}/completion/minSucceededInstances": "null"},
        f"{WORKER}/completion/minSucceededInstances",
        "Write -1 for never",
    ),
    (
        "completion",
        {f"{WORKER}/completion/minFailedInstances": 0},
        f"{WORKER}/completion/minFailedInstances",
        "means the default, 1",
    ),
    (
        "ports",
        {f"{WORKER}/resourcePerInstance/ports": {"ssh": 0}},
        f"{WORKER}/resourcePerInstance/ports/ssh",
        "always there once",
    ),
    (
        "ports",
        {f"{WORKER}/resourcePerInstance/ports": {"web": -1}},
        f"{WORKER}/resourcePerInstance/ports/web",
        "-1 ports",
    ),
    (
        "ports",
        {f"{WORKER}/resourcePerInstance/ports": [1]},
        f"{WORKER}/resourcePerInstance/ports",
        "not a list",
    ),
    (
        "amounts",
        {f"{WORKER}/resourcePerInstance/gpu": -1},
        f"{WORKER}/resourcePerInstance/gpu",
        "cannot have -1 of 'gpu'",
    ),
    (
        "amounts",
        {f"{WORKER}/extraContainerOptions/shmMB": -5},
        f"{WORKER}/extraContainerOptions/shmMB",
        "-5",
    ),
    ("task retries", {f"{WORKER}/taskRetryCount": 2}, f"{WORKER}/taskRetryCount", "gangAllocation"),
    ("images", {"/prerequisites/0/uri": "a@sha256:0"}, "/prerequisites/0/uri", "by digest"),
    (
        "images",
        {"/prerequisites/0/uri": "a/b:V1"},
        "/prerequisites/0/uri",
        "refuses the image name",
    ),
    ("images", {"/prerequisites/0/uri": ""}, "/prerequisites/0/uri", "has no name"),
    (
        "registries",
        {
            "/secrets/p": "x",
            "/prerequisites/0/auth": {"username": "u", "password": "<% $secrets.p %>"},
        },
        "/prerequisites/0/auth",
        "registryuri: https://index.docker.io/v1/",
    ),
    (
        "passwords",
        {"/prerequisites/0/auth": {"password": "hunter2"}},
        "/prerequisites/0/auth/password",
        "<% $secrets.NAME %>",
    ),
    ("broken tags", {f"{WORKER}/commands/0": "echo <% x"}, f"{WORKER}/commands/0", "Unclosed tag"),
    (
        "tags without a value",
        {"/parameters/lr": 1, f"{WORKER}/commands/0": "x <% $parameters.lrr %>"},
        f"{WORKER}/commands/0",
        "Did you mean 'lr'?",
    ),
    (
        "tags without a value",
        {f"{WORKER}/commands/0": "x <% $data.uri[0] %>"},
        f"{WORKER}/commands/0",
        "binds no data",
    ),
    (
        "tags without a value",
        {f"{WORKER}/commands/0": "x <% $secret.a %>"},
        f"{WORKER}/commands/0",
        "Did you mean '$secrets'?",
    ),
    (
        "tags without a value",
        {"/parameters/a": "null", f"{WORKER}/commands/0": "<% $parameters.a %>"},
        f"{WORKER}/commands/0",
        "it is null",
    ),
    (
        "values that are not strings",
        {"/parameters/a": {"b": 1}, f"{WORKER}/commands/0": "<% $parameters.a %>"},
        f"{WORKER}/commands/0",
        "[object Object]",
    ),
    (
        "dropped tags",
        {f"{WORKER}/commands/0": "a <%# b %>c<%/ b %>"},
        f"{WORKER}/commands/0",
        "drops",
    ),
    ("$$", {f"{WORKER}/commands/0": "echo $$"}, f"{WORKER}/commands/0", "${$}"),
    ("virtual cluster", {"/defaults/virtualCluster": 5}, "/defaults/virtualCluster", "number 5"),
    (
        "virtual cluster",
        {"/defaults/virtualCluster": ""},
        "/defaults/virtualCluster",
        "Remove the key",
    ),
    ("gang allocation", {"/extras/gangAllocation": "false"}, "/extras/gangAllocation", "quotes"),
    (
        "notifications",
        {"/extras/jobStatusChangeNotification": {"faild": True}},
        "/extras/jobStatusChangeNotification/faild",
        "Did you mean 'failed'?",
    ),
    (
        "notifications",
        {"/extras/jobStatusChangeNotification": {"failed": "yes"}},
        "/extras/jobStatusChangeNotification/failed",
        "true or false",
    ),
    ("storages", {"/extras/storages": "nfs"}, "/extras/storages", "must be a list"),
    (
        "storages",
        {"/extras/storages": [{"mountPath": "/x"}]},
        "/extras/storages/0",
        "needs a 'name'",
    ),
    (
        "storages",
        {"/extras/storages": [{"name": "a", "mountPath": "x"}]},
        "/extras/storages/0/mountPath",
        "begin with '/'",
    ),
    (
        "plugins",
        {f"/extras/{PLUGINS}": [{"plugin": "shh"}]},
        f"/extras/{PLUGINS}/0/plugin",
        "Did you mean 'ssh'?",
    ),
    ("plugins", {f"/extras/{PLUGINS}": {"plugin": "ssh"}}, f"/extras/{PLUGINS}", "must be a list"),
    (
        "plugins",
        {
            f"/extras/{PLUGINS}": [
                {"plugin": "cmd", "parameters": {"callbacks": [{"event": "taskFails"}]}}
            ]
        },
        f"/extras/{PLUGINS}/0/parameters/callbacks/0/event",
        "taskSucceeds",
    ),
    (
        "plugins",
        {f"/extras/{PLUGINS}": [{"plugin": "ssh", "taskroles": ["wrker"]}]},
        f"/extras/{PLUGINS}/0/taskroles/0",
        "Did you mean 'worker'?",
    ),
    (
        "plugins",
        {
            f"/extras/{PLUGINS}": [
                {"plugin": "cmd", "parameters": {"preCommands": ["<% $secrets.x %>"]}}
            ]
        },
        f"/extras/{PLUGINS}",
        "leads nowhere",
    ),
    (
        "hived",
        {"/extras/hivedScheduler": {"jobPriorityClass": "crit"}},
        "/extras/hivedScheduler/jobPriorityClass",
        "prod, test or oppo",
    ),
    (
        "hived",
        {"/extras/hivedScheduler": {"taskRoles": {"wrker": {"skuType": "x"}}}},
        "/extras/hivedScheduler/taskRoles/wrker",
        "Did you mean 'worker'?",
    ),
    (
        "runtime section",
        {"/extras/openpai.runtime": {"version": 9}},
        "/extras/openpai.runtime/version",
        "1",
    ),
]


def _changed(minimal, changes):
    document = copy.deepcopy(minimal)
    for path, value in changes.items():
        steps = parse_path(path)
        if value is None:
            del document["taskRoles"]["worker"][steps[-1]]
            continue
        worker = copy.deepcopy(document["taskRoles"]["worker"])
        set_value(document, steps, {"worker": worker, "null": None}.get(str(value), value))
    return document


@pytest.mark.parametrize(("rule", "changes", "path", "words"), CASES)
def test_rule_finds_its_mistake(minimal, rule, changes, path, words):
    """The problem has the value's pointer, and says what is wrong and what to do."""
    problems = job_problems(_changed(minimal, changes), None, strict=True)
    reported = {problem.path: f"{problem.message} {problem.hint}" for problem in problems}
    assert words in reported.get(path, f"nothing at {path}: {reported}")


def test_every_rule_has_an_example():
    """No rule is untested; secrets in a text and dates have tests of their own."""
    tested = {rule for rule, _, _, _ in CASES} | {"readable secrets", "same for PyYAML"}
    assert {rule.name for rule in strict_rules()} == tested


def test_minimal_job_is_valid(minimal):
    """Strict mode has nothing against an ordinary job."""
    assert validate_as_server(minimal).accepted
    assert job_problems(minimal, None, strict=True) == []


@pytest.mark.parametrize(
    "changes",
    [
        {f"{WORKER}/completion": {"minFailedInstances": 1, "minSucceededInstances": -1}},
        {f"{WORKER}/resourcePerInstance/ports": {"web": 1, "ssh": 2}},
        {"/extras/gangAllocation": False, f"{WORKER}/taskRetryCount": 2},
        {"/prerequisites/0/uri": "registry.example:5000/a/b:1.0-r_2"},
        {"/parameters/l": [1, 2], f"{WORKER}/commands/0": "echo <% $parameters.l %> $$$$ $((1))"},
        {"/extras/storages": []},
        {"/extras/hivedScheduler": {"jobPriorityClass": "oppo", "taskRoles": {"worker": {}}}},
        {"/extras/anything": {"else": 1}},
    ],
)
def test_working_jobs_have_no_problems(minimal, changes):
    """No false alarm."""
    assert job_problems(_changed(minimal, changes), None, strict=True) == []


@pytest.mark.parametrize(
    "text",
    ['"secrets":\n  a: b\n', "'secrets': {a: b}\n", "secrets :\n  a: b\n", "secrets: {\na: b}\n"],
)
def test_unmasked_secrets_are_reported(minimal, text):
    """In a text the way the key is written decides whether all users can read the secrets."""
    written = dump_yaml(minimal)
    (problem,) = check_text(written + text).errors
    assert (problem.path, problem.line) == ("/secrets", written.count("\n") + 1)
    assert "Every user" in problem.message
    assert check_text(written + "secrets:\n  a: b\n").valid
    assert check_text(written + text, strict=False).valid


def test_unquoted_dates_in_commands_are_reported(minimal):
    """A date would be written as JavaScript writes it."""
    text = dump_yaml(_changed(minimal, {f"{WORKER}/commands/0": "x <% $parameters.day %>"}))
    (problem,) = check_text(text + "parameters:\n  day: 2020-01-02\n").errors
    assert "Thu Jan 02 2020" in problem.message
    assert "'2020-01-02'" in problem.hint


def test_password_is_not_repeated_in_message(minimal):
    """A message about a wrong password does not show it."""
    document = _changed(minimal, {"/prerequisites/0/auth": {"password": 12345}})
    for problem in job_problems(document, None, strict=True):
        assert "12345" not in problem.message + problem.hint


def test_hived_rules_hold_on_every_cluster(hived):
    """What a cluster with HiveD accepts is not refused, whatever its machines are."""
    static = (".extras.hivedScheduler", "both skuType", "does not exist")
    checked = 0
    for entry in hived:
        problems = check_text(entry["yaml"]).errors
        about = [p for p in problems if p.path.startswith("/extras/hivedScheduler")]
        if entry["valid"]:
            assert about == [], entry["id"]
        elif any(words in entry["error"]["message"] for words in static):
            assert about, entry["id"]
            checked += 1
    assert checked >= 8


@pytest.mark.process
def test_strict_rules_keep_their_order():
    """Whichever module was imported first."""
    code = (
        "from openpai.core.protocol.rules import text, strict_rules\n"
        "print(*(rule.name for rule in strict_rules()), sep='\\n')"
    )
    shown = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert shown.splitlines() == [rule.name for rule in strict_rules()]
