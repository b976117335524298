"""Diagnosis of a failed command.

Sources: the exit code, OOM kills, full disks, and the end of the log, if the platform keeps it in
the container. The command's output is not intercepted.
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

__all__ = ["Diagnosis", "as_text", "log_tail"]

_TAIL = 64 * 1024
_SETTLE = 0.5
_ARRIVAL = 5.0


class Diagnosis:
    """Evidence for the cause of a failure.

    Args:
        code: The command's exit code.
        seconds: Its duration.
        oom_kills: Number of processes of this container that the kernel killed for lack of memory
            while it ran.
        folders: Folders whose disks are checked.
        gpu_faults: Sentences about memory errors of the GPUs.
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
        """Match failure patterns against the end of the log."""
        self.match = match_log(log)

    def record(self) -> Mapping[str, Any]:
        """Return the diagnosis for the manifest."""
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


def as_text(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as lines of text."""
    return "\n".join(failure_lines(diagnosis.record()))


def log_tail(environ: Mapping[str, str], until: str = "") -> str:
    """Return the end of this task's log, once it has stopped growing.

    Args:
        environ: The task's environment, which locates the log.
        until: Text to wait for in the log, for a few seconds.
    """
    deadline = time.monotonic() + (_ARRIVAL if until else _SETTLE)
    before = None
    while True:
        logs = [
            path for path in _logs(environ) if path.is_file()
        ]  # not pipes: reading would consume them
        text = next(filter(None, map(_end_of, logs)), "")
        is_whole = until in text if until else text == before
        if is_whole or not logs or time.monotonic() > deadline:
            return text
        before = text
        time.sleep(0.02)


def _logs(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield possible paths of the log: PAI's, the local cluster's, the own stderr."""
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
