"""Differences between two jobs, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from typing import Any, Callable, Iterator, Mapping

from openpai.core.json_pointer import json_pointer
from openpai.core.protocol.js import UNDEFINED
from openpai.core.protocol.secrets import MASK
from openpai.core.protocol.source import same

__all__ = ["Change", "changes"]


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        path: The JSON pointer of the value; in a list, where it was before, or where it is added.
        before: The value in the first job; ``UNDEFINED`` where it has none.
        after: The value in the second job; ``UNDEFINED`` where it has none.
    """

    path: str
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is UNDEFINED:
            return "added"
        return "removed" if self.after is UNDEFINED else "changed"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        values = {"before": self.before, "after": self.after}
        known = {key: value for key, value in values.items() if value is not UNDEFINED}
        return {"path": self.path, "kind": self.kind, **known}


def changes(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Change]:
    """Return the differences between two jobs, in the order of the first.

    Entries of a list are compared by name where they have one, and the order of keys does not
    count. The values of secrets are not shown.
    """
    return list(_compared((), dict(one), dict(other)))


def _compared(path: tuple[Any, ...], one: Any, other: Any) -> Iterator[Change]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _compared((*path, key), one.get(key, UNDEFINED), other.get(key, UNDEFINED))
    elif isinstance(one, list) and isinstance(other, list):
        yield from _lists(path, one, other)
    elif one is UNDEFINED or other is UNDEFINED or not same(one, other):
        yield Change(json_pointer(path), _shown(path, one), _shown(path, other))


def _shown(path: tuple[Any, ...], value: Any) -> Any:
    return MASK if path[:1] == ("secrets",) and value is not UNDEFINED else value


def _lists(path: tuple[Any, ...], one: list[Any], other: list[Any]) -> Iterator[Change]:
    name = _namer(one, other)
    matcher = SequenceMatcher(None, list(map(name, one)), list(map(name, other)), autojunk=False)
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        pairs = max(stop - start, other_stop - other_start)
        if kind == "equal":
            for step in range(pairs):
                yield from _compared(
                    (*path, start + step), one[start + step], other[other_start + step]
                )
            continue
        for step in range(pairs):
            before = one[start + step] if start + step < stop else UNDEFINED
            after = other[other_start + step] if other_start + step < other_stop else UNDEFINED
            index = start + step if before is not UNDEFINED else other_start + step
            yield Change(json_pointer((*path, index)), before, after)


def _namer(one: list[Any], other: list[Any]) -> Callable[[Any], str]:
    """Return what identifies an entry: its name (and type) where all entries have one."""
    for keys in (("type", "name"), ("name",), ("plugin",)):
        if all(isinstance(item, dict) and all(key in item for key in keys) for item in one + other):
            return partial(_identity, keys)
    return repr


def _identity(keys: tuple[str, ...], item: Mapping[str, Any]) -> str:
    return repr([item[key] for key in keys])
