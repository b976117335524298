"""Events of a task, and which callbacks are run for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Protocol, Sequence

from openpai.core.protocol import SIGNALS, Callback
from openpai.runtime.log import PREFIX

__all__ = ["Conditions", "Event", "callbacks_for", "matches"]


@dataclass(frozen=True)
class Event:
    """An event of the task.

    Attributes:
        name: One of :data:`openpai.core.protocol.EVENTS`.
        role: The task's role.
        index: The task's index in it.
        attempt: Number of earlier starts of the task.
        exit_code: The command's exit code; ``None`` before it has ended.
        signal: Number of the signal that asked the task to stop, if any.
        outputs_saved: For ``exit``: whether all outputs are saved; ``None`` if there is no
            workspace to save them in.
        error: For ``failure`` of a Python function: its exception.
        log: For ``failure``: the end of the task's log, where it can be read; else empty.
    """

    name: str
    role: str = ""
    index: int = 0
    attempt: int = 0
    exit_code: int | None = None
    signal: int | None = None
    outputs_saved: bool | None = None
    error: BaseException | None = None
    log: str = field(default="", repr=False)

    def variables(self) -> Mapping[str, str]:
        """Return the variables for a callback; unknown values are not set."""
        saved = None if self.outputs_saved is None else str(self.outputs_saved).lower()
        values = {
            "OPENPAI_EVENT": self.name,
            "OPENPAI_ATTEMPT": self.attempt,
            "OPENPAI_EXIT_CODE": self.exit_code,
            "OPENPAI_SIGNAL": self.signal,
            "OPENPAI_OUTPUTS_SAVED": saved,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


class Conditions(Protocol):
    """Conditions on a failure, in a callback or a retry rule."""

    @property
    def exit_codes(self) -> Sequence[int]:
        """Exit codes; empty means all."""

    @property
    def signals(self) -> Sequence[str]:
        """Names of signals; empty means any or none."""

    @property
    def log_patterns(self) -> Sequence[str]:
        """Regular expressions, one of which matches the end of the log; empty means any log."""


def matches(event: Event, conditions: Conditions) -> bool:
    """Whether an event meets all given conditions."""
    return (
        (not conditions.exit_codes or event.exit_code in conditions.exit_codes)
        and (not conditions.signals or _signal(event) in map(SIGNALS.get, conditions.signals))
        and (not conditions.log_patterns or _is_logged(conditions.log_patterns, event.log))
    )


def callbacks_for(callbacks: Sequence[Callback], event: Event) -> list[Callback]:
    """Return the callbacks for an event, in the order of the job's section."""
    return [
        callback
        for callback in callbacks
        if callback.on == event.name
        and (not callback.task_roles or event.role in callback.task_roles)
        and matches(event, callback)
    ]


def _signal(event: Event) -> int | None:
    """Return the signal that killed the command or asked it to stop."""
    return event.signal if event.name == "stop" else (event.exit_code or 0) - 128


def _is_logged(patterns: Sequence[str], log: str) -> bool:
    lines = [line for line in log.splitlines() if not line.startswith(PREFIX)]
    return any(re.search(pattern, line) for pattern in patterns for line in lines)
