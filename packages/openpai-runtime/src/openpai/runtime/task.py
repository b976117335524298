"""The life of a task whose job uses the runtime, from its start to its exit code."""

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
from openpai.runtime.events import Callbacks, Event, Meanwhile
from openpai.runtime.exit_codes import CALLBACK_FAILED, NOT_READY, OUTPUTS_NOT_SAVED
from openpai.runtime.job import TaskJob, Verdict, surroundings
from openpai.runtime.log import reason, say
from openpai.runtime.outputs import Ended
from openpai.runtime.process import Command, Loop, call_in_child, signal_group, start

__all__ = ["run_task"]


def run_task(job: TaskJob, argv: Sequence[str]) -> int:
    """Run one task to its end and return its exit code."""
    with Loop() as loop:
        return _Task(loop, job, argv).run()


class _Task:
    def __init__(self, loop: Loop, job: TaskJob, argv: Sequence[str]) -> None:
        self._loop = loop
        self._job = job
        self._argv = argv
        self._root = Path.cwd()
        self._started = time.time()
        self._variables: Mapping[str, str] = {}
        self._before: float | None = None
        self._oom_kills = oom_kills()
        section = job.section
        self._command = Command(loop, grace=section.grace_period, timeout=section.timeout)
        place = surroundings(job)
        self._log = ""
        self._not_started = ""
        self._stages: Mapping[str, float] = {}
        self._verdict = Verdict(section.retry)
        self._environ = {**place.environ, **self._verdict.variables}
        self._to_save = place.to_save
        self._callbacks = Callbacks(loop, section.callbacks, self._environ, self._time_left)
        self._meanwhile = Meanwhile(loop, self._callbacks, self._event, self._save_interval)
        self._command.on_stop = lambda: self._meanwhile.fire("stop")
        self._command.on_timeout = lambda: self._meanwhile.fire("timeout")

    def run(self) -> int:
        code = self._run_command()
        self._meanwhile.end(self._time_left)
        self._command.end_leftovers()
        self._facts = self._explain(code)
        self._callbacks.fire_and_wait(self._event("failure" if code else "success", code))
        saved = self._save(code) if self._job.folder else None
        self._callbacks.fire_and_wait(self._event("exit", code, saved))
        if self._variables:
            from openpai.runtime.job import remove_host_file

            remove_host_file(self._variables)
        if code == 0 and saved is False:
            code = OUTPUTS_NOT_SAVED
        elif code == 0 and self._callbacks.failed:
            code = CALLBACK_FAILED
        return self._final(code)

    def _final(self, code: int) -> int:
        """Return the exit code, which says whether PAI is to start the task again."""
        if code and self._command.stop_signal is None:
            code = self._verdict.code(self._event("failure", code))
        self._verdict.close()
        return code

    def _run_command(self) -> int:
        """Prepare, tell that the task starts, and run the command; return its exit code."""
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
            say("The command is not started: a callback that may fail the task has failed.")
            return CALLBACK_FAILED
        if self._job.section.tensorboard:
            self._start_tensorboard()
        self._meanwhile.begin(output.every for output in self._job.outputs if output.every)
        self._before = time.time() - self._started
        return self._command.run(self._argv, self._environ)

    def _fire_first(self, name: str) -> None:
        """Run the callbacks of an event before the command, until a signal asks to end."""
        if not name or self._command.stop_signal is not None:
            return
        chain = self._callbacks.fire(self._event(name))
        self._loop.run(lambda: chain.done or self._command.stop_signal is not None)
        chain.abandon()
        self._loop.run(lambda: chain.done)

    def _prepare(self) -> bool:
        """Get what the command needs; return whether it is there."""
        section = self._job.section
        if section.distributed and not self._distribute():
            return False
        if not section.needs_preparation:
            return True
        from openpai.runtime.setup import Preparation

        preparation = Preparation(self._job, self._root, self._environ)
        told, tell = os.pipe()
        failed = self._in_child(lambda: preparation.run(lambda why: os.write(tell, why.encode())))
        os.close(tell)
        with os.fdopen(told, errors="replace") as reader:
            heard = json.loads(reader.read() or "{}")  # nothing from a child that was killed
        self._stages = heard.get("seconds", {})
        self._not_started = heard.get("why", "")
        if not failed:
            self._environ = preparation.variables(self._environ)
        return not failed

    def _start_tensorboard(self) -> None:
        """Start TensorBoard beside the command; a fault is said and changes nothing."""
        from openpai.runtime.setup import tensorboard_command

        assert self._job.section.tensorboard
        try:
            argv = tensorboard_command(self._job, self._job.section.tensorboard, self._environ)
        except OpenPaiError as error:
            say(reason(error))
            return
        if argv:
            pid = start(self._loop, argv, self._environ, quiet_input=True)
            self._loop.watch(pid, lambda code: say(f"TensorBoard has ended with {code}."))

    def _add_secrets(self) -> bool:
        """Add the secrets that the job wants as variables; return whether they are there."""
        wanted = [(one.variable or one.name, one.name) for one in self._job.section.secrets]
        if not wanted:
            return True
        from openpai.runtime.secrets import secret_variables

        try:
            self._environ = {**self._environ, **secret_variables(wanted, self._job.environ)}
        except OpenPaiError as error:
            self._not_started = reason(error)
            say(f"The command is not started. {self._not_started}")
            return False
        return True

    def _distribute(self) -> bool:
        """Add what the job's distributed framework wants to know; return whether it is known."""
        from openpai.runtime.job import framework_variables

        try:
            self._variables = framework_variables(self._job)
        except (OSError, OpenPaiError) as error:
            self._not_started = reason(error)
            say(f"The command is not started. {self._not_started}")
            return False
        self._environ = {**self._variables, **self._environ}
        return True

    def _explain(self, code: int) -> Mapping[str, Any]:
        """Return the times of the task's parts; say and add why the command failed, if it did."""
        if self._before is None and self._not_started:
            facts = {"exitCode": code, "notStarted": self._not_started}
            return {"explanation": facts}
        if self._before is None:
            return {}
        command = time.time() - self._started - self._before
        times = {**self._stages, "before": round(self._before, 3), "command": round(command, 3)}
        facts = {"seconds": times}
        if not code:
            return facts
        from openpai.runtime.diagnosis import Evidence, as_text, gpu_faults, log_tail

        if self._command.stop_signal is not None:
            self._log = log_tail(self._environ)
            return facts
        kills = oom_kills() - self._oom_kills
        evidence = Evidence(code, command, kills, self._disks(), gpu_faults(self._environ))
        first = as_text(evidence).splitlines()[0]
        say(first)
        self._log = log_tail(self._environ, until=first)  # so that the log is known to be whole
        evidence.read(self._log)
        rest = as_text(evidence).splitlines()[1:]
        if rest:
            say("\n".join(rest))
        return {**facts, "explanation": evidence.record()}

    def _disks(self) -> list[Path]:
        import tempfile

        return [self._root, Path(tempfile.gettempdir())]

    def _save_interval(self, every: float) -> int:
        return self._saver(Ended("interval", self._started, every=every), ())

    def _save(self, code: int) -> bool:
        """Save the outputs and the manifest; return whether all of them are saved."""
        event = "failure" if code else "success"
        if self._command.stop_signal is not None:
            event = "stop"
        elif self._command.timed_out:
            event = "timeout"
        ended = Ended(event, self._started, code, facts=self._facts)
        status = self._in_child(partial(self._saver, ended, None), self._is_late)
        if status > 1:  # ended before it could report
            say("Not saved: the grace period was over before all outputs were saved.")
        return status == 0

    def _saver(self, ended: Ended, pauses: Sequence[float] | None) -> int:
        from openpai.runtime.outputs import PAUSES, Saver

        saver = Saver(
            self._job,
            self._root,
            ended,
            extra=self._to_save,
            deadline=self._command.stop_by,
        )
        return 0 if saver.run(PAUSES if pauses is None else pauses) else 1

    def _in_child(
        self, function: Callable[[], int], is_over: Callable[[], bool] | None = None
    ) -> int:
        """Do something long in a child process; end it when it may not go on.

        Args:
            function: What to do; returns the exit status.
            is_over: Whether it may not go on; without it, a signal that asks to end is the limit.
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
        """Return the seconds until everything has to be over; ``None`` if nobody asked to end."""
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
