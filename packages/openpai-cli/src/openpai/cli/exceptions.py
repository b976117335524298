"""Errors of the command line itself."""

from __future__ import annotations

from collections.abc import Iterable

import click

from openpai.core.errors import OpenPaiError

__all__ = [
    "ConnectionLost",
    "FollowInterrupted",
    "FollowTimeout",
    "UsageError",
]


class FollowTimeout(OpenPaiError):  # noqa: N818 - as WaitTimeout
    """A job has not ended within ``--timeout``; it is still running."""


class ConnectionLost(OpenPaiError):  # noqa: N818 - as ConnectionFailed
    """The cluster stopped answering while a job was followed; the job's state is unknown."""


class FollowInterrupted(KeyboardInterrupt):
    """Ctrl-C while a job was followed; the job is still running.

    Attributes:
        message: What is still running.
        hint: The next commands, one a line.
    """

    def __init__(self, message: str, next_commands: Iterable[str]) -> None:
        super().__init__(message)
        self.message = message
        self.hint = "\n".join(next_commands)


class UsageError(click.UsageError):
    """A wrong command line, with a hint.

    Attributes:
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint
