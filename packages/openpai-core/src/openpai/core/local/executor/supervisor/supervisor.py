"""Supervise one task: run its steps, write its logs, stop it on request, record its end.

The server starts one such process for each task and may end; the task keeps running, and the next
server finds it by the lock that this process holds. It reads ``plan.json`` and writes
``started.json`` and at the end ``exit.json``, both atomically; space for the latter is reserved
first.

SIGTERM stops the task: its process group gets SIGTERM, and after the grace period everything left
is killed. At the end of a task no process that it started is left. SIGUSR1 rotates the logs.
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

from openpai.core.local.executor.supervisor.container import remove_container, request_stop, verdict
from openpai.core.local.executor.supervisor.mounts import mount_folders
from openpai.core.local.executor.supervisor.output import Output
from openpai.core.local.executor.supervisor.state import claim, now, write_exit
from openpai.core.local.executor.supervisor.usage import Watch, limit_processes, stop_descendants
from openpai.core.processes import (
    become_reaper,
    die_with_parent,
    kill_descendants,
    reap,
)

__all__ = ["main"]

_HANDLED = (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
#: Seconds to wait for pipes that a process outside the task's tree holds open.
DRAIN = 2.0
KILL_TIMEOUT = 10.0


def main() -> None:
    """Run the task whose folder is the last command line argument."""
    with contextlib.suppress(OSError):
        os.setsid()
    folder = sys.argv[-1]
    if claim(folder):
        Supervisor(folder).run()


class Supervisor:
    """Runs one task to its end."""

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
        signal.signal(signal.SIGUSR1, lambda *_: self._request_rotation())
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)

    def run(self) -> None:
        """Run all steps and write the exit record."""
        become_reaper()
        for sentence in mount_folders(self.plan["mounts"]):
            self.output.note(sentence)
        self._make_temporary_folder()
        self._notify_server()
        started = now()
        step, status = self._run_steps()
        if self.plan["verdict"] and step == "main":
            stopped = self.stop_by is not None
            step, status, lacking = verdict(self.plan["verdict"], status, stopped=stopped)
            self.exceeded = self.exceeded or lacking
        if remove_container(self.plan):
            self.exceeded = "memory"
        if not kill_descendants(KILL_TIMEOUT):
            self.output.note("some processes of the task could not be killed")
        self._remove_temporary_folder()
        self.groups.clear()  # their numbers may be reused before the record is written
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
        self._notify_server()

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

    def _notify_server(self) -> None:
        """Wake the server, if one runs, to read the status of this task."""
        with contextlib.suppress(OSError):
            pipe = os.open(self.plan["wakeup"], os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(pipe, (self.plan["uid"] + "\n").encode())
            os.close(pipe)

    def _run_steps(self) -> tuple[str, int]:
        """Return the name and status of the step that decided: the main one, or a failed one."""
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
        """Whether the task exceeds a limit; its processes are stopped then."""
        self.exceeded = self.watch.exceeded()
        if self.exceeded:
            self.output.note(f"the task is killed: it uses more {self.exceeded} than it may")
            stop_descendants()
        return bool(self.exceeded)

    def _start(self, step: dict[str, Any]) -> int:
        """Start a step in a process group of its own; return its pid."""
        out, out_child = os.pipe()
        err, err_child = os.pipe()
        # A stop signal must find the new group complete: block it while the group is created.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pid = os.fork()
        if pid == 0:
            self._exec(step["words"], out_child, err_child)
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

    def _exec(self, words: list[str], out: int, err: int) -> None:
        """Execute the step's command in the forked process; never returns."""
        try:
            os.setpgid(0, 0)
            die_with_parent()
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.makedirs(self.plan["work"], exist_ok=True)
            os.chdir(self.plan["work"])
            if self.plan["processes"] is not None:
                limit_processes()
            os.execvpe(words[0], words, self.plan["environment"])  # noqa: S606 - no shell wanted
        except BaseException as error:
            os.write(2, f"{words[0]} could not be started: {error}\n".encode())
        os._exit(127)

    def _request_rotation(self) -> None:
        self.output.rotation_requested = True

    def _stop(self) -> None:
        if self.stop_by is None:
            self.stop_by = time.monotonic() + self.plan["grace"]
            self._signal_groups()

    def _signal_groups(self) -> None:
        for group in self.groups:
            if group == self.container:
                request_stop(self.plan)
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGTERM)


def _shell_status(wait_status: int) -> int:
    """Return the status as a shell reports it: the exit code, or 128 and the signal's number."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)
