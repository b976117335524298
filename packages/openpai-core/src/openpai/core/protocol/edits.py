"""Set values of a job by a path: ``taskRoles.worker.instances=4`` and the older spellings.

Three ways to write a path: keys with dots and indices in brackets (``a.b[0].c``; a key with dots in
double quotes), the colons of the first ``opai`` (``a:b:0``), and JSON pointers (``/a/b/0``).
"""

from __future__ import annotations

import re
from typing import Any, List, Union

from openpai.core.errors import ProtocolError
from openpai.core.json_pointer import pointer_steps

__all__ = ["parse_path", "parse_update", "set_value"]

Steps = List[Union[str, int]]

_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([0-9]+)\]|([^.\[\]"]+)')
_INDEX = re.compile("0|[1-9][0-9]*")


def parse_update(text: str) -> tuple[Steps, Any]:
    """Read ``PATH=VALUE``: ``4`` is a number, ``"4"`` a string, ``[a, b]`` a list, as in YAML.

    A value that is not YAML is a string.

    Raises:
        ProtocolError: There is no ``=``, or the path is invalid.
    """
    from openpai.core.protocol.job_yaml import YamlError, load_yaml
    from openpai.core.protocol.js import UNDEFINED

    path, equals, written = text.partition("=")
    if not equals:
        raise ProtocolError(f"'{text}' sets nothing.", hint="Write PATH=VALUE.")
    try:
        value = load_yaml(written)
    except YamlError:
        value = written
    return parse_path(path), "" if value is UNDEFINED else value


def parse_path(path: str) -> Steps:
    """Return the keys and indices of a path.

    Raises:
        ProtocolError: The path is invalid.
    """
    path = path.strip()
    if path.startswith("/"):
        return [*pointer_steps(path)]
    if ":" in path and "." not in path and "[" not in path:
        return [*path.split(":")]
    steps: Steps = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if not match:
            raise _invalid_path(path, at)
        quoted, index, plain = match.groups()
        if index is not None:
            steps.append(int(index))
        else:
            steps.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain)
        at = match.end()
        if at < len(path) and path[at] == ".":
            at += 1
            if at == len(path):
                raise _invalid_path(path, at)
        elif at < len(path) and path[at] != "[":
            raise _invalid_path(path, at)
    if not steps:
        raise ProtocolError("An empty path leads nowhere.", hint="Write a.b[0].c.")
    return steps


def _invalid_path(path: str, at: int) -> ProtocolError:
    return ProtocolError(
        f"Invalid path '{path}': it cannot be read at character {at + 1}.",
        hint='Write a.b[0].c, a:b:0 or /a/b/0; a key with dots goes into double quotes: a."b.c".',
    )


def set_value(document: Any, steps: Steps, value: Any) -> None:
    """Set a value in place, and make the mappings and lists on the way.

    In a list a step is an index, the length of the list (or ``-``) to append.

    Raises:
        ProtocolError: The path does not fit what is there.
    """
    here = document
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        if isinstance(here, list):
            key: Any = _index(here, step, steps[: depth + 1])
            if key == len(here):
                here.append(None)
        elif isinstance(here, dict):
            key = str(step)
        else:
            raise ProtocolError(
                f"{_shown(steps[:depth])} is {_kind(here)}: it has no '{step}'.",
                hint="Set the whole value, or shorten the path.",
            )
        if last:
            here[key] = value
            return
        following = here[key] if isinstance(here, list) else here.get(key)
        if following is None:
            following = here[key] = [] if _makes_list(steps[depth + 1]) else {}
        here = following


def _makes_list(step: str | int) -> bool:
    """Whether a step into something that is not there yet makes a list."""
    return step in (0, "0", "-")


def _index(items: list[Any], step: str | int, path: Steps) -> int:
    if step == "-":
        return len(items)
    number = int(step) if isinstance(step, int) or _INDEX.fullmatch(step) else -1
    if 0 <= number <= len(items):
        return number
    raise ProtocolError(
        f"{_shown(path[:-1])} is a list of {len(items)}: '{step}' is none of its places.",
        hint=f"Use 0 to {len(items) - 1}, or {len(items)} to append." if items else "Use 0.",
    )


def _shown(path: Steps) -> str:
    return "/" + "/".join(map(str, path)) if path else "The job"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "a number"
