"""Run a notebook cell by cell and save it while it runs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.notebooknode import from_dict

from openpai.core.cgroups import oom_kills
from openpai.notebook.errors import KernelError
from openpai.notebook.execute.client import Client
from openpai.notebook.execute.kernel_exit import exit_reason, exit_status
from openpai.notebook.execute.kernels import choose_kernel
from openpai.notebook.execute.log import Log
from openpai.notebook.formats import Notebook, code_cells, dump_notebook, language

__all__ = ["Options", "execute"]

#: Seconds that a cell is given to end by itself when the job is stopped (PAI gives a task 30).
_STOP_GRACE = 5.0

#: Seconds from which the duration of a cell is logged.
_REPORT_AFTER = 1.0


@dataclass(frozen=True)
class Options:
    """Options of a run.

    Attributes:
        output: Where the executed notebook is written.
        cwd: The kernel's working folder.
        kernel: The kernel to use instead of the one that the notebook names.
        save_every: Seconds between two saves while the notebook runs.
        allow_errors: Whether cells after a failed one are run.
        library: An archive appended to a Python kernel's search path.
    """

    output: Path
    cwd: Path
    kernel: str | None = None
    save_every: float = 15.0
    allow_errors: bool = False
    library: Path | None = None


@dataclass(frozen=True)
class _Outcome:
    """End of a run: status for the notebook's metadata, sentence, exit code."""

    status: str
    message: str = ""
    code: int = 0


def execute(notebook: Notebook, options: Options, log: Log) -> tuple[Notebook, int]:
    """Run a notebook and always write it with its outputs.

    Returns:
        The executed notebook, and an exit code: 0; 1 after a failed cell or a dead kernel; 128+n
        where signal n asked this process to end.

    Raises:
        KernelError: No kernel could be started.
    """
    run = _Run(notebook, options, log)
    code = asyncio.run(run.main())
    return run.node, code


class _Run:
    def __init__(self, notebook: Notebook, options: Options, log: Log) -> None:
        self._options = options
        self._log = log
        self.node: Any = from_dict(notebook)  # type: ignore[no-untyped-call]
        kernel = choose_kernel(notebook, options.kernel, log)
        self._client = Client(self.node, kernel, str(options.cwd), log, options.allow_errors)
        job = os.environ.get("PAI_FRAMEWORK_NAME", "")
        facts = {"status": "running", "kernel": kernel, "started": _now(), "job": job}
        self.node["metadata"]["openpai"] = facts
        self._facts = self.node["metadata"]["openpai"]  # a node of its own since the line above
        self._cell: Any = None  # the one that runs
        self._stopping = False
        self._save_failed = False
        for _, cell in code_cells(self.node):  # outputs of an earlier run
            cell.update(outputs=[], execution_count=None)

    async def main(self) -> int:
        loop = asyncio.get_running_loop()
        signalled: asyncio.Future[int] = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _resolve, signalled, int(number))
        saver = asyncio.ensure_future(self._save_regularly())
        work = asyncio.ensure_future(self._work())
        try:
            both: set[asyncio.Future[Any]] = {work, signalled}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            end = await self._stop(signalled.result(), work) if signalled.done() else work.result()
            return self._finish(end)
        finally:
            saver.cancel()
            await self._client.stop()

    async def _work(self) -> _Outcome:
        """Start the kernel and run the cells."""
        kills = oom_kills()
        await self._start()
        try:
            await self._run_cells()
        except CellExecutionError as error:
            return _Outcome("failed", f"the cell raised {error.ename}: {error.evalue}", 1)
        except DeadKernelError:
            if self._stopping:
                return _Outcome("stopped")
            message, code = exit_reason(exit_status(self._client.process), oom_kills() > kills)
            self._add_error("DeadKernelError", message)
            return _Outcome("failed", message, code)
        return _Outcome("succeeded")

    async def _start(self) -> None:
        try:
            await self._client.start()
        except RuntimeError as error:
            raise KernelError(
                f"The kernel '{self._client.kernel_name}' did not start: {error}.",
                "What it said about it stands above.",
            ) from error
        await self._client.learn_language()
        if language(self.node) == "python":
            await self._client.set_up_python(self._options.library)

    async def _run_cells(self) -> None:
        cells: list[tuple[int, Any]] = list(code_cells(self.node))
        for number, (index, cell) in enumerate(cells, start=1):
            if self._stopping:
                return
            if self._client.skip_cells_with_tag in cell["metadata"].get("tags", []):
                self._log.note(f"cell {number} of {len(cells)} is left out, as its tag says.")
                continue
            self._log.note(f"cell {number} of {len(cells)}")
            began = time.monotonic()
            self._cell = cell
            await self._client.async_execute_cell(cell, index)
            self._cell = None
            took = time.monotonic() - began
            if took >= _REPORT_AFTER:
                self._log.note(f"cell {number} of {len(cells)} took {took:.1f} s")

    async def _stop(self, number: int, work: asyncio.Future[_Outcome]) -> _Outcome:
        """Interrupt the running cell, and end the kernel if the cell does not end."""
        self._stopping = True
        self._save()  # first, as the time left is unknown
        name = signal.Signals(number).name
        self._log.note(f"asked to stop ({name}); the running cell is interrupted.")
        await self._client.interrupt()
        await asyncio.wait({work}, timeout=_STOP_GRACE)
        if not work.done():
            self._client.shutdown_kernel = "immediate"
            work.cancel()
            await asyncio.wait({work}, timeout=1)
        message = f"The job was stopped ({name})."
        self._add_error("JobStopped", message)
        return _Outcome("stopped", message, 128 + number)

    def _add_error(self, name: str, message: str) -> None:
        """Write an error into the cell that was running."""
        if self._cell is not None:
            error: dict[str, Any] = {"output_type": "error", "ename": name, "evalue": message}
            self._cell["outputs"].append({**error, "traceback": [message]})

    def _finish(self, end: _Outcome) -> int:
        self._facts.update(status=end.status, finished=_now(), message=end.message)
        self._client.set_widgets_metadata()
        saved = self._save()
        self._log.note(f"{end.status}{': ' if end.message else '.'}{end.message}")
        return end.code or (0 if saved else 1)

    async def _save_regularly(self) -> None:
        seen = -1
        pause = self._options.save_every
        while True:
            began = time.monotonic()
            if self._client.messages != seen:
                seen = self._client.messages
                self._save()
            # A notebook that takes long to write is written less often.
            await asyncio.sleep(max(pause, 20 * (time.monotonic() - began)))

    def _save(self) -> bool:
        try:
            dump_notebook(self.node, self._options.output)
        except OSError as error:
            if not self._save_failed:
                self._log.note(f"the notebook cannot be saved: {error}")
            self._save_failed = True
            return False
        self._save_failed = False
        return True


def _resolve(future: asyncio.Future[int], value: int) -> None:
    if not future.done():
        future.set_result(value)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
