"""Hold one task: run its steps, keep its output, stop it on request, write down how it ended.

The server starts one such process for each task and may die; the task goes on, and the next server
finds it by the lock that this process holds. What it needs is in ``plan.json``; what it leaves is
``started.json`` and at the end ``exit.json``, each written whole or not at all. The room for the
second is taken before the first is written.

SIGTERM means: stop. The task's process group gets SIGTERM, and after the grace period whatever is
left is killed. At the end of a task nothing that it started is left. SIGUSR1 means: begin new logs.
"""
# ruff: noqa: PTH103, PTH106, PTH118, PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import Any

from openpai.core.local.executor.supervisor.container import ask_to_end, end, verdict
from openpai.core.local.executor.supervisor.mounts import mount_folders
from openpai.core.local.executor.supervisor.output import Output
from openpai.core.local.executor.supervisor.state import claim, now, write_exit
from openpai.core.local.executor.supervisor.usage import Watch, freeze, spare_processes
from openpai.core.processes import (
    become_reaper,
    die_with_parent,
    kill_descendants,
    reap,
)

__all__ = ["main"]

_HEARD = (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
#: Seconds to wait for output that somebody outside the task's process tree still holds open.
DRAIN = 2.0
KILL_PATIENCE = 10.0


def main() -> None:
    """Run the task whose folder is the last command line argument."""
    with contextlib.suppress(OSError):
        os.setsid()
    folder = sys.argv[-1]
    if claim(folder):
        Supervisor(folder).run()


class Supervisor:
    """The life of one task."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
            self.plan = json.load(file)
        self.output = Output(os.path.join(folder, "logs"), self.plan["logLimit"])
        self.groups: list[int] = []
        self.container = 0
        self.stop_by: float | None = None
        self.killed = False
        self.exceeded = ""
        self.watch = Watch(self.plan["memoryMb"], self.plan["processes"])
        signal.set_wakeup_fd(self.output.wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGUSR1, lambda *_: self._ask_for_new_logs())
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)

    def run(self) -> None:
        """Run all steps and write the exit record."""
        become_reaper()
        for sentence in mount_folders(self.plan["mounts"]):
            self.output.note(sentence)
        self._make_temporary_folder()
        self._ring()
        started = now()
        step, status = self._run_steps()
        if self.plan["verdict"] and step == "main":
            stopped = self.stop_by is not None
            step, status, lacking = verdict(self.plan["verdict"], status, stopped=stopped)
            self.exceeded = self.exceeded or lacking
        if end(self.plan):
            self.exceeded = "memory"
        if not kill_descendants(KILL_PATIENCE):
            self.output.note("some processes of the task could not be killed")
        self._remove_temporary_folder()
        self.groups.clear()  # their numbers may be somebody else's while the end is written down
        self.output.drain(DRAIN)
        record = {
            "status": status,
            "step": step,
            "started": started,
            "ended": now(),
            "stopped": self.stop_by is not None,
            "killed": self.killed,
            "exceeded": self.exceeded,
            "logError": self.output.close(),
        }
        write_exit(self.folder, record)
        self._ring()

    def _make_temporary_folder(self) -> None:
        if self.plan["temporary"]:
            try:
                os.makedirs(self.plan["temporary"], mode=0o700, exist_ok=True)
            except OSError as error:
                self.output.note(f"there is no folder for temporary files: {error}")

    def _remove_temporary_folder(self) -> None:
        if not self.plan["temporary"]:
            return
        try:
            os.rmdir(self.plan["temporary"])
        except OSError:  # usually because it is not empty
            import shutil  # slow to import

            shutil.rmtree(self.plan["temporary"], ignore_errors=True)

    def _ring(self) -> None:
        """Tell the server, if one listens, that there is news of this task."""
        with contextlib.suppress(OSError):
            bell = os.open(self.plan["bell"], os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(bell, (self.plan["uid"] + "\n").encode())
            os.close(bell)

    def _run_steps(self) -> tuple[str, int]:
        """Return the name and status of the step that decided: the main one, or one that failed."""
        decided = ("main", 0)
        for step in self.plan["steps"]:
            if self.stop_by is not None:
                return step["name"], 128 + signal.SIGTERM
            shown = f"container {step['name']}" if self.plan["verdict"] else step["name"]
            self.output.note(f"{shown} starts")
            status = self._run_step(step)
            self.output.note(f"{shown} ended with status {status}")
            if status and step["failure_policy"] != "ignore":
                return step["name"], status
            if step["when"] == "main":
                decided = (step["name"], status)
        return decided

    def _run_step(self, step: dict[str, Any]) -> int:
        pid = self._start(step)
        status: int | None = None
        while True:
            ended, any_left = reap()
            if pid in ended:
                status = _shell_status(ended[pid])
            if status is not None and (self.stop_by is None or not any_left):
                self.output.drain(0)
                return status
            wait = None if self.stop_by is None else self.stop_by - time.monotonic()
            if wait is not None and wait <= 0:
                self.killed = True
                return 128 + signal.SIGKILL if status is None else status
            if self._is_too_much():
                return 128 + signal.SIGKILL
            waits = [pause for pause in (wait, self.watch.pause) if pause is not None]
            self.output.pump(min(waits, default=None))

    def _is_too_much(self) -> bool:
        """Whether the task uses more than it may; it makes no more processes then."""
        self.exceeded = self.watch.exceeded()
        if self.exceeded:
            self.output.note(f"the task is killed: it uses more {self.exceeded} than it may")
            freeze()
        return bool(self.exceeded)

    def _start(self, step: dict[str, Any]) -> int:
        """Start a step in a process group of its own; return its pid."""
        out, out_child = os.pipe()
        err, err_child = os.pipe()
        # A stop must find the new group whole: none before it, none lost in between.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pid = os.fork()
        if pid == 0:
            self._become(step["words"], out_child, err_child)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self.groups.append(pid)
        if self.plan["stopping"] and step["when"] == "main":
            self.container = pid
        if self.stop_by is not None:
            self._signal_groups()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        os.close(out_child)
        os.close(err_child)
        self.output.listen(out, err, user=step["when"] == "main")
        return pid

    def _become(self, words: list[str], out: int, err: int) -> None:
        """In the new process: turn into the step's command; never returns."""
        try:
            os.setpgid(0, 0)
            die_with_parent()
            for number in _HEARD:
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.makedirs(self.plan["work"], exist_ok=True)
            os.chdir(self.plan["work"])
            if self.plan["processes"] is not None:
                spare_processes()
            os.execvpe(words[0], words, self.plan["environment"])  # noqa: S606 - no shell wanted
        except BaseException as error:
            os.write(2, f"{words[0]} could not be started: {error}\n".encode())
        os._exit(127)

    def _ask_for_new_logs(self) -> None:
        self.output.wants_new_logs = True

    def _stop(self) -> None:
        if self.stop_by is None:
            self.stop_by = time.monotonic() + self.plan["grace"]
            self._signal_groups()

    def _signal_groups(self) -> None:
        for group in self.groups:
            if group == self.container:
                ask_to_end(self.plan)
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGTERM)


def _shell_status(wait_status: int) -> int:
    """Return what a shell would say: the exit status, or 128 and the signal's number."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)
