"""Write the log lines of a job's tasks, and follow a job to its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from openpai.cli.framework import end_sentence, exit_code_of, following_job

if TYPE_CHECKING:
    from datetime import datetime

    from openpai.cli.framework import CliApp
    from openpai.core.client import LogLine, RemoteJob

__all__ = ["follow_to_end", "write_lines"]

_COLORS = ("cyan", "magenta", "green", "yellow", "blue")


def follow_to_end(
    app: CliApp,
    job: RemoteJob,
    role: str | None = None,
    index: int | None = None,
    stream: str = "all",
    *,
    tail: int | None = None,
    since: datetime | None = None,
) -> int:
    """Write lines until the job has ended, say how it ended, and return its exit code."""
    with following_job(app.console, job):
        lines = job.log_lines(role, index, stream, follow=True, tail=tail, since=since)
        write_lines(app, job, lines)
        detail = job.wait()
    app.note(end_sentence(detail))
    return exit_code_of(detail)


def write_lines(app: CliApp, job: RemoteJob, lines: Iterable[LogLine]) -> None:
    """Write lines as they come, each with its task where there is more than one."""
    prefixes = _Prefixes(app, job)
    for line in lines:
        app.console.print(prefixes.of(line.role, line.task_index) + line.text)
        sys.stdout.flush()


class _Prefixes:
    """``worker-3 | ``, aligned and in a colour of the task's own; nothing for a lonely task."""

    def __init__(self, app: CliApp, job: RemoteJob) -> None:
        self._app = app
        self._job = job
        self._known: dict[tuple[str, int], str] = {}

    def of(self, role: str, index: int) -> str:
        if (role, index) not in self._known:
            self._try_to_learn()
        return self._known.setdefault((role, index), f"{role}-{index} | ")

    def _try_to_learn(self) -> None:
        """A cluster that does not answer just now costs the alignment, not the line."""
        from openpai.core.errors import OpenPaiError

        with suppress(OpenPaiError):
            self._learn()

    def _learn(self) -> None:
        """Ask which tasks there are; a role that was left out still counts for the width."""
        tasks = [(role, task.index) for role, task in self._job.tasks()]
        if len(tasks) == 1:
            self._known[tasks[0]] = ""
            return
        names = {task: f"{task[0]}-{task[1]}" for task in tasks}
        width = max(map(len, names.values()), default=0)
        for number, task in enumerate(tasks):
            prefix = f"{names[task]:<{width}} |"
            color = _COLORS[number % len(_COLORS)]
            self._known[task] = self._app.console.paint_data(prefix, color) + " "
