"""Run a task of a job with a runtime section, from its start to its exit code."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from openpai.core.cgroups import oom_kills
from openpai.core.errors import OpenPaiError
from openpai.runtime.events import BackgroundWork, Callbacks, Event
from openpai.runtime.exit_codes import CALLBACK_FAILED, NOT_READY, OUTPUTS_NOT_SAVED
from openpai.runtime.job import RetryDecision, TaskJob, prepare_workdir
from openpai.runtime.log import log, message_of
from openpai.runtime.outputs import TaskResult
from openpai.runtime.process import Command, EventLoop, call_in_child, signal_group, start

__all__ = ["run_task"]


def run_task(job: TaskJob, argv: Sequence[str]) -> int:
    """Run a task to its end; return its exit code."""
    with EventLoop() as loop:
        return _Task(loop, job, argv).run()


class _Task:
    def __init__(self, loop: EventLoop, job: TaskJob, argv: Sequence[str]) -> None:
        self._loop = loop
        self._job = job
        self._argv = argv
        self._root = Path.cwd()
        self._started = time.time()
        self._framework_variables: Mapping[str, str] = {}
        self._before: float | None = None
        self._oom_kills = oom_kills()
        section = job.section
        self._command = Command(loop, grace=section.grace_period, timeout=section.timeout)
        workdir = prepare_workdir(job)
        self._log = ""
        self._start_error = ""
        self._stages: Mapping[str, float] = {}
        self._retry = RetryDecision(section.retry)
        self._environ = {**workdir.environ, **self._retry.variables}
        self._to_save = workdir.to_save
        self._callbacks = Callbacks(loop, section.callbacks, self._environ, self._time_left)
        self._background = BackgroundWork(loop, self._callbacks, self._event, self._save_interval)
        self._command.on_stop = lambda: self._background.fire("stop")
        self._command.on_timeout = lambda: self._background.fire("timeout")

    def run(self) -> int:
        code = self._run_command()
        self._background.end(self._time_left)
        self._command.end_leftovers()
        self._facts = self._explain(code)
        self._callbacks.fire_and_wait(self._event("failure" if code else "success", code))
        saved = self._save(code) if self._job.folder else None
        self._callbacks.fire_and_wait(self._event("exit", code, saved))
        if self._framework_variables:
            from openpai.runtime.job import remove_host_file

            remove_host_file(self._framework_variables)
        if code == 0 and saved is False:
            code = OUTPUTS_NOT_SAVED
        elif code == 0 and self._callbacks.failed:
            code = CALLBACK_FAILED
        return self._final(code)

    def _final(self, code: int) -> int:
        """Return the exit code, which controls whether PAI retries the task."""
        if code and self._command.stop_signal is None:
            code = self._retry.code(self._event("failure", code))
        self._retry.close()
        return code

    def _run_command(self) -> int:
        """Prepare, run the start callbacks and the command; return the exit code."""
        is_ready = self._add_secrets() and self._prepare()
        self._callbacks.environ = self._environ
        if is_ready:
            self._fire_first("retry" if self._job.attempt else "")
            self._fire_first("start")
        if self._command.stop_signal is not None:
            return 128 + self._command.stop_signal
        if not is_ready:
            return NOT_READY
        if self._callbacks.failed:
            log("The command is not started: a callback that may fail the task has failed.")
            return CALLBACK_FAILED
        if self._job.section.tensorboard:
            self._start_tensorboard()
        self._background.begin(output.every for output in self._job.outputs if output.every)
        self._before = time.time() - self._started
        return self._command.run(self._argv, self._environ)

    def _fire_first(self, name: str) -> None:
        """Run the callbacks of an event before the command, until a stop signal."""
        if not name or self._command.stop_signal is not None:
            return
        chain = self._callbacks.fire(self._event(name))
        self._loop.run(lambda: chain.done or self._command.stop_signal is not None)
        chain.abandon()
        self._loop.run(lambda: chain.done)

    def _prepare(self) -> bool:
        """Prepare what the command needs; return whether that succeeded."""
        section = self._job.section
        if section.distributed and not self._distribute():
            return False
        if not section.needs_preparation:
            return True
        from openpai.runtime.setup import Preparation

        preparation = Preparation(self._job, self._root, self._environ)
        reader_fd, writer_fd = os.pipe()
        failed = self._in_child(
            lambda: preparation.run(lambda text: os.write(writer_fd, text.encode()))
        )
        os.close(writer_fd)
        with os.fdopen(reader_fd, errors="replace") as reader:
            report = json.loads(reader.read() or "{}")  # empty if the child was killed
        self._stages = report.get("seconds", {})
        self._start_error = report.get("why", "")
        if not failed:
            self._environ = preparation.variables(self._environ)
        return not failed

    def _start_tensorboard(self) -> None:
        """Start TensorBoard in the background; log a failure and continue."""
        from openpai.runtime.setup import tensorboard_command

        assert self._job.section.tensorboard
        try:
            argv = tensorboard_command(self._job, self._job.section.tensorboard, self._environ)
        except OpenPaiError as error:
            log(message_of(error))
            return
        if argv:
            pid = start(self._loop, argv, self._environ, quiet_input=True)
            self._loop.watch(pid, lambda code: log(f"TensorBoard has ended with {code}."))

    def _add_secrets(self) -> bool:
        """Add the job's secrets as variables; return whether that succeeded."""
        wanted = [(one.variable or one.name, one.name) for one in self._job.section.secrets]
        if not wanted:
            return True
        from openpai.runtime.secrets import secret_variables

        try:
            self._environ = {**self._environ, **secret_variables(wanted, self._job.environ)}
        except OpenPaiError as error:
            self._start_error = message_of(error)
            log(f"The command is not started. {self._start_error}")
            return False
        return True

    def _distribute(self) -> bool:
        """Add the variables of the distributed framework; return whether that succeeded."""
        from openpai.runtime.job import framework_variables

        try:
            self._framework_variables = framework_variables(self._job)
        except (OSError, OpenPaiError) as error:
            self._start_error = message_of(error)
            log(f"The command is not started. {self._start_error}")
            return False
        self._environ = {**self._framework_variables, **self._environ}
        return True

    def _explain(self, code: int) -> Mapping[str, Any]:
        """Return durations and, after a failure, its diagnosis, which is also logged."""
        if self._before is None and self._start_error:
            facts = {"exitCode": code, "notStarted": self._start_error}
            return {"explanation": facts}
        if self._before is None:
            return {}
        command = time.time() - self._started - self._before
        times = {**self._stages, "before": round(self._before, 3), "command": round(command, 3)}
        facts = {"seconds": times}
        if not code:
            return facts
        from openpai.runtime.diagnosis import Diagnosis, as_text, gpu_faults, log_tail

        if self._command.stop_signal is not None:
            self._log = log_tail(self._environ)
            return facts
        kills = oom_kills() - self._oom_kills
        diagnosis = Diagnosis(code, command, kills, self._disks(), gpu_faults(self._environ))
        first = as_text(diagnosis).splitlines()[0]
        log(first)
        self._log = log_tail(self._environ, until=first)  # then the log is complete
        diagnosis.read(self._log)
        rest = as_text(diagnosis).splitlines()[1:]
        if rest:
            log("\n".join(rest))
        return {**facts, "explanation": diagnosis.record()}

    def _disks(self) -> list[Path]:
        import tempfile

        return [self._root, Path(tempfile.gettempdir())]

    def _save_interval(self, every: float) -> int:
        return self._upload(TaskResult("interval", self._started, every=every), ())

    def _save(self, code: int) -> bool:
        """Save the outputs and the manifest; return whether all were saved."""
        event = "failure" if code else "success"
        if self._command.stop_signal is not None:
            event = "stop"
        elif self._command.timed_out:
            event = "timeout"
        ended = TaskResult(event, self._started, code, facts=self._facts)
        status = self._in_child(partial(self._upload, ended, None), self._is_late)
        if status > 1:  # killed before it could log
            log("Not saved: the grace period was over before all outputs were saved.")
        return status == 0

    def _upload(self, ended: TaskResult, pauses: Sequence[float] | None) -> int:
        from openpai.runtime.outputs import PAUSES, OutputUploader

        uploader = OutputUploader(
            self._job,
            self._root,
            ended,
            extra=self._to_save,
            deadline=self._command.stop_by,
        )
        return 0 if uploader.run(PAUSES if pauses is None else pauses) else 1

    def _in_child(
        self, function: Callable[[], int], is_over: Callable[[], bool] | None = None
    ) -> int:
        """Run a function in a child process; terminate it when it must end.

        Args:
            function: The function; returns the exit status.
            is_over: Returns whether it must end; by default at a stop signal.
        """
        ends: list[int] = []
        pid = call_in_child(self._loop, function)
        self._loop.watch(pid, ends.append)
        is_over = is_over or (lambda: self._command.stop_signal is not None)
        self._loop.run(lambda: bool(ends) or is_over())
        if not ends:
            signal_group(pid, signal.SIGTERM)
        self._loop.run(lambda: bool(ends))
        return ends[0]

    def _time_left(self) -> float | None:
        """Return the seconds until the task must end; ``None`` before a stop signal."""
        stop_by = self._command.stop_by
        return None if stop_by is None else max(0.0, stop_by - time.monotonic())

    def _is_late(self) -> bool:
        return self._time_left() == 0

    def _event(self, name: str, code: int | None = None, saved: bool | None = None) -> Event:
        context = self._job.context
        return Event(
            name=name,
            role=context.role,
            index=context.index,
            attempt=self._job.attempt,
            exit_code=code,
            signal=self._command.stop_signal,
            outputs_saved=saved,
            log=self._log,
        )
