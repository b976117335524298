"""Translate exceptions to error reports and exit codes.

Commands catch only what they can handle; everything else ends here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openpai.cli.exceptions import ConnectionLost, FollowInterrupted, FollowTimeout, UsageError
from openpai.cli.framework.follow import EXIT_INTERRUPTED, EXIT_LOST, EXIT_TIMEOUT
from openpai.cli.ui import escape_control
from openpai.core import errors

__all__ = ["ErrorReport", "report_for"]

#: (class of exception, exit code), the first match; docs/cli.md lists the codes.
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (FollowTimeout, EXIT_TIMEOUT),
    (ConnectionLost, EXIT_LOST),
    (FollowInterrupted, EXIT_INTERRUPTED),
    (KeyboardInterrupt, EXIT_INTERRUPTED),
    (click.Abort, EXIT_INTERRUPTED),
    (click.UsageError, 2),
    (errors.ProtocolError, 2),
    (errors.ConfigError, 2),
    (errors.AuthenticationError, 3),
    (errors.PermissionDeniedError, 3),
    (errors.StorageLoginError, 3),
    (errors.NotFoundError, 4),
    (errors.ConflictError, 5),
    (errors.ConnectionFailed, 6),
    (errors.WaitTimeout, 6),
    (click.ClickException, 1),
    (errors.OpenPaiError, 1),
    (PermissionError, 3),
    (FileNotFoundError, 4),
    (FileExistsError, 5),
    (TimeoutError, 6),
    (Exception, 1),
)

Paint = Callable[[str, str], str]


@dataclass(frozen=True)
class ErrorReport:
    """An error of a command, for people and machines.

    Attributes:
        kind: The class of the error.
        message: One sentence: what is wrong, and where.
        hint: What to do about it, or an empty text.
        exit_code: The exit code of ``opai``.
        details: Lines that belong to the message, such as the problems of a job file.
        facts: More fields for machines: status and code of the server's answer, problems.
    """

    kind: str
    message: str
    hint: str
    exit_code: int
    details: tuple[str, ...]
    facts: dict[str, Any]

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yield the lines for people."""
        if self.exit_code == EXIT_INTERRUPTED:  # not an error
            yield f"\nopai: {self.message}"
            yield from filter(None, self.hint.split("\n"))
            return
        yield f"opai: {paint('error:', 'red')} {escape_control(self.message)}"
        for detail in self.details:
            yield f"  {detail}"
        for line in filter(None, self.hint.split("\n")):
            yield f"{paint('hint:', 'cyan')} {line}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object for machines."""
        return {
            "type": self.kind,
            "message": self.message,
            "hint": self.hint or None,
            "exitCode": self.exit_code,
            **self.facts,
        }


def report_for(error: BaseException) -> ErrorReport:
    """Return the report of an exception."""
    code = next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    message, hint = _message(error)
    problems = [_problem(problem) for problem in getattr(error, "problems", ())]
    repeated = any(p["message"] in message or (p["hint"] and p["hint"] == hint) for p in problems)
    return ErrorReport(
        kind=type(error).__name__,
        message=message,
        hint=hint,
        exit_code=code,
        details=() if repeated else tuple(map(_problem_line, problems)),
        facts=_facts(error, problems),
    )


def _message(error: BaseException) -> tuple[str, str]:
    if isinstance(error, (errors.OpenPaiError, FollowInterrupted)):
        return error.message, error.hint or _job_hint(error)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "interrupted", ""
    if isinstance(error, click.ClickException):
        return error.format_message(), _usage_hint(error)
    if isinstance(error, OSError) and error.strerror:
        return _file_sentence(error), ""
    return (
        f"Unexpected error: {type(error).__name__}: {error}",
        "Run it again as 'opai --debug …' and report the output.",
    )


def _job_hint(error: BaseException) -> str:
    return "See: opai job list" if isinstance(error, errors.JobNotFoundError) else ""


def _usage_hint(error: click.ClickException) -> str:
    if isinstance(error, UsageError):
        return error.hint
    if isinstance(error, click.UsageError) and error.ctx:
        return f"See: {error.ctx.command_path} --help"
    return ""


def _file_sentence(error: OSError) -> str:
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' → '.join(names)}: {error.strerror}." if names else f"{error.strerror}."


def _facts(error: BaseException, problems: list[dict[str, Any]]) -> dict[str, Any]:
    facts: dict[str, Any] = {"problems": problems} if problems else {}
    if isinstance(error, errors.ApiError):
        facts.update(status=error.status, code=error.code or None, request=error.request or None)
    return facts


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("path", "line", "column", "message", "hint")}


def _problem_line(problem: dict[str, Any]) -> str:
    place = ":".join(str(n) for n in (problem["line"], problem["column"]) if n is not None)
    where = " ".join(filter(None, [place and f"line {place}", problem["path"]]))
    text = f"{where}: {problem['message']}" if where else str(problem["message"])
    return f"{text} {problem['hint']}" if problem["hint"] else text
