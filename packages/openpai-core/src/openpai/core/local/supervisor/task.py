"""Hold one task: run its steps, keep its output, stop it on request, write down how it ended.

The server starts one such process for each task and may die; the task goes on, and the next server
finds it by the lock that this process holds. What it needs is in ``plan.json``; what it leaves is
``started.json`` and at the end ``exit.json``, each written whole or not at all.

SIGTERM means: stop. The task's process group gets SIGTERM, and after the grace period whatever is
left is killed. At the end of a task nothing that it started is left. SIGUSR1 means: begin new logs.
"""
# ruff: noqa: PTH103, PTH105, PTH110, PTH118, PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from typing import Any

from openpai.core.local.supervisor.logfile import LogFile
from openpai.core.local.supervisor.mounts import mount_folders
from openpai.core.local.supervisor.usage import Watch, freeze, spare_processes
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
#: Seconds for a container engine to say how a container ended, or to remove it.
ENGINE_PATIENCE = 60.0


def main() -> None:
    """Run the task whose folder is the last command line argument."""
    with contextlib.suppress(OSError):
        os.setsid()
    folder = sys.argv[-1]
    if _claim(folder):
        Supervisor(folder).run()


def _claim(folder: str) -> bool:
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
    _write_whole(target, {"pid": os.getpid(), "boot": boot_id(), "at": _now()})
    return True


def boot_id() -> str:
    """Return what changes with every start of the machine; empty where it is not known."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _write_whole(path: str, content: dict[str, Any]) -> None:
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def _now() -> int:
    return int(time.time() * 1000)


class Supervisor:
    """The life of one task."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
            self.plan = json.load(file)
        limit = self.plan["logLimit"]
        logs = os.path.join(folder, "logs")
        self.stdout = LogFile(os.path.join(logs, "user-stdout"), limit)
        self.stderr = LogFile(os.path.join(logs, "user-stderr"), limit)
        self.everything = LogFile(os.path.join(logs, "user-all"), limit)
        self.runtime = LogFile(os.path.join(logs, "runtime.log"), limit)
        self.groups: list[int] = []
        self.container = 0
        self.sinks: dict[int, list[LogFile]] = {}
        self.stop_by: float | None = None
        self.killed = False
        self.exceeded = ""
        self.wants_new_logs = False
        self.watch = Watch(self.plan["memoryMb"], self.plan["processes"])
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGUSR1, lambda *_: self._ask_for_new_logs())
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)

    def run(self) -> None:
        """Run all steps and write the exit record."""
        become_reaper()
        for sentence in mount_folders(self.plan["mounts"]):
            self._note(sentence)
        self._ring()
        started = _now()
        step, status = self._verdict(*self._run_steps())
        self._end_container()
        if not kill_descendants(KILL_PATIENCE):
            self._note("some processes of the task could not be killed")
        self._drain(DRAIN)
        record = {
            "status": status,
            "step": step,
            "started": started,
            "ended": _now(),
            "stopped": self.stop_by is not None,
            "killed": self.killed,
            "exceeded": self.exceeded,
            "logError": next((log.error for log in self._logs() if log.error), ""),
        }
        for log in self._logs():
            log.close()
        with contextlib.suppress(OSError):  # the folder is gone: there is nobody left to tell
            _write_whole(os.path.join(self.folder, "exit.json"), record)
        self._ring()

    def _logs(self) -> tuple[LogFile, ...]:
        return self.stdout, self.stderr, self.everything, self.runtime

    def _note(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        self.runtime.write(f"[{stamp}] [openpai-local] {text}\n".encode())

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
            self._note(f"{shown} starts")
            status = self._run_step(step)
            self._note(f"{shown} ended with status {status}")
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
                self._drain(0)
                return status
            wait = None if self.stop_by is None else self.stop_by - time.monotonic()
            if wait is not None and wait <= 0:
                self.killed = True
                return 128 + signal.SIGKILL if status is None else status
            if self._is_too_much():
                return 128 + signal.SIGKILL
            waits = [pause for pause in (wait, self.watch.pause) if pause is not None]
            self._pump(min(waits, default=None))

    def _is_too_much(self) -> bool:
        """Whether the task uses more than it may; it makes no more processes then."""
        self.exceeded = self.watch.exceeded()
        if self.exceeded:
            self._note(f"the task is killed: it uses more {self.exceeded} than it may")
            freeze()
        return bool(self.exceeded)

    def _verdict(self, step: str, status: int) -> tuple[str, int]:
        """Return which step decided, where the steps ran out of sight, in a container."""
        if not self.plan["verdict"] or step != "main":
            return step, status
        try:
            with open(self.plan["verdict"], encoding="utf-8") as file:
                words = file.read().split()
        except OSError:
            words = []
        self.exceeded = "".join(words[2:3])
        if not words:  # the container never came to its first command
            return ("main" if self.stop_by is not None else "creation"), status
        return (words[0], int(words[1])) if len(words) > 1 else (step, status)

    def _end_container(self) -> None:
        """Ask how the container ended, and remove it whatever it still does."""
        if self.plan["memoryQuery"] and self._ask(self.plan["memoryQuery"]).strip() == b"true":
            self.exceeded = "memory"
        if self.plan["ending"]:
            self._ask(self.plan["ending"])

    def _ask(self, words: list[str]) -> bytes:
        import subprocess

        try:
            done = subprocess.run(
                words,
                env=self.plan["environment"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=ENGINE_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            self._note(f"{words[0]} failed: {error}")
            return b""
        return done.stdout

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
        user = step["when"] == "main"
        self.sinks[out] = [self.stdout, self.everything] if user else [self.runtime]
        self.sinks[err] = [self.stderr, self.everything] if user else [self.runtime]
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

    def _pump(self, wait: float | None) -> bool:
        """Move what there is to read; return whether there was anything."""
        ready, _, _ = select.select([self._wake, *self.sinks], [], [], wait)
        if self.wants_new_logs:
            self.wants_new_logs = False
            for log in (self.stdout, self.stderr, self.everything):
                log.change_over()
        for source in ready:
            data = os.read(source, 65536)
            if source == self._wake:
                continue
            for log in self.sinks[source]:
                log.write(data)
            if not data:
                os.close(source)
                del self.sinks[source]
        return bool(ready)

    def _drain(self, patience: float) -> None:
        """Take what is left in the pipes, waiting so long for their writers to let go."""
        deadline = time.monotonic() + patience
        while self.sinks and self._pump(max(0.0, deadline - time.monotonic())):
            pass

    def _ask_for_new_logs(self) -> None:
        self.wants_new_logs = True

    def _stop(self) -> None:
        if self.stop_by is None:
            self.stop_by = time.monotonic() + self.plan["grace"]
            self._signal_groups()

    def _signal_groups(self) -> None:
        for group in self.groups:
            if group == self.container:
                words = self.plan["stopping"]
                os.posix_spawn(words[0], words, self.plan["environment"])
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGTERM)


def _shell_status(wait_status: int) -> int:
    """Return what a shell would say: the exit status, or 128 and the signal's number."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)
