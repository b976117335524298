"""What is refused in a runtime section, and how it is said."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from openpai.core.json_pointer import json_pointer
from openpai.core.protocol import schema_findings
from openpai.core.protocol.runtime_checks import validate_runtime_section
from openpai.core.protocol.runtime_section import read_section, section_schema

SHA = "0" * 64
ROOT = "/extras/openpai.runtime"

BROKEN = [
    ([], "", "The section must be a mapping."),
    ({"version": 2}, "/version", "Invalid value 2."),
    ({"version": "1"}, "/version", "Invalid value '1'."),
    ({"workspace": "alice"}, "/workspace", "Invalid value 'alice'."),
    ({"workspace": None}, "/workspace", "Invalid value null."),
    ({"code": {"archive": "a"}}, "/code", "The key 'sha256' is missing."),
    ({"code": {"archive": "a", "sha256": "zz"}}, "/code/sha256", "Invalid value 'zz'."),
    ({"outputs": "ckpt"}, "/outputs", "Invalid value 'ckpt'."),
    ({"outputs": [{"path": "/tmp/x"}]}, "/outputs/0/path", "Invalid value '/tmp/x'."),
    ({"outputs": [{"path": "a/../b"}]}, "/outputs/0/path", "Invalid value 'a/../b'."),
    ({"outputs": [{"path": "a", "when": "never"}]}, "/outputs/0/when", "Invalid value 'never'."),
    ({"requirements": ["--index-url=x"]}, "/requirements/0", "Invalid value '--index-url=x'."),
    ({"mounts": [{"storage": "s", "path": "data"}]}, "/mounts/0/path", "Invalid value 'data'."),
    (
        {"callbacks": [{"on": "fail", "commands": ["a"]}]},
        "/callbacks/0/on",
        "Invalid value 'fail'.",
    ),
    ({"callbacks": [{"on": "exit", "commands": []}]}, "/callbacks/0/commands", "Invalid value []."),
    (
        {"callbacks": [{"on": "failure", "commands": ["a"], "exitCodes": [0]}]},
        "/callbacks/0/exitCodes/0",
        "Invalid value 0.",
    ),
    (
        {"callbacks": [{"on": "failure", "commands": ["a"], "exitCodes": [True]}]},
        "/callbacks/0/exitCodes/0",
        "Invalid value True.",
    ),
    (
        {"callbacks": [{"on": "failure", "commands": ["a"], "signals": ["TERM"]}]},
        "/callbacks/0/signals/0",
        "Invalid value 'TERM'.",
    ),
    ({"retry": {"again": {}}}, "/retry/again", "Invalid value {}."),
    ({"retry": {"limit": 0}}, "/retry/limit", "Invalid value 0."),
    ({"secrets": ["a"]}, "/secrets/0", "Invalid value 'a'."),
    (
        {"secrets": [{"name": "a", "variable": "b c"}]},
        "/secrets/0/variable",
        "Invalid value 'b c'.",
    ),
    (
        {"git": [{"repository": "--upload-pack=x", "commit": "main"}]},
        "/git/0/repository",
        "Invalid value '--upload-pack=x'.",
    ),
    ({"git": [{"repository": "x", "commit": "-x"}]}, "/git/0/commit", "Invalid value '-x'."),
    (
        {"mounts": [{"storage": "s", "path": "/s", "type": "ftp"}]},
        "/mounts/0/type",
        "Invalid value 'ftp'.",
    ),
    ({"ssh": "yes"}, "/ssh", "Invalid value 'yes'."),
    ({"tensorboard": {}}, "/tensorboard", "The key 'logdir' is missing."),
    ({"waitForPeers": True}, "/waitForPeers", "Invalid value True."),
    ({"timeout": 0}, "/timeout", "Invalid value 0."),
    ({"timeout": "soon"}, "/timeout", "Invalid value 'soon'."),
    ({"a/b~c": 1}, "/a~1b~0c", "Unknown key 'a/b~c'."),
    (
        {"callbacks": [{True: "exit", "commands": ["a"]}]},
        "/callbacks/0",
        "The key 'on' is missing.",
    ),
]

MEANINGLESS = [
    ({"callbacks": [{"on": "exit"}]}, "/callbacks/0", "A callback needs either"),
    (
        {"callbacks": [{"on": "exit", "commands": ["a"], "call": "b"}]},
        "/callbacks/0",
        "A callback needs either",
    ),
    ({"workspace": "n:/../x"}, "/workspace", "'/../x' leaves the storage."),
    ({"outputs": [{"path": "a"}]}, "/outputs", "Outputs need a workspace to be saved in."),
    ({"code": {"archive": "a", "sha256": SHA}}, "/code", "This code needs a workspace"),
    (
        {"workspace": "n:/a", "outputs": [{"path": "a", "taskRoles": ["ps"]}]},
        "/outputs/0/taskRoles/0",
        "There is no task role 'ps'.",
    ),
    (
        {"callbacks": [{"on": "exit", "commands": ["a"], "taskRoles": ["ps"]}]},
        "/callbacks/0/taskRoles/0",
        "There is no task role 'ps'.",
    ),
    ({"callbacks": [{"on": "interval", "commands": ["a"]}]}, "/callbacks/0", "A callback on inter"),
    (
        {"callbacks": [{"on": "exit", "commands": ["a"], "every": 5}]},
        "/callbacks/0/every",
        "'every' means nothing on exit.",
    ),
    (
        {"callbacks": [{"on": "exit", "commands": ["a"], "exitCodes": [1]}]},
        "/callbacks/0/exitCodes",
        "Exit codes mean nothing on exit.",
    ),
    (
        {"callbacks": [{"on": "exit", "commands": ["a"], "signals": ["SIGTERM"]}]},
        "/callbacks/0/signals",
        "Signals mean nothing on exit.",
    ),
    (
        {"callbacks": [{"on": "stop", "commands": ["a"], "logPatterns": ["x"]}]},
        "/callbacks/0/logPatterns",
        "The log means nothing on stop.",
    ),
    (
        {"callbacks": [{"on": "failure", "commands": ["a"], "logPatterns": ["x", "("]}]},
        "/callbacks/0/logPatterns/1",
        "'(' is not a regular expression: ",
    ),
    (
        {"retry": {"never": {"logPatterns": ["["]}}},
        "/retry/never/logPatterns/0",
        "'[' is not a regular expression: ",
    ),
    ({"ssh": True}, "/ssh", "Tasks need a workspace to exchange keys."),
    ({"secrets": [{"name": "b.c"}]}, "/secrets/0", "'b.c' cannot be a variable's name."),
    (
        {"mounts": [{"storage": "s", "path": "/s", "data": {"server": "x"}}]},
        "/mounts/0/data",
        "'data' needs the key 'type'.",
    ),
    (
        {"mounts": [{"storage": "s", "path": "/s", "type": "nfs", "data": {"path": "/x"}}]},
        "/mounts/0",
        "A storage of type nfs needs 'server'.",
    ),
    (
        {"mounts": [{"storage": "s", "path": "/s", "type": "nfs", "data": {"host": "x"}}]},
        "/mounts/0/data",
        "'host' is not a key of nfs.",
    ),
    (
        {"mounts": [{"storage": "s", "path": "/s", "type": "nfs", "data": {"server": 1}}]},
        "/mounts/0/data",
        "'server' must be a text.",
    ),
]

RIGHT = [
    {},
    {"version": 1, "workspace": "n:/"},
    {"workspace": "n:/a", "outputs": [{"path": "a..b/*.pt", "every": "10m"}, {"path": "."}]},
    {"code": {"archive": "n:/x.tar.gz", "sha256": SHA}},
    {"callbacks": [{"on": "interval", "commands": ["a"], "every": 0.5}]},
    {"callbacks": [{"on": "stop", "commands": ["a"], "signals": ["SIGTERM"]}]},
    {"secrets": [{"name": "a"}, {"name": "b.c", "variable": "C"}]},
    {
        "mounts": [
            {"storage": "s", "path": "/s", "type": "samba", "data": {"address": "//h/s"}},
            {"storage": "t", "path": "/t", "type": "nfs", "secrets": {"server": "a"}},
        ]
    },
]

SAYABLE = [
    case[0] for case in BROKEN + MEANINGLESS if "True:" not in str(case[0])
]  # JSON has text keys only


def job(section: object) -> dict:
    """A job config with this section and one task role."""
    return {"taskRoles": {"worker": {}}, "extras": {"openpai.runtime": section}}


@pytest.mark.parametrize(("section", "path", "message"), BROKEN + MEANINGLESS)
def test_first_problem_has_path_and_message(section: object, path: str, message: str) -> None:
    """Each fault is one sentence at a JSON pointer, with a hint."""
    problem = validate_runtime_section(job(section))[0]
    assert problem.path == ROOT + path
    assert problem.message.startswith(message)
    assert problem.hint


@pytest.mark.parametrize("section", RIGHT)
def test_valid_section_has_no_problems(section: object) -> None:
    """Nothing is said where nothing is wrong."""
    assert validate_runtime_section(job(section)) == []


@pytest.mark.parametrize("section", [*SAYABLE, *RIGHT])
def test_reader_agrees_with_schema(section: object) -> None:
    """The reader, which needs no jsonschema, accepts exactly what the published schema accepts."""
    valid = Draft7Validator(section_schema()).is_valid(section)
    assert valid is (not read_section(section)[1])


@pytest.mark.parametrize(("section", "path"), [case[:2] for case in BROKEN])
def test_validation_finds_what_reader_finds(section: object, path: str) -> None:
    """Validation puts the same faults at the same places."""
    findings = schema_findings(section, section_schema(), ("extras", "openpai.runtime"))
    assert ROOT + path in [json_pointer(finding.path) for finding in findings]
    assert all(finding.hint for finding in findings)


def test_key_on_parsed_as_true_is_explained() -> None:
    """YAML 1.1 turns the key on into true; the hint says to quote it."""
    section = {"callbacks": [{True: "exit", "commands": ["a"]}]}
    hints = [finding.hint for finding in schema_findings(section, section_schema(), ("x",))]
    assert any("YAML 1.1" in hint for hint in hints)


def test_schema_describes_every_key() -> None:
    """The schema is sound, and every property says what it is for."""
    schema = section_schema()
    Draft7Validator.check_schema(schema)
    pending = [schema]
    while pending:
        part = pending.pop()
        for name, child in part.get("properties", {}).items():
            assert child.get("description") or "items" in child, name
            pending += [child, child.get("items", {})]


def test_schema_returns_a_copy() -> None:
    """Changing what one caller got changes nothing for the next."""
    section_schema()["properties"].clear()
    assert section_schema()["properties"]


def test_missing_secrets_are_reported() -> None:
    """A stored job hides its secrets, so nothing is said of them there."""
    document = job({"secrets": [{"name": "b.c", "variable": "C"}]})
    assert validate_runtime_section({**document, "secrets": {"b": {"c": 1}}}) == []
    assert validate_runtime_section({**document, "secrets": "******"}) == []
    (problem,) = validate_runtime_section({**document, "secrets": {"b": 1}})
    assert problem.path == f"{ROOT}/secrets/0/name"
    assert problem.hint == "Secrets of this job: b."
