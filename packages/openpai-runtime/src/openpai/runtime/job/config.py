"""Find the job's config and read the runtime's section of it, as far as it can be read."""

from __future__ import annotations

import os

from openpai.runtime.log import reason, say

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Any, Mapping

    from openpai.core.errors import Problem
    from openpai.core.protocol import RuntimeSection

__all__ = ["PLATFORM_CONFIG", "config_path", "read_job", "usable_section"]

PLATFORM_CONFIG = "/usr/local/pai/runtime.d/job_config.yaml"
"""Where PAI's init container leaves the job config (openpai-runtime src/init.d/initializer.py)."""

_KEY = "openpai.runtime"  # core's SECTION_KEY, here so that a job without one costs no import


def config_path(environ: Mapping[str, str]) -> str | None:
    """Return the file with the job's config: ``OPENPAI_JOB_CONFIG``, else the platform's own.

    The variable comes first because a local cluster may itself run inside a PAI container.
    """
    named = environ.get("OPENPAI_JOB_CONFIG")
    if named:
        return named
    return PLATFORM_CONFIG if os.path.exists(PLATFORM_CONFIG) else None  # noqa: PTH110 - start-up


def read_job(path: str | None) -> Mapping[str, Any] | None:
    """Return the job config, or ``None`` if there is none that could have a runtime section.

    A config that cannot be read is said and counts as none: the command may still run.
    """
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - start-up
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        say(f"The job config cannot be read: {reason(error)}")
        return None
    if _KEY not in text:
        return None
    document = _from_json(text) or _from_yaml(text, path)
    return document if isinstance(document, dict) else None


def _from_json(text: str) -> Any:
    """Read a config that is JSON, as those that `opai` submits are: ten times as fast as YAML."""
    if not text.startswith("{"):
        return None
    import json

    try:
        return json.loads(text)
    except ValueError:
        return None


def _from_yaml(text: str, path: str) -> Any:
    from openpai.core.protocol import YamlError, load_yaml

    try:
        return load_yaml(text)
    except YamlError as error:
        say(f"The job config {path} is not YAML: {reason(error)}")
        return None


def usable_section(document: Mapping[str, Any], *, quiet: bool = False) -> RuntimeSection | None:
    """Return the section without what is wrong in it; each fault is said unless ``quiet``.

    Raises:
        OpenPaiError: What is wrong is something that the command cannot do without.
    """
    from openpai.core.protocol import RuntimeSection, raw_section, validate_runtime_section

    data = raw_section(document)
    while data is not None:
        problems = validate_runtime_section({**document, "extras": {_KEY: data}})
        if not problems:
            return RuntimeSection.from_dict(data)
        for problem in problems if not quiet else ():
            say(f"{problem.path}: {problem.message}")
        data = _without(data, problems)
    return None


def _without(data: Any, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the section without the keys, or the entries of lists, that have problems."""
    from openpai.core.json_pointer import pointer_steps
    from openpai.core.protocol import NEEDED

    places = {tuple(problem.path.split("/")[3:5]) for problem in problems}
    if not isinstance(data, dict) or () in places:
        return None
    lost = sorted({place[0] for place in places}.intersection(NEEDED))
    if lost:
        from openpai.core.errors import OpenPaiError

        raise OpenPaiError(
            f"The runtime section of this job is broken in '{lost[0]}', which the command needs.",
            "Correct the job and submit it again.",
        )
    kept = dict(data)
    for place in sorted(places, key=lambda place: (place[0], _index(place)), reverse=True):
        (key,) = pointer_steps(f"/{place[0]}")
        if isinstance(kept.get(key), list) and _index(place) >= 0:
            kept[key] = [*kept[key][: _index(place)], *kept[key][_index(place) + 1 :]]
        else:
            kept.pop(key, None)
    return kept


def _index(place: tuple[str, ...]) -> int:
    return int(place[1]) if len(place) > 1 and place[1].isdigit() else -1
