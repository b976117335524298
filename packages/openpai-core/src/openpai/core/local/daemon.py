"""Start, find and stop a local cluster that runs in a process of its own.

``down`` stops the server only: running tasks keep running, and the next ``up`` finds them. With
``stop_jobs`` every job is stopped first.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from openpai.core.errors import ConfigError, OpenPaiError
from openpai.core.execution import Job
from openpai.core.local.options import Options, make_options
from openpai.core.local.state.state_dir import StateDir, default_folder
from openpai.core.local.state.store import Store
from openpai.core.states import ACTIVE_STATES
from openpai.core.units import parse_duration

__all__ = [
    "Running",
    "Stopped",
    "down",
    "logs",
    "prune",
    "status",
    "up",
]

#: Seconds to wait for a server to stop.
TIMEOUT = 20.0


@dataclass(frozen=True)
class Running:
    """A running server.

    Attributes:
        uri: Its address.
        pid: Its process id.
        user: Its first user.
        folder: Its state folder.
        active_jobs: Number of jobs that have not ended.
        engine: The engine of its tasks.
    """

    uri: str
    pid: int
    user: str
    folder: Path
    active_jobs: int = 0
    engine: str = "process"

    @property
    def token(self) -> str:
        """The first user's application token, from its private file."""
        return StateDir(self.folder).secret("token")

    @property
    def password(self) -> str:
        """The first user's password, from its private file."""
        return StateDir(self.folder).secret("password")


@dataclass(frozen=True)
class Stopped:
    """A server that was stopped; ``active_jobs``: how many jobs had not ended."""

    uri: str
    active_jobs: int


def up(folder: str | os.PathLike[str] | None = None, *, port: int = 0, **options: Any) -> Running:
    """Start a server in the background and wait until it answers.

    Args:
        folder: The state folder; ``None`` means ``$OPENPAI_HOME/local``.
        port: The port; 0 for that of the last server, or any free port.
        options: See :class:`~openpai.core.local.options.Options`.

    Raises:
        OpenPaiError: One runs there already, the port is in use, the folder cannot be written,
            or werkzeug or bash are missing.
    """
    state = StateDir(folder or default_folder())
    found = status(state.path)
    if found is not None:
        raise OpenPaiError(
            f"The local cluster is up already, at {found.uri}.", "Stop it with 'opai local down'."
        )
    made = make_options(options)
    state.create()
    if port == 0 and (last := _last_port(state)):
        with contextlib.suppress(ConfigError):
            return _start(state, last, made)
    return _start(state, port, made)


def _last_port(state: StateDir) -> int:
    """Return the port of the last server, which running tasks know."""
    try:
        return int(json.loads(state.server.read_text(encoding="utf-8"))["uri"].rpartition(":")[2])
    except (OSError, ValueError, KeyError):
        return 0


def _start(state: StateDir, port: int, options: Options) -> Running:
    command = [sys.executable, "-m", "openpai.core.local", "--folder", str(state.path)]
    ready, child_end = os.pipe()
    try:
        with state.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *command,
                    *("--port", str(port), "--options", json.dumps(options.to_json())),
                    *("--ready-fd", str(child_end)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[child_end],
                start_new_session=True,
                cwd="/",
            )
    except OSError as error:
        os.close(ready)
        raise OpenPaiError(f"The local cluster could not be started: {error}.") from error
    finally:
        os.close(child_end)
    with os.fdopen(ready, encoding="utf-8") as pipe:
        line = pipe.read()
    if not line:
        process.wait()
        raise OpenPaiError(
            "The local cluster ended while it was starting.", f"See {state.log} for the reason."
        )
    answer = json.loads(line)
    if "error" in answer:
        process.wait()
        raise ConfigError(answer["error"], answer["hint"])
    process.returncode = 0  # no warning that it still runs: it outlives this process
    engine = answer.get("engine", "process")
    return Running(answer["uri"], answer["pid"], answer["user"], state.path, engine=engine)


def status(folder: str | os.PathLike[str] | None = None) -> Running | None:
    """Return the server that runs in a folder; ``None`` without one."""
    state = StateDir(folder or default_folder())
    if not state.is_held():
        return None
    try:
        running = json.loads(state.server.read_text(encoding="utf-8"))
        uri, pid, user = running["uri"], running["pid"], running["user"]
        engine = running.get("engine", "process")
    except (OSError, ValueError, KeyError):
        return None
    return Running(uri, pid, user, state.path, _active_jobs(state), engine)


