"""Start the supervisors of tasks, and read what became of them.

The folder of one task attempt::

    plan.json       what to run (0600: the scripts in steps/ may hold secrets)
    job.yaml        the job's config with its secrets masked
    steps/          the scripts, one a step
    work/           the working folder
    logs/           user-stdout, user-stderr, user-all, runtime.log, each with an older .1
    lock            held while the supervisor lives
    started.json    written once, before the first step
    exit.json.new   keeps room for the next
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

#: ``-I -S``: the supervisor needs nothing but the standard library, and starts twice as fast.
_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from openpai.core.local.executor.supervisor.supervisor import main; main()"
)

_SOURCES = str(Path(__file__).resolve().parents[4])


@dataclass(frozen=True)
class Bounds:
    """What the tasks of an engine that knows no limits are held to.

    Attributes:
        memory: Whether a task that uses more memory than its job asks for is killed.
        processes: A task with more processes than so many is killed.
    """

    memory: bool = True
    processes: int = 4096


@dataclass(frozen=True)
class Running:
    """The task goes on; ``at`` is when it began, ``None`` before it did."""

    at: int | None


@dataclass(frozen=True)
class Exit:
    """The task has ended and said how.

    Attributes:
        status: What a shell would say: 0 to 255, or 128 and a signal's number.
        step: The step that decided.
        started: When the first step began, in milliseconds.
        ended: When the last one ended.
        stopped: Whether it was asked to stop.
        killed: Whether it had to be killed because the grace period ran out.
        log_error: Why output was dropped, or an empty text.
        exceeded: ``memory`` or ``processes`` if it was killed because it used too many; or empty.
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
    """The task's supervisor is gone and left no word; ``reboot`` tells whether the machine was."""

    reboot: bool


class Launcher:
    """Tasks, each held by a supervisor.

    Args:
        jobs: The folder of all task folders.
        bell: The pipe by which supervisors report.
        engine: What runs their commands.
        grace: Seconds between SIGTERM and SIGKILL.
        log_limit: Bytes after which a log file is changed over.
        bounds: What supervisors do not let tasks exceed.
    """

    def __init__(
        self,
        jobs: Path,
        bell: Path,
        engine: Engine,
        *,
        grace: float,
        log_limit: int,
        bounds: Bounds,
    ) -> None:
        self._jobs = jobs
        self._bell = bell
        self._engine = engine
        self._grace = grace
        self._log_limit = log_limit
        self._bounds = bounds
        self._children: dict[str, int] = {}

    def folder(self, framework: str, uid: str) -> Path:
        """Return the folder of one task attempt; both names are hexadecimal, made by the server."""
        return self._jobs / framework / uid

    def prepare(self, task: TaskSpec, config: str) -> None:
        """Write everything that a task's supervisor needs.

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
        recipe = self._engine.prepare(bounded, scripts)
        plan: dict[str, Any] = {
            "uid": task.uid,
            "bell": str(self._bell),
            "grace": self._grace,
            "logLimit": self._log_limit,
            "work": recipe.work,
            "environment": dict(recipe.environment),
            "mounts": [dataclasses.asdict(mount) for mount in recipe.mounts],
            "steps": [dataclasses.asdict(command) for command in recipe.commands],
            "stopping": list(recipe.stopping),
            "ending": list(recipe.ending),
            "memoryQuery": list(recipe.memory_query),
            "verdict": recipe.verdict,
            "temporary": recipe.temporary,
            "memoryMb": task.limits.memory_mb if recipe.watched and self._bounds.memory else None,
            "processes": self._bounds.processes if recipe.watched else None,
        }
        write_private(folder / "plan.json", json.dumps(plan))

    def start(self, folder: Path, uid: str) -> None:
        """Start the task's supervisor; a task that was ever started is not started again."""
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

    def look(self, folder: Path, uid: str) -> Running | Exit | Lost | None:
        """Say how a task fares; ``None`` if it was prepared and never started."""
        started = _read(folder / "started.json")
        alive = is_locked(folder / "lock") or self._is_unborn(uid, started)
        ended = _read(folder / "exit.json")  # after the lock: a living one may end meanwhile
        if ended is not None:
            self._collect(uid)
            return _exit(ended)
        if alive:
            return Running(started["at"] if started else None)
        self._collect(uid)
        return None if started is None else Lost(reboot=started["boot"] != boot_id())

    def stop(self, folder: Path) -> None:
        """Ask a task to end: SIGTERM to its process group, SIGKILL after the grace period."""
        started = _read(folder / "started.json")
        if started is not None and is_locked(folder / "lock"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(started["pid"], signal.SIGTERM)

    def rotate_logs(self, folder: Path) -> bool:
        """Ask a task's supervisor to begin new log files; return whether it runs."""
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
        """Kill what a lost supervisor left running; return how many processes that were."""
        killed = kill_marked("FC_POD_UID", uid)
        self._engine.clean(uid)
        return killed

    def delete_scripts(self, framework: str) -> None:
        """Remove what a job's tasks ran, which may hold secrets; its config is kept, masked."""
        for folder in (self._jobs / framework).glob("*"):  # a job that never ran has none
            for part in ("steps", "registry"):
                shutil.rmtree(str(folder / part), ignore_errors=True)
            for file in ("plan.json", "environment"):
                with contextlib.suppress(FileNotFoundError):
                    (folder / file).unlink()

    def _is_unborn(self, uid: str, started: dict[str, Any] | None) -> bool:
        """Whether a supervisor that we started has not come so far as to take its lock."""
        return started is None and uid in self._children and not self._collect(uid)

    def _collect(self, uid: str) -> bool:
        """Reap an ended supervisor if it is a child of ours; return whether it is gone."""
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
