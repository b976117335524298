"""Errors of the command line itself."""

from __future__ import annotations

from collections.abc import Iterable

import click

from openpai.core.errors import OpenPaiError

__all__ = [
    "Left",
    "LostSightError",
    "UsageProblem",
    "WaitOverError",
]


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


class UsageProblem(click.UsageError):
    """A wrong command line, and what to write instead.

    Attributes:
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint
