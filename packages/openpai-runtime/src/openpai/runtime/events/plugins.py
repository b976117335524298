"""Functions that installed packages offer to jobs: the entry-point group ``openpai.runtime``.

Such a function takes an :class:`~openpai.runtime.events.event.Event`. It runs in a child process of
the runtime, so what it does to that process ends with it; an exception is its failure.
"""

from __future__ import annotations

from openpai.core.entry_points import entry_points
from openpai.runtime.events.event import Event
from openpai.runtime.log import log

__all__ = ["GROUP", "call_function"]

GROUP = "openpai.runtime"
"""The group of entry points."""


def call_function(name: str, event: Event) -> int:
    """Call a function by the name under which it is offered; return 0, or 1 if that failed."""
    offered = entry_points(GROUP)
    if name not in offered:
        known = ", ".join(sorted(offered)) or "none"
        log(f"No installed package offers the function '{name}' (offered: {known}).")
        return 1
    try:
        offered[name].load()(event)
    except Exception as error:  # somebody else's function may raise anything
        log(f"The function '{name}' failed: {type(error).__name__}: {error}")
        return 1
    return 0
