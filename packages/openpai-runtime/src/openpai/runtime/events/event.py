"""What happens to a task, and which of a job's callbacks wait for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Protocol, Sequence

from openpai.core.protocol import SIGNALS, Callback
from openpai.runtime.log import PREFIX

__all__ = ["Conditions", "Event", "meets", "waiting_for"]


@dataclass(frozen=True)
class Event:
    """Something that happened to the task.

    Attributes:
        name: One of :data:`openpai.core.protocol.runtime_schema.EVENTS`.
        role: The task's role.
        index: The task's index in it.
        attempt: How often the task was started before.
        exit_code: The command's exit code; ``None`` before it has ended.
        signal: The number of the signal that asked the task to end, if one did.
        outputs_saved: For ``exit``: whether all outputs are saved; ``None`` if there is no
            workspace to save them in.
        error: For ``failure`` of a Python function: what it raised.
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
        """Return what a callback's environment gets; what is not known is not set."""
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
    """What a failure has to be like, in a callback or a rule of its own."""

    @property
    def exit_codes(self) -> Sequence[int]:
        """The exit codes that it is for; empty means all."""

    @property
    def signals(self) -> Sequence[str]:
        """The names of the signals that it is for; empty means all and none."""

    @property
    def log_patterns(self) -> Sequence[str]:
        """Regular expressions, one of which is in the end of the log; empty means any log."""


def meets(event: Event, conditions: Conditions) -> bool:
    """Whether each of the conditions that are given holds for an event."""
    return (
        (not conditions.exit_codes or event.exit_code in conditions.exit_codes)
        and (not conditions.signals or _signal(event) in map(SIGNALS.get, conditions.signals))
        and (not conditions.log_patterns or _is_logged(conditions.log_patterns, event.log))
    )


def waiting_for(callbacks: Sequence[Callback], event: Event) -> list[Callback]:
    """Return the callbacks that wait for an event, in the order in which they are written."""
    return [
        callback
        for callback in callbacks
        if callback.on == event.name
        and (not callback.task_roles or event.role in callback.task_roles)
        and meets(event, callback)
    ]


def _signal(event: Event) -> int | None:
    """Return the signal that the event is about: what ended the command, or asked it to end."""
    return event.signal if event.name == "stop" else (event.exit_code or 0) - 128


def _is_logged(patterns: Sequence[str], log: str) -> bool:
    lines = [line for line in log.splitlines() if not line.startswith(PREFIX)]
    return any(re.search(pattern, line) for pattern in patterns for line in lines)
