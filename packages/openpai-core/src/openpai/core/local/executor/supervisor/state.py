"""The files by which a supervisor claims a task and records its start and end."""
# ruff: noqa: PTH105, PTH110, PTH112, PTH118, PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any

from openpai.core.files import lock_handle, write_private
from openpai.core.processes import boot_id

__all__ = ["claim", "now", "write_exit"]

#: Bytes reserved for a task's exit record before its first step.
ROOM = 8192
#: Seconds between attempts to write an exit record.
PAUSE = 0.5


def claim(folder: str) -> bool:
    """Lock the task for the life of this process; return false if it was ever claimed before.

    Raises:
        OSError: There is no space for the records of its start and end; it is not claimed.
    """
    handle = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not lock_handle(handle, timeout=1):
        return False
    target = os.path.join(folder, "started.json")
    if os.path.exists(target):
        return False
    _reserve(os.path.join(folder, "exit.json.new"))
    write_private(target, json.dumps({"pid": os.getpid(), "boot": boot_id(), "at": now()}))
    return True


def _reserve(path: str) -> None:
    """Write a file of the maximum size of an exit record, to reserve its space."""
    with open(path, "wb") as file:
        file.write(b" " * ROOM)
        file.flush()
        os.fsync(file.fileno())


def write_exit(folder: str, record: dict[str, Any]) -> None:
    """Write the exit record into its reserved space; return when it is written.

    A task whose end is known must not count as lost, or it would run again. Where writing fails, as
    on a copy-on-write file system, it is repeated while the folder exists, and the task counts as
    running until then.
    """
    content = json.dumps({**record, "logError": record["logError"][:500]}).encode()
    place = os.path.join(folder, "exit.json")
    reported = False
    while os.path.isdir(folder):
        try:
            flags = (
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            )  # not truncated: that would release the space
            with open(os.open(place + ".new", flags, 0o600), "r+b") as file:
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            os.replace(place + ".new", place)
        except OSError as error:
            if not reported:
                reported = True
                with contextlib.suppress(OSError):
                    sys.stderr.write(f"the exit record cannot be written yet: {error}\n")
                    sys.stderr.flush()
            time.sleep(PAUSE)
        else:
            return


def now() -> int:
    """Return milliseconds since 1970."""
    return int(time.time() * 1000)
