"""What all servers of tests have in common."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from support.processes import kill_family, state_of
from support.wait import wait_until

Self = TypeVar("Self", bound="Server")
#: Seconds that a server may take to start on a loaded machine.
STARTING = 240


@dataclass
class Server:
    """Processes that serve tests, each in a session of its own.

    Attributes:
        folder: Gets settings, data and the log of each process.
        records: A folder with a file for each process that runs, if there is one.
    """

    folder: Path
    records: ClassVar[Path | None] = None

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self: Self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Kill all that runs, and what serves single connections."""
        for name in list(self._running):
            self.kill(name)

    def launch(self, name: str, command: Sequence[str], **options: Any) -> None:
        """Start a process; its output goes to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,
            )
        if self.records:
            (self.records / str(process.pid)).write_text(state_of(process.pid)[1])

    def kill(self, name: str) -> None:
        """Kill a process, its group and its descendants."""
        process = self._running.pop(name)
        kill_family(process.pid)
        process.wait()
        if self.records:
            (self.records / str(process.pid)).unlink()

    def wait_for_port(self, name: str, port: int) -> None:
        """Wait until a process listens on a port of 127.0.0.1."""

        def listens() -> bool:
            assert self._running[name].poll() is None, f"{name} has ended"
            with closing(socket.socket()) as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens, f"the start of {name}", timeout=STARTING)

    def logs(self) -> str:
        """Return the end of each log."""
        return "\n".join(
            f"{file.name}:\n{file.read_text(errors='replace')[-3000:]}"
            for file in sorted(self.folder.glob("*.log"))
        )
