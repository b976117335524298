"""How following a job may end before the job does, each with an exit code of its own."""

from __future__ import annotations

from collections.abc import Iterable

from openpai.core.errors import OpenPaiError

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_LOST",
    "EXIT_TIMEOUT",
    "Left",
    "LostSightError",
    "WaitOverError",
]

EXIT_TIMEOUT = 124
EXIT_LOST = 125
EXIT_INTERRUPTED = 130


class WaitOverError(OpenPaiError):
    """The time to wait is over; what was waited for goes on."""


class LostSightError(OpenPaiError):
    """The cluster does not tell any more how it is."""


class Left(KeyboardInterrupt):
    """The user pressed Ctrl-C; what was followed goes on.

    Attributes:
        message: What goes on.
        hint: The next commands, one a line.
    """

    def __init__(self, message: str, ways: Iterable[str]) -> None:
        super().__init__(message)
        self.message = message
        self.hint = "\n".join(ways)
