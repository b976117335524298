"""Servers that start once per run and are shared by the workers of pytest-xdist.

The process that begins the run (the controller, or the only one there is) makes a folder and names
it in the environment, so that its workers know it. When the run ends, it kills whatever servers are
left, also those of workers that crashed, and removes the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support.processes import kill_family, state_of
from support.servers.server import Server

Kind = TypeVar("Kind", bound=Server)
_VARIABLE = "TESTS_RUN_FOLDER"
_RECORDS = "processes"

#: The servers that this process has started: others use them until the run ends.
_started: list[Server] = []


def begin_run() -> bool:
    """Make the run's folder; return whether this process is the one that began the run."""
    if _VARIABLE in os.environ:
        return False
    folder = Path(tempfile.mkdtemp(prefix="openpai-tests-"))
    folder.chmod(0o755)  # smbd enters it as other users
    (folder / _RECORDS).mkdir()
    os.environ[_VARIABLE] = str(folder)
    return True


def join_run() -> None:
    """Record the servers of this process in the folder of the run that it belongs to."""
    Server.records = Path(os.environ[_VARIABLE], _RECORDS)


def end_run() -> None:
    """Kill the servers that are left and remove the run's folder."""
    folder = Path(os.environ.pop(_VARIABLE))
    for record in (folder / _RECORDS).iterdir():
        process = int(record.name)
        if state_of(process)[1] == record.read_text():
            kill_family(process)
    shutil.rmtree(folder, ignore_errors=True)


def new_folder(name: str) -> Path:
    """Return a new folder of the run; its path is short enough for sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=os.environ[_VARIABLE]))
    folder.chmod(0o755)
    return folder


def shared(kind: type[Kind], **settings: Any) -> Kind:
    """Return the run's server of a kind; the first caller starts it.

    If it does not start, every caller fails with its log.

    Args:
        kind: A dataclass whose fields JSON can hold.
        settings: Its fields, beside the folder.
    """
    from filelock import FileLock

    name = kind.__name__.lower()
    record = Path(os.environ[_VARIABLE], f"{name}.json")
    with FileLock(record.with_suffix(".lock")):
        if not record.exists():
            server = kind(new_folder(name), **settings)
            record.write_text(json.dumps(_start(server), default=str))
    state = json.loads(record.read_text())
    if "failure" in state:
        pytest.fail(state["failure"], pytrace=False)
    return kind(**state)


def _start(server: Server) -> dict[str, Any]:
    try:
        server.start()
    except Exception as error:
        failure = f"{type(server).__name__} does not start: {error}\n{server.logs()}"
        server.stop()
        return {"failure": failure}
    _started.append(server)
    return {field.name: getattr(server, field.name) for field in fields(server)}
