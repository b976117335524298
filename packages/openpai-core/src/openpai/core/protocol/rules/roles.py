"""Task roles: names, numbers, resources."""

from __future__ import annotations

import re
from typing import Any, Iterator

from openpai.core.protocol.messages import Finding, kind_of
from openpai.core.protocol.names import convert_name
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.protocol.schema import shared_schema
from openpai.core.suggestions import nearest_words

__all__ = ["no_roles"]

_ROLE_NAME = re.compile(r"[a-z0-9]{1,63}")
_AMOUNTS = {
    "resourcePerInstance": ("cpu", "memoryMB", "gpu"),
    "extraContainerOptions": ("shmMB",),
}


@rule(
    "no task roles",
    "`taskRoles` that is a list, a number or a text",
    "a list and a number are accepted and make a job without tasks; a text gives 500",
)
def no_roles(case: JobView) -> Iterator[Finding]:
    """Find task roles that are not mappings."""
    value = case.document.get("taskRoles", {})
    if not isinstance(value, dict):
        message = f"'taskRoles' must be a mapping of task roles by name, not {kind_of(value)}."
        yield Finding(("taskRoles",), message, "Write the name of each role in front of it.")


@rule(
    "role names",
    "a task role's name outside `[a-z0-9]{1,63}`",
    "accepted; PAI folds the name and then looks for the folded one: plugins and URLs fail",
)
def _role_names(case: JobView) -> Iterator[Finding]:
    for name in case.mapping("taskRoles"):
        if not _ROLE_NAME.fullmatch(name):
            folded = convert_name(name)[:63]
            example = f", for instance '{folded}'" if folded else ""
            hint = f"Use lower-case letters and digits, at most 63{example}."
            message = f"PAI's runtime cannot work with a task role called '{name}'."
            yield Finding(("taskRoles", name), message, hint, at_key=True)


@rule(
    "colliding roles",
    "task roles whose names are the same once folded to `[a-z0-9]`",
    "accepted; then two roles have one name, and the job cannot be created",
)
def _collisions(case: JobView) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in case.mapping("taskRoles"):
        folded = convert_name(name)
        if folded in seen:
            both = f"'{seen[folded]}' and '{name}'"
            message = f"To PAI the task roles {both} have one name, '{folded}'."
            yield Finding(("taskRoles", name), message, "Rename one of them.", at_key=True)
        seen.setdefault(folded, name)


@rule(
    "instances",
    "a task role without `instances`",
    "500: the server's GPU total becomes NaN, and the job is not created",
)
def _instances(case: JobView) -> Iterator[Finding]:
    schema = shared_schema()["properties"]["taskRoles"]["patternProperties"]
    (known,) = (part["properties"] for part in schema.values())
    for name, role in case.roles():
        # A key that the schema refuses may be this one, misspelled.
        others = [key for key in role if key not in known]
        if "instances" not in role and not nearest_words("instances", others):
            message = f"'instances' is missing in task role '{name}'; without it the server fails."
            yield Finding(("taskRoles", name), message, "Write: instances: 1", at_key=True)


@rule(
    "completion",
    "null or 0 in `completion`",
    "accepted; it means the default (1 failed, all succeeded), not never",
)
def _completion(case: JobView) -> Iterator[Finding]:
    for name, role in case.roles():
        completion = role.get("completion")
        for key, value in completion.items() if isinstance(completion, dict) else ():
            if value is None or (value == 0 and not isinstance(value, bool)):
                default = "1" if key == "minFailedInstances" else "all instances"
                message = f"To the server {kind_of(value)} in '{key}' means the default, {default}."
                hint = "Write -1 for never, or remove the key for the default."
                yield Finding(("taskRoles", name, "completion", key), message, hint)


@rule(
    "ports",
    "`ports` that is not a mapping, a count below 0, or 0 for `ssh` and `http`",
    "accepted; PAI's runtime or its REST API fails when it computes the ports",
)
def _ports(case: JobView) -> Iterator[Finding]:
    for name, role in case.roles():
        resources = role.get("resourcePerInstance")
        ports = resources.get("ports") if isinstance(resources, dict) else None
        path = ("taskRoles", name, "resourcePerInstance", "ports")
        if ports is not None and not isinstance(ports, dict):
            message = f"'ports' must be a mapping of labels to counts, not {kind_of(ports)}."
            yield Finding(path, message, "Write: ports: {web: 1}")
        for label, count in ports.items() if isinstance(ports, dict) else ():
            if _number(count) < (label in ("ssh", "http")):
                message = f"A task cannot have {count:g} ports called '{label}'."
                hint = "Remove the line: 'ssh' and 'http' are always there once."
                yield Finding((*path, label), message, hint if label in ("ssh", "http") else "")


@rule(
    "amounts",
    "a negative amount of CPU, memory, GPUs or shared memory",
    "accepted; Kubernetes refuses the task: -200",
)
def _amounts(case: JobView) -> Iterator[Finding]:
    for name, role in case.roles():
        for part, keys in _AMOUNTS.items():
            wanted = role.get(part)
            for key in keys:
                value = wanted.get(key) if isinstance(wanted, dict) else None
                if _number(value) < 0 or _number(value) >= 2**53:
                    message = f"A task cannot have {value:g} of '{key}'."
                    yield Finding(("taskRoles", name, part, key), message, "Write 0 or more.")


@rule(
    "task retries",
    "`taskRetryCount` above 0 while all tasks start together",
    "accepted; the count is ignored",
)
def _task_retries(case: JobView) -> Iterator[Finding]:
    if case.mapping("extras").get("gangAllocation") is False:
        return
    for name, role in case.roles():
        count = role.get("taskRetryCount")
        if _number(count) > 0:
            message = "'taskRetryCount' has no effect while all tasks of the job start together."
            hint = "Set extras.gangAllocation to false, or use jobRetryCount."
            yield Finding(("taskRoles", name, "taskRetryCount"), message, hint)


def _number(value: Any) -> float:
    """Return a number, or NaN for anything else, which no comparison holds for."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")
