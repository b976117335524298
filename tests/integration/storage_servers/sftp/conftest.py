"""A real OpenSSH server on loopback, run as this user with keys and settings of its own."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openpai.core.storage import Storage, StorageSpec, open_storage
from openpai.storage.testing.helpers import free_port


class Sshd:
    """The server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        home: A folder that its user may write.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        for name in ("host", "user", "stranger"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(make, check=True)
        self.port = free_port()
        key = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        (folder / "empty").write_text("")
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "user.pub",
            "StrictModes": "no",
            "UsePAM": "no",
            "PidFile": "none",
            "PermitRootLogin": "yes",
            "MaxStartups": "100",
            "Subsystem": "sftp internal-sftp",
        }
        lines = (f"{name} {value}\n" for name, value in settings.items())
        (folder / "sshd_config").write_text("".join(lines))
        if os.geteuid() == 0:  # where sshd insists on it
            Path("/run/sshd").mkdir(exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, limits: str = "") -> None:
        """Start it, below limits of the shell such as ``ulimit -f 1``."""
        command = [self._program, "-D", "-e", "-f", str(self._folder / "sshd_config")]
        words = f"{limits or ':'}; exec {shlex.join(command)}"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                restore_signals=False,  # a full disk is an error, not a signal
            )
        end = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < end:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"sshd does not start: {(self._folder / 'log').read_text()}")

    def stop(self) -> None:
        """Kill it and the connections that it serves."""
        if self._process:
            children = ["ps", "-o", "pid=", "--ppid", str(self._process.pid)]
            found = subprocess.run(children, capture_output=True, text=True, check=False).stdout
            self._process.kill()
            self._process.wait()
            self._process = None
            subprocess.run(["kill", "-9", *found.split()], capture_output=True, check=False)

    def spec(self, folder: Path, **data: Any) -> StorageSpec:
        """Return the storage ``main`` in a folder of the server."""
        usual = {
            "uri": f"sftp://127.0.0.1:{self.port}{folder}",
            "user": getpass.getuser(),
            "key_file": str(self._folder / "user"),
            "known_hosts": str(self._folder / "known_hosts"),
        }
        return StorageSpec("main", "sftp", {**usual, **data})

    def file(self, name: str) -> str:
        """Return the path of one of its files."""
        return str(self._folder / name)


@pytest.fixture(scope="session")
def sshd(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Return a running server."""
    server = Sshd(needs("sshd"), tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the keys and settings of whoever runs the tests out of them."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def attached(sshd: Sshd, tmp_path: Path) -> Iterator[Callable[..., Storage]]:
    """Return a function that opens an empty folder of the server with other data."""
    opened: list[Storage] = []
    folder = tmp_path / "served"
    folder.mkdir()

    def build(**data: Any) -> Storage:
        opened.append(open_storage(sshd.spec(folder, **data)))
        return opened[-1]

    yield build
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(attached: Callable[..., Storage]) -> Storage:
    """Return an empty folder of a real SSH server."""
    return attached()
