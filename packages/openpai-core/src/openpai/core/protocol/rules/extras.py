"""``extras`` and ``defaults``: what the server passes on without a look."""

from __future__ import annotations

from typing import Any, Iterator

from openpai.core.json_pointer import pointer_steps
from openpai.core.protocol.messages import Finding, kind_of, schema_findings
from openpai.core.protocol.plugins import PLUGINS_KEY, role_plugins
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.protocol.templates import TemplateError, fill_parameters
from openpai.core.suggestions import did_you_mean

_PLUGINS = ("cmd", "git", "ssh", "tensorboard", "teamwise_storage")
_NOTIFICATIONS = ("running", "succeeded", "stopped", "failed", "retried")
_PRIORITIES = ("prod", "test", "oppo")


@rule(
    "virtual cluster",
    "a `virtualCluster` that is not a string, or an empty one",
    "403: there is no such virtual cluster",
)
def _virtual_cluster(case: JobView) -> Iterator[Finding]:
    name = case.mapping("defaults").get("virtualCluster")
    if name is not None and not (isinstance(name, str) and name):
        message = f"'virtualCluster' must be the name of a virtual cluster, not {kind_of(name)}."
        hint = "Remove the key for the default one."
        yield Finding(("defaults", "virtualCluster"), message, hint)


@rule(
    "gang allocation",
    "`gangAllocation` that is neither true nor false",
    "accepted; only the truth value false has an effect",
)
def _gang(case: JobView) -> Iterator[Finding]:
    value = case.mapping("extras").get("gangAllocation")
    if value is not None and not isinstance(value, bool):
        message = f"'gangAllocation' must be true or false, not {kind_of(value)}."
        hint = "Remove the quotes." if isinstance(value, str) else ""
        yield Finding(("extras", "gangAllocation"), message, hint)


@rule(
    "notifications",
    "`jobStatusChangeNotification` with anything but true and false",
    "500: the database refuses the job",
)
def _notifications(case: JobView) -> Iterator[Finding]:
    value = case.mapping("extras").get("jobStatusChangeNotification")
    path = ("extras", "jobStatusChangeNotification")
    if value is not None and not isinstance(value, dict):
        yield Finding(path, f"'{path[1]}' must be a mapping, not {kind_of(value)}.")
    for key, wanted in value.items() if isinstance(value, dict) else ():
        if key not in _NOTIFICATIONS:
            hint = did_you_mean(key, _NOTIFICATIONS) or f"Known are: {', '.join(_NOTIFICATIONS)}."
            yield Finding(
                (*path, key), f"'{key}' is not a state to be notified of.", hint, at_key=True
            )
        elif not isinstance(wanted, bool):
            yield Finding((*path, key), f"'{key}' must be true or false, not {kind_of(wanted)}.")


@rule(
    "storages",
    "`storages` that is not a list of mappings with a `name`",
    "accepted or 500; an entry without a name is not mounted",
)
def _storages(case: JobView) -> Iterator[Finding]:
    value = case.mapping("extras").get("storages")
    if value is not None and not isinstance(value, list):
        yield Finding(("extras", "storages"), f"'storages' must be a list, not {kind_of(value)}.")
    for index, item in enumerate(value if isinstance(value, list) else ()):
        path = ("extras", "storages", index)
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            yield Finding(path, "A storage needs a 'name'.", "Write: - name: NAME")
        elif not str(item.get("mountPath", "/")).startswith("/"):
            yield Finding((*path, "mountPath"), "'mountPath' must begin with '/'.")


@rule(
    "plugins",
    "plugins that PAI's runtime does not have, or with parameters that it cannot read",
    "accepted; the task dies before it starts",
)
def _plugins(case: JobView) -> Iterator[Finding]:
    listed = case.mapping("extras").get(PLUGINS_KEY)
    if listed is not None and not isinstance(listed, list):
        yield Finding(("extras", PLUGINS_KEY), f"'{PLUGINS_KEY}' must be a list of plugins.")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        path = ("extras", PLUGINS_KEY, index)
        if not isinstance(item, dict):
            yield Finding(path, f"A plugin must be a mapping, not {kind_of(item)}.")
            continue
        yield from _plugin(path, item.get("plugin"), item.get("parameters"))
        yield from _plugin_roles(case, path, item)
    for index, item in case.items("prerequisites"):
        name = item.get("plugin")
        if isinstance(name, str) and name.startswith(PLUGINS_KEY + "."):
            yield from _plugin(("prerequisites", index), name[len(PLUGINS_KEY) + 1 :], item)
    yield from _parameters(case)


def _plugin(path: tuple[Any, ...], name: Any, parameters: Any) -> Iterator[Finding]:
    if name not in _PLUGINS:
        hint = did_you_mean(str(name), _PLUGINS) or f"Known are: {', '.join(_PLUGINS)}."
        yield Finding((*path, "plugin"), f"PAI's runtime has no plugin {kind_of(name)}.", hint)
    elif name == "cmd" and isinstance(parameters, dict) and "callbacks" in parameters:
        within = () if path[0] == "prerequisites" else ("parameters",)
        yield from _callbacks((*path, *within, "callbacks"), parameters)
    elif name == "git" and not (isinstance(parameters, dict) and parameters.get("repo_uri")):
        yield Finding(path, "The git plugin needs 'repo_uri'.", "Name the repository.")


