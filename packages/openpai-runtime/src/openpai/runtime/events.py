"""What happens to a task, and which of a job's callbacks wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from openpai.core.protocol.runtime_section import Callback

__all__ = ["Event", "waiting_for"]


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
    """

    name: str
    role: str = ""
    index: int = 0
    attempt: int = 0
    exit_code: int | None = None
    signal: int | None = None
    outputs_saved: bool | None = None
    error: BaseException | None = None

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


def waiting_for(callbacks: Sequence[Callback], event: Event) -> list[Callback]:
    """Return the callbacks that wait for an event, in the order in which they are written."""
    return [
        callback
        for callback in callbacks
        if callback.on == event.name
        and (not callback.task_roles or event.role in callback.task_roles)
        and (not callback.exit_codes or event.exit_code in callback.exit_codes)
    ]