def _active_jobs(state: StateDir) -> int:
    """Count the jobs that have not ended, in the database."""
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"file:{state.database}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT count(*) FROM jobs WHERE sub_state != 'Completed'").fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0])


def down(
    folder: str | os.PathLike[str] | None = None, *, stop_jobs: bool = False, timeout: float = 60
) -> Stopped:
    """Stop the server of a folder; running tasks keep running unless ``stop_jobs``.

    Args:
        folder: The state folder; ``None`` means ``$OPENPAI_HOME/local``.
        stop_jobs: Whether to stop every job first.
        timeout: Seconds to wait for the jobs to stop.

    Raises:
        OpenPaiError: None runs there, or its jobs do not stop.
    """
    state = StateDir(folder or default_folder())
    found = status(state.path)
    if found is None:
        raise OpenPaiError("The local cluster is not up.", "Start it with 'opai local up'.")
    if stop_jobs:
        _stop_jobs(found, timeout)
    left = _active_jobs(state)
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    if not _until(lambda: not state.is_held(), TIMEOUT):
        raise OpenPaiError(
            f"The local cluster (process {found.pid}) does not end.", f"See {state.log}."
        )
    return Stopped(found.uri, left)


def _stop_jobs(running: Running, timeout: float) -> None:
    """Stop the jobs of all users by the REST API."""
    from openpai.core.client import Cluster, stop_jobs

    state = StateDir(running.folder)
    with Cluster(running.uri, user=running.user, token=running.token) as cluster:
        try:
            found = cluster.jobs(state=[*ACTIVE_STATES, "STOPPING"])
            outcomes = stop_jobs([cluster.job(f"{job.username}~{job.name}") for job in found])
        except OpenPaiError as error:
            raise _not_stopped(error.message) from error
    failed = [f"{one.remote.key} ({one.error.message})" for one in outcomes if one.error]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise _not_stopped(failed[0] + more)
    if not _until(lambda: _active_jobs(state) == 0, timeout):
        raise OpenPaiError(
            f"{_active_jobs(state)} jobs did not stop in {timeout:g} s; the cluster is still up.",
            "Try again: tasks that ignore SIGTERM are killed after their grace period.",
        )


def _not_stopped(reason: str) -> OpenPaiError:
    return OpenPaiError(
        f"Not all jobs could be stopped: {reason.rstrip('.')}. The cluster is still up.",
        "Solve this and try again, or leave the jobs running: opai local down",
    )


def _until(condition: Any, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def logs(folder: str | os.PathLike[str] | None = None) -> Iterator[str]:
    """Yield the lines of the server's log, including earlier runs.

    Raises:
        OpenPaiError: There is no log.
    """
    state = StateDir(folder or default_folder())
    try:
        with state.log.open(encoding="utf-8", errors="replace") as file:
            yield from (line.rstrip("\n") for line in file)
    except FileNotFoundError:
        raise OpenPaiError(
            f"There is no log in {state.path}: no local cluster ran there.",
            "Start one with 'opai local up'.",
        ) from None


#: Table → column of the job's id
_TABLES = {
    "jobs": "id",
    "configs": "job",
    "attempts": "job",
    "tasks": "job",
    "tags": "job",
    "events": "job",
}


def prune(
    folder: str | os.PathLike[str] | None = None, *, older_than: str | float = "30d"
) -> list[str]:
    """Remove ended jobs from a state folder, whether its server is up or not.

    The names of removed jobs may be used again.

    Args:
        folder: The state folder; ``None`` means ``$OPENPAI_HOME/local``.
        older_than: Minimum time since a job ended: seconds, or a text such as ``12h``.

    Returns:
        The removed jobs as ``user~name``.

    Raises:
        ValueError: ``older_than`` is not a duration.
    """
    state = StateDir(folder or default_folder())
    before = int((time.time() - parse_duration(older_than)) * 1000)
    if not state.database.exists():
        return []
    store = Store(state.database)
    try:
        jobs = store.find(Job, "sub_state = 'Completed' AND completed < ?", (before,))
        for job in jobs:
            _remove(store, state, job)
    finally:
        store.close()
    return [job.framework for job in jobs]


def _remove(store: Store, state: StateDir, job: Job) -> None:
    # The records last, so that an interrupted removal can be repeated.
    shutil.rmtree(str(state.jobs / job.debug_id), ignore_errors=True)
    with store.transaction():
        for table, column in _TABLES.items():
            store.execute(f"DELETE FROM {table} WHERE {column} = ?", (job.id,))  # noqa: S608 - ours