def _callbacks(path: tuple[Any, ...], parameters: dict[str, Any]) -> Iterator[Finding]:
    if "preCommands" in parameters or "postCommands" in parameters:
        message = "The cmd plugin takes 'callbacks' or 'preCommands' and 'postCommands', not both."
        yield Finding(path, message, "Use one of the two.")
    callbacks = parameters["callbacks"]
    for index, item in enumerate(callbacks if isinstance(callbacks, list) else ()):
        event = item.get("event") if isinstance(item, dict) else None
        if event not in ("taskStarts", "taskSucceeds"):
            hint = did_you_mean(str(event), ("taskStarts", "taskSucceeds"))
            message = f"PAI's runtime knows taskStarts and taskSucceeds, not {kind_of(event)}."
            yield Finding((*path, index, "event"), message, hint)


def _plugin_roles(case: JobView, path: tuple[Any, ...], item: dict[str, Any]) -> Iterator[Finding]:
    roles = item.get("taskroles", [])
    known = list(case.mapping("taskRoles"))
    for index, name in enumerate(roles if isinstance(roles, list) else ()):
        if name not in known:
            hint = did_you_mean(str(name), known)
            yield Finding((*path, "taskroles", index), f"There is no task role '{name}'.", hint)


def _parameters(case: JobView) -> Iterator[Finding]:
    """Try to fill in the parameters of every plugin, as the runtime will."""
    secrets = case.document.get("secrets")
    seen = set()
    for role, _ in case.roles():
        try:
            plugins = role_plugins(case.document, role)
        except (AttributeError, KeyError, TypeError):
            continue  # what is wrong with these prerequisites has been said
        for plugin in plugins:
            try:
                fill_parameters(plugin.parameters, case.document, role, secrets)
            except (AttributeError, KeyError, TypeError):
                continue
            except TemplateError as error:
                if str(error) not in seen:
                    seen.add(str(error))
                    yield Finding(("extras", PLUGINS_KEY), f"A parameter of a plugin: {error}.")


@rule(
    "hived",
    "`hivedScheduler` that a cluster with HiveD refuses whatever machines it has",
    "400 with HiveD; without, accepted and ignored",
)
def _hived(case: JobView) -> Iterator[Finding]:
    hived = case.mapping("extras").get("hivedScheduler")
    path = ("extras", "hivedScheduler")
    if hived is not None and not isinstance(hived, dict):
        yield Finding(path, f"'hivedScheduler' must be a mapping, not {kind_of(hived)}.")
    if not isinstance(hived, dict):
        return
    priority = hived.get("jobPriorityClass", "test")
    if priority not in _PRIORITIES:
        hint = did_you_mean(str(priority), _PRIORITIES)
        message = f"'jobPriorityClass' must be prod, test or oppo, not {kind_of(priority)}."
        yield Finding((*path, "jobPriorityClass"), message, hint)
    roles = hived.get("taskRoles")
    if roles is not None and (not isinstance(roles, dict) or not roles):
        message = "'taskRoles' of 'hivedScheduler' must be a mapping with at least one task role."
        yield Finding((*path, "taskRoles"), message, "Remove the key.")
    for name, role in roles.items() if isinstance(roles, dict) else ():
        yield from _hived_role(case, (*path, "taskRoles", name), name, role)


def _hived_role(case: JobView, path: tuple[Any, ...], name: str, role: Any) -> Iterator[Finding]:
    known = list(case.mapping("taskRoles"))
    if name not in known:
        hint = did_you_mean(name, known)
        yield Finding(path, f"There is no task role '{name}'.", hint, at_key=True)
    if not isinstance(role, dict):
        yield Finding(path, f"It must be a mapping, not {kind_of(role)}.")
        return
    for key in ("skuType", "pinnedCellId", "affinityGroupName"):
        if not isinstance(role.get(key), (str, type(None))):
            yield Finding((*path, key), f"'{key}' must be a string, not {kind_of(role[key])}.")
    if role.get("skuType") and role.get("pinnedCellId"):
        yield Finding(path, "'skuType' and 'pinnedCellId' exclude each other.", "Remove one.")


@rule(
    "runtime section",
    'an `extras["openpai.runtime"]` that openpai-runtime cannot use',
    "accepted; the task fails when its runtime reads the section",
)
def _runtime_section(case: JobView) -> Iterator[Finding]:
    from openpai.core.protocol.runtime_checks import validate_runtime_section
    from openpai.core.protocol.runtime_section import SECTION_KEY, raw_section, section_schema

    section = raw_section(case.document)
    if section is None:
        return
    findings = schema_findings(section, section_schema(), ("extras", SECTION_KEY))
    yield from findings
    problems = [] if findings else validate_runtime_section(case.document, complete=False)
    for problem in problems:
        path = _typed(case.document, pointer_steps(problem.path))
        yield Finding(path, problem.message, problem.hint)


def _typed(document: Any, steps: list[str]) -> tuple[Any, ...]:
    """Return the path of a pointer, indices as numbers."""
    path: list[Any] = []
    for step in steps:
        is_list = isinstance(document, list)
        key: Any = int(step) if is_list and step.isdigit() else step
        path.append(key)
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            document = None
    return tuple(path)
