"""Runs inside a job container: fetches code, passes signals on, saves outputs.

The public names are imported when they are first used, because every task waits for this module.
"""

from __future__ import annotations

from importlib import import_module

from openpai.runtime.__about__ import __version__

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Any

    from openpai.runtime.api import Runtime
    from openpai.runtime.events.event import Event

__all__ = ["Event", "Runtime", "__version__"]

_HOMES = {"Event": "openpai.runtime.events.event", "Runtime": "openpai.runtime.api"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
