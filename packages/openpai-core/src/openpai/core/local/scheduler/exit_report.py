"""Map the end of a task to PAI's exit code, diagnostics and messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.execution import ATTEMPT_OVER, exit_code_table

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.local.executor.launcher import Exit, Lost

__all__ = [
    "DELETED",
    "NODE_LOST",
    "PREEMPTED",
    "UNRECOGNISED",
    "Report",
    "diagnose",
    "exit_report",
    "lost_report",
    "platform_code",
    "runtime_message",
]


UNRECOGNISED = 255


#: Bytes at the end of the user's log in which the runtime looks for patterns.
LOG_TAIL = 10 * 1024 * 1024


def platform_code(status: int, user_log: str, runtime_log: str) -> int:
    """Return the code that PAI reports for a status and the logs that go with it."""
    if status == 0:
        return 0
    for code, pattern in _patterns():
        wanted = pattern.get("exitCode")
        if wanted is not None and wanted != status:
            continue
        if "gpuInfo" in pattern:  # double-bit memory errors, which only nvidia-smi reports
            continue
        if _found(pattern.get("userLogRegex"), user_log) and _found(
            pattern.get("platformLogRegex"), runtime_log
        ):
            return code
    return UNRECOGNISED


def _patterns() -> Iterator[tuple[int, Mapping[str, Any]]]:
    for code, entry in exit_code_table().items():
        for pattern in (entry.get("pattern") or {}).get("runtimeContainerPatterns", ()):
            if pattern and code != UNRECOGNISED:  # the fallback, which matches everything
                yield code, pattern


def _found(expression: str | None, text: str) -> bool:
    return expression is None or _compiled(expression).search(text) is not None


@lru_cache(maxsize=None)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def runtime_message(code: int, status: int, user_log: str, runtime_log: str) -> dict[str, Any]:
    """Return the message of PAI's runtime about a failure: codes and the ends of both logs."""
    return {
        "exitCode": code,
        "originUserExitCode": status,
        "errorLogs": {
            "user": _last_lines(user_log, 15),
            "platform": _last_lines(runtime_log, 10),
        },
    }


def _last_lines(text: str, count: int) -> str:
    """Return the last lines, at most 2048 bytes as in the runtime."""
    lines = text.splitlines(keepends=True)[-count:]
    return "".join(lines).encode()[-2048:].decode("utf-8", "replace")


def diagnose(code: int, message: Mapping[str, Any] | None, reason: str = "Error") -> str:
    """Return FrameworkController's diagnostics of an ended pod."""
    if code == 0:
        return "Pod succeeded"
    lines = [
        "Pod failed: PodPattern unmatched:",
        "containers:",
        "  - name: app",
        f"    reason: {reason}",
    ]
    if message is not None:
        lines += ["    message: |", "      [PAI_RUNTIME_ERROR_START]"]
        lines += [f"      exitCode: {message['exitCode']}"]
        lines += [f"      originUserExitCode: {message['originUserExitCode']}", "      errorLogs:"]
        for name, text in message["errorLogs"].items():
            lines.append(f"        {name}: |")
            lines += [f"          {line}" for line in text.splitlines()]
        lines.append("      [PAI_RUNTIME_ERROR_END]")
    return "\n".join([*lines, f"    code: {code}", ""])


@dataclass(frozen=True)
class Report:
    """End of a task attempt, in PAI's terms.

    Attributes:
        code: PAI's code.
        user_code: Exit status of the user's command; ``None`` if it did not run.
        diagnostics: FrameworkController's diagnostics.
        reason: One word for events.
        message: The message of PAI's runtime about a failure.
    """

    code: int
    user_code: int | None
    diagnostics: str
    reason: str
    message: Mapping[str, Any] | None = None


_OVER = Report(
    ATTEMPT_OVER, None, "Stop to complete current FrameworkAttempt", "FrameworkAttemptCompletion"
)


#: Steps of a container engine before the task's own.
_BEFORE = ("image", "creation")
_NOT_STARTED = {126: -1202, 127: -1203}
#: Exceeded limit → PAI's code and reason; PAI has no code for processes.
_EXCEEDED = {"memory": (-1200, "OOMKilled"), "processes": (UNRECOGNISED, "TooManyProcesses")}

NODE_LOST = Report(-1001, None, "The machine was restarted while the task ran.", "NodeLost")
PREEMPTED = Report(-1003, None, "The task had to give way to a more important one.", "Preempting")
DELETED = Report(-101, None, "The task's processes were ended from outside.", "PodExternalDeleted")


def exit_report(end: Exit, folder: Path, *, decided: bool) -> Report:
    """Return the report of a task that ended by itself or was stopped.

    Args:
        end: The exit record.
        folder: The task's folder, with its logs.
        decided: Whether the attempt's outcome was decided before.
    """
    if end.stopped and decided:
        return _OVER
    if end.step in _BEFORE and not (end.exceeded or decided):
        return _before_report(end, folder)
    user_log = _tail(folder / "logs" / "user-all", LOG_TAIL)
    runtime_log = _tail(folder / "logs" / "runtime.log", LOG_TAIL)
    code = platform_code(end.status, user_log, runtime_log)
    message = runtime_message(code, end.status, user_log, runtime_log) if code else None
    reason = "Completed" if code == 0 else "Error"
    if end.exceeded:
        code, reason = _EXCEEDED[end.exceeded]
    return Report(code, end.status, diagnose(code, message, reason), reason, message)


def _before_report(end: Exit, folder: Path) -> Report:
    """Return the report of a container that never ran the user's commands."""
    code, reason = 254, "ImageNotFound"
    if end.step == "creation":
        code, reason = _NOT_STARTED.get(end.status, -1201), "ContainerCannotRun"
    elif end.status == 125:  # the engine does not answer
        code, reason = -1201, "ContainerCannotRun"
    message = runtime_message(
        code, end.status, "", _tail(folder / "logs" / "runtime.log", LOG_TAIL)
    )
    return Report(code, end.status, diagnose(code, message, reason), reason, message)


def lost_report(lost: Lost | None, *, decided: bool) -> Report:
    """Return the report of a task whose supervisor was killed, or that never started."""
    if lost is None or decided:
        return _OVER
    return NODE_LOST if lost.reboot else DELETED


def _tail(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
