"""Start a server once per run and share it between the workers of pytest-xdist."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def shared_server(
    factory: pytest.TempPathFactory,
    name: str,
    start: Callable[[Path], tuple[dict[str, Any], Sequence[int]]],
) -> Iterator[dict[str, Any]]:
    """Yield the description of a server that all workers use.

    The first user starts it, the last one kills its processes. Users are counted in a file below
    a lock; the folder is the one that the workers of this run share.

    Args:
        factory: The session's temporary folders.
        name: The server's folder and lock.
        start: Starts the server in an empty folder; returns its description, which JSON can
            hold, and the ids of its processes.
    """
    from filelock import FileLock

    base = factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, record = run / name, run / f"{name}.json"
    lock = FileLock(run / f"{name}.lock")
    with lock:
        if record.exists():
            state = json.loads(record.read_text())
        else:
            folder.mkdir()
            description, processes = start(folder)
            state = {"users": 0, "server": description, "processes": list(processes)}
        state["users"] += 1
        record.write_text(json.dumps(state))
    try:
        yield state["server"]
    finally:
        with lock:
            state = json.loads(record.read_text())
            state["users"] -= 1
            record.write_text(json.dumps(state))
            if not state["users"]:
                record.unlink()
                folder.rename(run / f"{name}.stopped-{os.getpid()}")
                _kill(state["processes"])


def _kill(processes: Sequence[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(process, 0)
