"""Start the supervisors of tasks and read their status.

The folder of one task attempt::

    plan.json       what to run (0600: the scripts in steps/ may hold secrets)
    job.yaml        the job's config with its secrets masked
    steps/          the scripts, one a step
    work/           the working folder
    logs/           user-stdout, user-stderr, user-all, runtime.log, each with an older .1
    lock            held while the supervisor lives
    started.json    written once, before the first step
    exit.json.new   reserves space for exit.json
    exit.json       written once, after the last one
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.files import is_locked, write_private
from openpai.core.local.executor.engine import SECRETS_FILE
from openpai.core.processes import boot_id, kill_marked

if TYPE_CHECKING:
    from openpai.core.local.executor.engine import Engine, TaskSpec

__all__ = ["Bounds", "Exit", "Launcher", "Lost", "Running"]

#: ``-I -S``: the supervisor needs the standard library only, and starts twice as fast.
_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from openpai.core.local.executor.supervisor.supervisor import main; main()"
)

_SOURCES = str(Path(__file__).resolve().parents[4])


@dataclass(frozen=True)
class Bounds:
    """Limits that supervisors enforce where the engine does not.

    Attributes:
        memory: Whether to kill a task that uses more memory than its job requests.
        processes: Maximum number of processes of a task.
    """

    memory: bool = True
    processes: int = 4096


@dataclass(frozen=True)
class Running:
    """The task runs since ``at`` (milliseconds since 1970); ``None`` before its first step."""

    at: int | None


@dataclass(frozen=True)
class Exit:
    """The task has ended and its exit record exists.

    Attributes:
        status: Exit status as a shell reports it: 0 to 255, or 128 and a signal's number.
        step: The step that decided.
        started: When the first step began, in milliseconds.
        ended: When the last one ended.
        stopped: Whether it was stopped.
        killed: Whether it was killed after the grace period.
        log_error: Why output was dropped; empty if none was.
        exceeded: ``memory`` or ``processes`` if it was killed for exceeding the limit; or empty.
    """

    status: int
    step: str
    started: int
    ended: int
    stopped: bool
    killed: bool
    log_error: str
    exceeded: str = ""


@dataclass(frozen=True)
class Lost:
    """The supervisor is gone without an exit record; ``reboot``: the machine was restarted."""

    reboot: bool


class Launcher:
    """Starts, stops and inspects tasks, each held by a supervisor.

    Args:
        jobs: The folder of all task folders.
        wakeup: The pipe by which supervisors report.
        engine: Runs their commands.
        grace: Seconds between SIGTERM and SIGKILL.
        log_limit: Bytes after which a log file is rotated.
        bounds: Limits that supervisors enforce.
    """

    def __init__(
        self,
        jobs: Path,
        wakeup: Path,
        engine: Engine,
        *,
        grace: float,
        log_limit: int,
        bounds: Bounds,
    ) -> None:
        self._jobs = jobs
        self._wakeup = wakeup
        self._engine = engine
        self._grace = grace
        self._log_limit = log_limit
        self._bounds = bounds
        self._children: dict[str, int] = {}

    def folder(self, framework: str, uid: str) -> Path:
        """Return the folder of one task attempt; both names are hexadecimal, made by the server."""
        return self._jobs / framework / uid

    def prepare(self, task: TaskSpec, config: str) -> None:
        """Write the files of a task for its supervisor.

        Args:
            task: The task.
            config: The job's text, secrets masked.
        """
        folder = task.folder
        for part in (folder / "steps", folder / "work", folder / "logs"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        scripts = []
        for number, step in enumerate(task.steps):
            scripts.append(folder / "steps" / f"{number}-{step.name}.sh")
            write_private(scripts[-1], step.script + "\n")
        write_private(folder / "job.yaml", config)
        if task.secrets:
            write_private(folder / "steps" / SECRETS_FILE, task.secrets)
        bounded = dataclasses.replace(task, processes=self._bounds.processes)
        launch = self._engine.prepare(bounded, scripts)
        plan: dict[str, Any] = {
            "uid": task.uid,
            "wakeup": str(self._wakeup),
            "grace": self._grace,
            "logLimit": self._log_limit,
            "work": launch.work,
            "environment": dict(launch.environment),
            "mounts": [dataclasses.asdict(mount) for mount in launch.mounts],
            "steps": [dataclasses.asdict(command) for command in launch.commands],
            "stopping": list(launch.stopping),
            "ending": list(launch.ending),
            "memoryQuery": list(launch.memory_query),
            "verdict": launch.verdict,
            "temporary": launch.temporary,
            "memoryMb": task.limits.memory_mb if launch.watched and self._bounds.memory else None,
            "processes": self._bounds.processes if launch.watched else None,
        }
        write_private(folder / "plan.json", json.dumps(plan))

    def start(self, folder: Path, uid: str) -> None:
        """Start the task's supervisor; it exits if the task was ever started."""
        with (folder / "supervisor.log").open("ab") as log, Path(os.devnull).open("rb") as nothing:
            self._children[uid] = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", _START, _SOURCES, str(folder)],
                {"PATH": os.environ.get("PATH", os.defpath)},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                ],
                setsigmask=[],
            )

    def status(self, folder: Path, uid: str) -> Running | Exit | Lost | None:
        """Return the status of a task; ``None`` if it was prepared and never started."""
        started = _read(folder / "started.json")
        alive = is_locked(folder / "lock") or self._is_starting(uid, started)
        ended = _read(folder / "exit.json")  # after the lock: the supervisor may end in between
        if ended is not None:
            self._reap(uid)
            return _exit(ended)
        if alive:
            return Running(started["at"] if started else None)
        self._reap(uid)
        return None if started is None else Lost(reboot=started["boot"] != boot_id())

    def stop(self, folder: Path) -> None:
        """Stop a task: SIGTERM to its process group, SIGKILL after the grace period."""
        started = _read(folder / "started.json")
        if started is not None and is_locked(folder / "lock"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(started["pid"], signal.SIGTERM)

    def rotate_logs(self, folder: Path) -> bool:
        """Rotate the logs of a task; return whether it runs."""
        started = _read(folder / "started.json")
        if started is None or not is_locked(folder / "lock"):
            return False
        os.kill(started["pid"], signal.SIGUSR1)
        return True

    def kill(self, folder: Path) -> bool:
        """Kill a task's supervisor, as a crash of the machine would; return whether it ran."""
        started = _read(folder / "started.json")
        if started is None or not is_locked(folder / "lock"):
            return False
        os.kill(started["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 1
        while is_locked(folder / "lock") and time.monotonic() < deadline:
            time.sleep(0.001)
        return True

    def clean(self, uid: str) -> int:
        """Kill and remove what a killed supervisor left; return the number of processes."""
        killed = kill_marked("FC_POD_UID", uid)
        self._engine.clean(uid)
        return killed

    def delete_scripts(self, framework: str) -> None:
        """Remove the scripts of a job's tasks, which may hold secrets; keep the masked config."""
        for folder in (self._jobs / framework).glob("*"):  # a job that never ran has none
            for part in ("steps", "registry"):
                shutil.rmtree(str(folder / part), ignore_errors=True)
            for file in ("plan.json", "environment"):
                with contextlib.suppress(FileNotFoundError):
                    (folder / file).unlink()

    def _is_starting(self, uid: str, started: dict[str, Any] | None) -> bool:
        """Whether a supervisor that we started has not locked its file yet."""
        return started is None and uid in self._children and not self._reap(uid)

    def _reap(self, uid: str) -> bool:
        """Reap a supervisor that is our child; return whether it has ended."""
        pid = self._children.get(uid)
        if pid is None:
            return True
        try:
            gone = os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            gone = True
        if gone:
            del self._children[uid]
        return gone


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def _exit(record: Mapping[str, Any]) -> Exit:
    return Exit(
        status=record["status"],
        step=record["step"],
        started=record["started"],
        ended=record["ended"],
        stopped=record["stopped"],
        killed=record["killed"],
        log_error=record["logError"],
        exceeded=record.get("exceeded", ""),
    )
