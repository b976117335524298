"""Where the bootstrap goes in a job config."""

from __future__ import annotations

import copy
import re

import pytest

from openpai.core.protocol.bootstrap import (
    CARRIED,
    add_bootstrap,
    bootstrap_text,
    carried_places,
    without_bootstrap,
)


def job(**changes: object) -> dict:
    """A job with a runtime section and two task roles."""
    return {
        "taskRoles": {"worker": {"commands": ["echo w"]}, "ps": {"commands": ["echo p"]}},
        "extras": {"openpai.runtime": {"version": 1}, "kept": [1]},
        **changes,
    }


def with_deployment(**changes: object) -> dict:
    """The same with an active deployment that has pre-commands for the worker only."""
    roles = {"worker": {"preCommands": ["cd /data"], "postCommands": ["sync"]}}
    return job(
        deployments=[{"name": "here", "taskRoles": roles}, {"name": "other", "taskRoles": roles}],
        defaults={"deployment": "here"},
        **changes,
    )


def test_every_role_starts_with_bootstrap() -> None:
    """The bootstrap is the first command of each role; the others follow unchanged."""
    roles = add_bootstrap(job())["taskRoles"]
    assert roles["worker"]["commands"] == [bootstrap_text(False), "echo w"]
    assert roles["ps"]["commands"] == [bootstrap_text(False), "echo p"]


def test_bootstrap_precedes_deployment_pre_commands() -> None:
    """Where the active deployment runs something before the commands, the bootstrap goes there."""
    result = add_bootstrap(with_deployment())
    active, other = result["deployments"]
    assert active["taskRoles"]["worker"]["preCommands"] == [bootstrap_text(False), "cd /data"]
    assert other["taskRoles"]["worker"]["preCommands"] == ["cd /data"]
    assert result["taskRoles"]["worker"]["commands"] == ["echo w"]
    assert result["taskRoles"]["ps"]["commands"][0] == bootstrap_text(False)


@pytest.mark.parametrize("document", [job(), with_deployment()])
def test_add_bootstrap_does_not_change_input(document: dict) -> None:
    """Adding the bootstrap returns a copy."""
    before = copy.deepcopy(document)
    add_bootstrap(document)
    assert document == before


@pytest.mark.parametrize("document", [job(), with_deployment()])
def test_add_bootstrap_is_idempotent(document: dict) -> None:
    """A second call changes nothing."""
    once = add_bootstrap(document)
    assert add_bootstrap(once) == once


def test_bootstrap_follows_active_deployment() -> None:
    """After the deployment is switched off the bootstrap moves to the commands."""
    moved = add_bootstrap({**add_bootstrap(with_deployment()), "defaults": {}})
    assert moved["deployments"][0]["taskRoles"]["worker"]["preCommands"] == ["cd /data"]
    assert moved["taskRoles"]["worker"]["commands"] == [bootstrap_text(False), "echo w"]


def test_older_bootstrap_is_replaced() -> None:
    """A bootstrap is known by its first and last line, whatever lies between."""
    old = "# --- openpai-runtime bootstrap 0: x\nold\n# --- end of openpai-runtime bootstrap"
    document = job(taskRoles={"worker": {"commands": [old, "echo w"]}})
    assert add_bootstrap(document) == add_bootstrap(without_bootstrap(document))
    assert add_bootstrap(document)["taskRoles"]["worker"]["commands"][1:] == ["echo w"]


def test_bootstrap_split_into_lines_is_recognized() -> None:
    """An editor that makes a command of each line does not lead to a second bootstrap."""
    lines = [line.strip() for line in bootstrap_text(True).splitlines()]
    document = job(taskRoles={"worker": {"commands": [*lines, "echo w"]}})
    assert add_bootstrap(document)["taskRoles"]["worker"]["commands"] == [
        bootstrap_text(False),
        "echo w",
    ]


def test_job_without_section_gets_no_bootstrap() -> None:
    """Taking the section away takes the bootstrap away."""
    assert add_bootstrap({**add_bootstrap(job()), "extras": {}}) == job(extras={})


def test_without_bootstrap_reverts_add_bootstrap() -> None:
    """The job is again what it was."""
    assert without_bootstrap(add_bootstrap(with_deployment())) == with_deployment()


def test_shared_command_lists_are_not_extended_twice() -> None:
    """Roles that share one list in YAML (an alias) get one bootstrap each."""
    shared = ["echo"]
    document = job(taskRoles={"a": {"commands": shared}, "b": {"commands": shared}})
    for role in add_bootstrap(document)["taskRoles"].values():
        assert role["commands"] == [bootstrap_text(False), "echo"]


@pytest.mark.parametrize("key", ["code", "requirements", "mounts"])
def test_bootstrap_knows_if_runtime_is_needed(key: str) -> None:
    """A section that brings something makes the runtime indispensable."""
    document = job(extras={"openpai.runtime": {key: ["x"]}})
    assert add_bootstrap(document)["taskRoles"]["ps"]["commands"][0] == bootstrap_text(True)


def test_invalid_documents_pass_through() -> None:
    """Validation reports them."""
    for document in ({}, job(taskRoles=None), job(taskRoles={"a": None, "b": {"commands": "x"}})):
        assert add_bootstrap(document) == document


def test_server_transformations_keep_bootstrap_text() -> None:
    """No template tag, no FC placeholder, nothing that Kubernetes would expand; it is trimmed."""
    text = bootstrap_text(True)
    assert not re.search(r"<%|%>|\{\{", text)
    assert "$$" not in text
    assert not re.search(r"\$\([A-Za-z_.-][A-Za-z0-9_.-]*\)", text)
    assert text == text.strip()
    assert "openpai-runtime run --" in text


def test_bootstrap_text_is_independent_of_indentation() -> None:
    """Clients that trim every line do not break it."""
    assert "<<" not in bootstrap_text(True)
    assert not any(
        line.endswith("'") and line.count("'") % 2 for line in bootstrap_text(True).splitlines()
    )


def test_carried_runtime_places_follow_workspace() -> None:
    """Where PAI mounts its storage; a path that a shell would read otherwise is left out."""
    section = {"openpai.runtime": {"workspace": "team:/users/al ice"}}
    mounted = {"storages": [{"name": "team", "mountPath": "/data"}, {"name": "other"}]}
    assert carried_places({"extras": {**section, **mounted}}) == [
        f"/data/users/al ice/{CARRIED}",
        f"/mnt/team/users/al ice/{CARRIED}",
    ]
    for path in ("/a'; echo b", "/$(x)", "/a\nb", "/<% x %>", "/{{x}}"):
        assert carried_places({"extras": {"openpai.runtime": {"workspace": f"team:{path}"}}}) == []
    assert carried_places({"extras": {"openpai.runtime": {}}}) == []
