"""Say why a command failed, as far as it can be known from here.

The evidence: the exit code, what the kernel counted, full disks, and the end of the log where the
platform keeps it in the container. The command's output itself is not intercepted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.client import failure_lines
from openpai.core.processes import signal_name
from openpai.runtime.diagnosis.patterns import Match, match_log
from openpai.runtime.log import mask

__all__ = ["Evidence", "as_text", "log_tail"]

_TAIL = 64 * 1024
_SETTLE = 0.5
_ARRIVAL = 5.0


class Evidence:
    """What speaks for one cause or another.

    Args:
        code: The command's exit code.
        seconds: How long it ran.
        oom_kills: How many processes of this container the kernel killed for want of memory
            while it ran.
        folders: Folders whose disks may be full.
        gpu_faults: What the GPUs count of their own faults, in sentences.
    """

    def __init__(
        self,
        code: int,
        seconds: float,
        oom_kills: int,
        folders: Sequence[Path],
        gpu_faults: Sequence[str] = (),
    ) -> None:
        self.code = code
        self.seconds = seconds
        self.oom_kills = oom_kills
        self.full = [str(folder) for folder in folders if _is_full(folder)]
        self.gpu_faults = list(gpu_faults)
        self.match: Match | None = None

    def read(self, log: str) -> None:
        """Look for what the end of the log means."""
        self.match = match_log(log)

    def record(self) -> Mapping[str, Any]:
        """Return it for the manifest."""
        match = self.match
        return {
            "exitCode": self.code,
            "signal": signal_name(self.code - 128) or None,
            "seconds": round(self.seconds, 1),
            "oomKills": self.oom_kills,
            "fullDisks": self.full,
            "gpuFaults": self.gpu_faults,
            "log": match
            and {
                "line": mask(match.line),
                "cause": match.pattern.name,
                "meaning": match.pattern.meaning,
                "advice": match.pattern.advice,
            },
        }


def as_text(evidence: Evidence) -> str:
    """Return it for people: one block of lines."""
    return "\n".join(failure_lines(evidence.record()))


def log_tail(environ: Mapping[str, str], until: str = "") -> str:
    """Return the end of this task's log, once nothing more is added to it.

    Args:
        environ: The task's environment, which tells where the log is.
        until: What was written last; the log is waited for until this is in it, a few seconds.
    """
    deadline = time.monotonic() + (_ARRIVAL if until else _SETTLE)
    before = None
    while True:
        logs = [path for path in _logs(environ) if path.is_file()]  # a pipe would be read from
        text = next(filter(None, map(_end_of, logs)), "")
        is_whole = until in text if until else text == before
        if is_whole or not logs or time.monotonic() > deadline:
            return text
        before = text
        time.sleep(0.02)


def _logs(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where the log may be: PAI's folder, the local cluster's, or our own stderr."""
    pod = environ.get("FC_POD_UID")
    if pod:
        yield Path("/usr/local/pai/logs", pod, "user-all", "current")
    if environ.get("OPENPAI_LOCAL_CLUSTER") and environ.get("OPENPAI_JOB_CONFIG"):
        yield Path(environ["OPENPAI_JOB_CONFIG"]).parent / "logs" / "user-all"
    yield Path("/proc/self/fd/2")


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _is_full(folder: Path) -> bool:
    """Whether less than a thousandth of a disk, or no inode, is free."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    no_inodes = disk.f_files > 0 and disk.f_favail == 0
    return no_inodes or disk.f_bavail * 1000 < disk.f_blocks
