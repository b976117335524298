"""A task is taken once, by one supervisor, which holds its lock for as long as it lives."""
# ruff: noqa: PTH105, PTH110, PTH118, PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any

__all__ = ["boot_id", "claim", "now", "write_whole"]


def claim(folder: str) -> bool:
    """Take the task for this process; false if it was ever taken before."""
    handle = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + 1
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
    target = os.path.join(folder, "started.json")
    if os.path.exists(target):
        return False
    write_whole(target, {"pid": os.getpid(), "boot": boot_id(), "at": now()})
    return True


def boot_id() -> str:
    """Return what changes with every start of the machine; empty where it is not known."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def write_whole(path: str, content: dict[str, Any]) -> None:
    """Write a JSON file that is there whole or not at all, also after a crash."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def now() -> int:
    """Return milliseconds since 1970."""
    return int(time.time() * 1000)
