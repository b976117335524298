"""How js-yaml puts keys into a mapping: texts only, merge keys, no key twice."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Tuple

from openpai.core.protocol import js

__all__ = ["PairError", "Places", "key_text", "merge"]

Places = Dict[int, Tuple[Any, Dict[Any, Tuple[int, int, int]]]]
"""By ``id`` of a collection: itself, and by key or index where (key, value, end of value) stand."""


class PairError(Exception):
    """A key or a merge that js-yaml refuses; the message is its reason."""


def key_text(key: Any) -> str:
    """Return the text that a node becomes as a key."""
    if type(key) is str:
        return key
    if isinstance(key, list) and any(isinstance(item, list) for item in key):
        raise PairError("nested arrays are not supported inside keys")
    return js.text(key)


def merge(target: dict[str, Any], source: Any, overridable: set[str]) -> None:
    """Add the pairs of ``<<: source`` that the mapping lacks; later pairs may override them."""
    for one in source if isinstance(source, list) else [source]:
        for key, value in _items(one):
            if key not in target:
                target[key] = value
                overridable.add(key)


def _items(source: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(source, dict):
        return [(key, source[key]) for key in js.keys(source)]
    if isinstance(source, (list, bytes)):
        return [(str(index), item) for index, item in enumerate(source)]
    if isinstance(source, js.Timestamp):
        return []
    raise PairError("cannot merge mappings; the provided source object is unacceptable")
