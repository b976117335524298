"""nbclient's client, with bounded outputs, a live log and a known kernel process."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from textwrap import indent
from typing import Any

import zmq
from nbclient import NotebookClient

from openpai.notebook.execute.log import Log
from openpai.notebook.execute.streams import BoundedStreams
from openpai.notebook.formats import language

__all__ = ["Client"]

#: Seconds within which a kernel must be ready, with an image on a slow disk.
_STARTUP = 300

#: Seconds to wait for outputs after a cell is done.
_DRAIN = 60

#: Maximum length of the folder's path, so that the paths of sockets in it are valid.
_MAX_FOLDER = 68

#: A kernel drops what it shows when it shows more than this at once; 0 is without limit.
_UNLIMITED = """\
try:
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    _thread = IPKernelApp.instance().iopub_thread
    _thread.schedule(lambda: _thread.socket.setsockopt(zmq.SNDHWM, 0))
except Exception:
    pass  # another kernel for Python, or an older ipykernel: it keeps its limit
"""


def _private_folder() -> Path:
    """Return a new folder for the kernel's sockets; their paths may have 107 bytes (unix(7))."""
    usual = tempfile.gettempdir()
    short = len(os.fsencode(usual)) < _MAX_FOLDER
    return Path(tempfile.mkdtemp(prefix="openpai-kernel-", dir=usual if short else "/tmp"))  # noqa: S108


class Client(NotebookClient):
    """Runs the cells of one notebook in one kernel.

    Attributes:
        process: The kernel's process, once it is started.
        messages: How many messages of the kernel have changed the notebook.
    """

    def __init__(self, notebook: Any, kernel: str, cwd: str, log: Log, allow_errors: bool) -> None:
        super().__init__(
            notebook,
            kernel_name=kernel,
            allow_errors=allow_errors,
            startup_timeout=_STARTUP,
            iopub_timeout=_DRAIN,
            timeout=None,
            resources={"metadata": {"path": cwd}},
        )
        self.log = logging.getLogger("openpai.notebook")
        self.log.addFilter(
            lambda record: "Kernel died" not in record.getMessage()
        )  # logged with its reason by run.py
        self.process: subprocess.Popen[bytes] | None = None
        self.messages = 0
        self._folder = _private_folder()
        self._job_log = log
        self._bounds = BoundedStreams()

    async def start(self) -> None:
        """Start the kernel and wait until it answers.

        Raises:
            RuntimeError: It ended, or did not answer in time.
        """
        manager: Any = self.create_kernel_manager()
        # The kernel's sockets are private files, not ports of a host that other jobs share; and
        # they do not lie in a home that may be read-only.
        manager.connection_file = str(self._folder / "kernel.json")
        if language(self.nb) == "python":
            manager.transport = "ipc"
        # Messages must not be dropped where a cell shows more at once than is read meanwhile.
        manager.context.setsockopt(zmq.RCVHWM, 0)
        await self.async_start_new_kernel()
        self.process = getattr(getattr(manager, "provisioner", None), "process", None)
        await self.async_start_new_kernel_client()

    async def set_up_python(self, library: Path | None) -> None:
        """Prepare a Python kernel: it drops nothing that it shows, and can import ``library``."""
        kernel: Any = self.kc
        code = f"def _set_up():\n{indent(_UNLIMITED, '    ')}\n_set_up()\ndel _set_up\n"
        if library is not None:
            code += f"import sys as _sys; _sys.path.append({str(library)!r}); del _sys"
        await self.async_wait_for_reply(kernel.execute(code, silent=True, store_history=False))

    async def learn_language(self) -> None:
        """Write into the notebook which language the kernel speaks, as Jupyter does."""
        kernel: Any = self.kc
        reply = await self.async_wait_for_reply(kernel.kernel_info())
        if reply is not None and "language_info" in reply["content"]:
            self.nb.metadata["language_info"] = reply["content"]["language_info"]

    async def interrupt(self) -> None:
        """Interrupt the running cell as Jupyter's stop button does."""
        manager: Any = self.km
        if self.process is not None and self.kc is not None:
            await manager.interrupt_kernel()

    async def stop(self) -> None:
        """End the kernel and what it started; a kernel that is gone already is fine."""
        if self.km is not None:
            await self._async_cleanup_kernel()
        shutil.rmtree(self._folder, ignore_errors=True)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Process a message of the kernel (called by nbclient)."""
        self.messages += 1
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> Any:
        """Process an output of a cell (called by nbclient)."""
        output = super().output(outs, msg, display_id, cell_index)
        if output is not None:
            self._job_log.output(output)
            if output["output_type"] == "stream":
                self._bounds.settle(outs)
        return output
