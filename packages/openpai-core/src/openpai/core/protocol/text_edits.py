"""Change one value in the text of a job, and leave every other character as it is."""

from __future__ import annotations

from typing import Any

from openpai.core.errors import ProtocolError
from openpai.core.protocol.edits import Steps, begins_list, set_value
from openpai.core.protocol.source import Source, same, unshared
from openpai.core.protocol.yaml_writer import entry, inline

__all__ = ["edited"]


def edited(source: Source, steps: Steps, value: Any) -> Source | None:
    """Return the source with one value set; ``None`` if its text cannot be changed so.

    The new text is read again: it is used only if it says exactly what was meant.
    """
    wanted = unshared(source.tree)
    set_value(wanted, list(steps), value)
    text = _new_text(source, steps, value)
    if text is None:
        return None
    try:
        new = Source(text, source.file)
    except ProtocolError:
        return None
    return new if same(new.tree, wanted) else None


def _new_text(source: Source, steps: Steps, value: Any) -> str | None:
    holder: Any = source.tree
    for depth, step in enumerate(steps):
        places = source.places.get(id(holder), (None, {}))[1]
        key = int(step) if isinstance(holder, list) and str(step).isdigit() else step
        if key not in places:
            if places:
                return _inserted(source.text, places, step, _wrapped(value, steps[depth + 1 :]))
            return None
        if depth == len(steps) - 1:
            return _replaced(source.text, places[key], isinstance(holder, list), value)
        holder = holder[key]
    return None


def _wrapped(value: Any, steps: Steps) -> Any:
    """Return the value inside the mappings and lists that must be made for it."""
    for step in reversed(steps):
        value = [value] if begins_list(step) else {str(step): value}
    return value


def _indent(text: str, at: int) -> str:
    return " " * (at - text.rfind("\n", 0, at) - 1)


def _replaced(text: str, place: tuple[int, int, int], in_list: bool, value: Any) -> str:
    key_at, start, end = place
    begin = len(text[:start].rstrip(" \n"))
    new = entry("-" if in_list else ":", value, _indent(text, key_at))
    return text[:begin] + new[1:] + text[end:]


def _inserted(
    text: str, places: dict[Any, tuple[int, int, int]], step: str | int, value: Any
) -> str | None:
    """Return the text with a new last entry in a collection that has some."""
    first, last = next(iter(places.values())), max(places.values(), key=lambda place: place[2])
    in_list = 0 in places
    indent = _indent(text, first[0])
    before = text[: first[0]].rstrip()[-1:]
    if before in ("{", "["):
        lead = "" if in_list else f"{inline(str(step))}: "
        return f"{text[: last[2]]}, {lead}{inline(value)}{text[last[2] :]}"
    line_end = text.find("\n", last[2])
    line_end = len(text) if line_end < 0 else line_end
    lead = "-" if in_list else f"{inline(str(step))}:"
    return f"{text[:line_end]}\n{indent}{entry(lead, value, indent)}{text[line_end:]}"
