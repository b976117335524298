"""Read the job config and the valid part of its runtime section."""

from __future__ import annotations

import os

from openpai.runtime.log import log, message_of

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Any, Mapping

    from openpai.core.errors import Problem
    from openpai.core.protocol import RuntimeSection

__all__ = ["PLATFORM_CONFIG", "config_path", "read_job", "valid_section"]

PLATFORM_CONFIG = "/usr/local/pai/runtime.d/job_config.yaml"
"""Where PAI's init container leaves the job config (openpai-runtime src/init.d/initializer.py)."""

_KEY = "openpai.runtime"  # core's SECTION_KEY, here so that jobs without a section import nothing


def config_path(environ: Mapping[str, str]) -> str | None:
    """Return the file with the job's config: ``OPENPAI_JOB_CONFIG``, else the platform's own.

    The variable comes first because a local cluster may itself run inside a PAI container.
    """
    named = environ.get("OPENPAI_JOB_CONFIG")
    if named:
        return named
    return PLATFORM_CONFIG if os.path.exists(PLATFORM_CONFIG) else None  # noqa: PTH110 - start-up


def read_job(path: str | None) -> Mapping[str, Any] | None:
    """Return the job config, or ``None`` if it is missing or has no runtime section.

    An unreadable config is logged and ignored: the command may still run.
    """
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - start-up
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        log(f"The job config cannot be read: {message_of(error)}")
        return None
    if _KEY not in text:
        return None
    document = _from_json(text) or _from_yaml(text, path)
    return document if isinstance(document, dict) else None


def _from_json(text: str) -> Any:
    """Read JSON, which `opai` submits: ten times as fast as YAML."""
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
        log(f"The job config {path} is not YAML: {message_of(error)}")
        return None


def valid_section(document: Mapping[str, Any], *, quiet: bool = False) -> RuntimeSection | None:
    """Return the section without its invalid parts; log each problem unless ``quiet``.

    Raises:
        OpenPaiError: A part that the command depends on is invalid.
    """
    from openpai.core.protocol import RuntimeSection, raw_section, validate_runtime_section

    data = raw_section(document)
    while data is not None:
        problems = validate_runtime_section({**document, "extras": {_KEY: data}})
        if not problems:
            return RuntimeSection.from_dict(data)
        for problem in problems if not quiet else ():
            log(f"{problem.path}: {problem.message} {problem.hint}".rstrip())
        data = _drop_invalid(data, problems)
    return None


def _drop_invalid(data: Any, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the section without the keys, or entries of lists, that have problems."""
    from openpai.core.json_pointer import pointer_steps
    from openpai.core.protocol import NEEDED

    places = {tuple(problem.path.split("/")[3:5]) for problem in problems}
    if not isinstance(data, dict) or () in places:
        return None
    broken = sorted({place[0] for place in places}.intersection(NEEDED))
    if broken:
        from openpai.core.errors import OpenPaiError

        raise OpenPaiError(
            f"The runtime section of this job is broken in '{broken[0]}', which the command needs.",
            "Correct the job and submit it again.",
        )
    valid = dict(data)
    for place in sorted(places, key=lambda place: (place[0], _index(place)), reverse=True):
        (key,) = pointer_steps(f"/{place[0]}")
        if isinstance(valid.get(key), list) and _index(place) >= 0:
            valid[key] = [*valid[key][: _index(place)], *valid[key][_index(place) + 1 :]]
        else:
            valid.pop(key, None)
    return valid


def _index(place: tuple[str, ...]) -> int:
    return int(place[1]) if len(place) > 1 and place[1].isdigit() else -1
