"""From the status of a command to what PAI reports: code, diagnostics, messages.

PAI's runtime compares status and log with the patterns of the exit specification, in its order,
and reports the first entry that fits, else 255 (runtime.md §7); the user's own status survives only
in the message.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Iterator, Mapping

from openpai.core.execution.exit_codes import exit_codes

__all__ = ["UNRECOGNISED", "diagnose", "platform_code", "runtime_message"]

UNRECOGNISED = 255

#: the runtime looks at so much of the end of the user's log
LOG_TAIL = 10 * 1024 * 1024


def platform_code(status: int, user_log: str, runtime_log: str) -> int:
    """Return the code that PAI reports for a status and the logs that go with it."""
    if status == 0:
        return 0
    for code, pattern in _patterns():
        wanted = pattern.get("exitCode")
        if wanted is not None and wanted != status:
            continue
        if "gpuInfo" in pattern:  # double-bit memory errors: nvidia-smi is not asked here
            continue
        if _found(pattern.get("userLogRegex"), user_log) and _found(
            pattern.get("platformLogRegex"), runtime_log
        ):
            return code
    return UNRECOGNISED


def _patterns() -> Iterator[tuple[int, Mapping[str, Any]]]:
    for code, entry in exit_codes().items():
        for pattern in (entry.get("pattern") or {}).get("runtimeContainerPatterns", ()):
            if pattern and code != UNRECOGNISED:  # what fits everything is the fallback
                yield code, pattern


def _found(expression: str | None, text: str) -> bool:
    return expression is None or _compiled(expression).search(text) is not None


@lru_cache(maxsize=None)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def runtime_message(code: int, status: int, user_log: str, runtime_log: str) -> dict[str, Any]:
    """Return what PAI's runtime writes about a failure: codes and the ends of both logs."""
    return {
        "exitCode": code,
        "originUserExitCode": status,
        "errorLogs": {
            "user": _last_lines(user_log, 15),
            "platform": _last_lines(runtime_log, 10),
        },
    }


def _last_lines(text: str, count: int) -> str:
    """Return the last lines, in at most the 2048 bytes that the runtime gives them."""
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
