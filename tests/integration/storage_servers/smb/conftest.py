"""A real Samba server on loopback, with settings and users of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from openpai.core.storage import Storage, StorageSpec, open_storage
from openpai.storage.testing.helpers import free_port

PASSWORD = "very-secret"
#: Another user of the machine, who owns nothing.
STRANGER = "nobody"


class Smbd:
    """The server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        root: The folder that its share ``team`` is.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.root = folder / "team"
        self.root.mkdir()
        self.port = free_port()
        places = ("lock", "state", "cache", "pid", "private", "ncalrpc")
        settings = [
            f"{name} {'dir' if name in ('private', 'ncalrpc') else 'directory'} = {folder}/{name}"
            for name in places
        ]
        for name in places:
            (folder / name).mkdir(mode=0o700)
        settings += [
            f"passdb backend = tdbsam:{folder}/private/passdb.tdb",
            f"smb ports = {self.port}",
            "interfaces = 127.0.0.1/8",
            "bind interfaces only = yes",
            "server role = standalone",
            "map to guest = never",
            "disable spoolss = yes",
            "load printers = no",
            "log level = 1",
        ]
        shares = {"team": "read only = no", "museum": "read only = yes"}
        text = ["[global]", *settings]
        for name, right in shares.items():
            text += [f"[{name}]", f"path = {self.root}", right]
        (folder / "smb.conf").write_text("\n".join(text) + "\n")
        for user in (getpass.getuser(), STRANGER):
            add = ["pdbedit", "-s", str(folder / "smb.conf"), "-a", "-t", "-u", user]
            twice = f"{PASSWORD}\n{PASSWORD}\n"
            subprocess.run(add, input=twice, text=True, check=True, capture_output=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, limits: str = "") -> None:
        """Start it, below limits of the shell such as ``ulimit -f 1``."""
        options = f"-F --no-process-group -s {self._folder}/smb.conf -l {self._folder}"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f"{limits or ':'}; exec {self._program} {options}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                restore_signals=False,  # a full disk is an error, not a signal
            )
        end = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < end:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"smbd does not start: {(self._folder / 'log').read_text()}")

    def stop(self) -> None:
        """Kill it and the processes of its connections."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def spec(self, folder: str, share: str = "team", **data: Any) -> StorageSpec:
        """Return the storage ``main`` in a folder of a share."""
        usual = {
            "address": f"//127.0.0.1:{self.port}/{share}/{folder}",
            "username": getpass.getuser(),
            "password": PASSWORD,
        }
        return StorageSpec("main", "samba", {**usual, **data})


@pytest.fixture(scope="session")
def smbd(needs: Callable[[str], str]) -> Iterator[Smbd]:
    """Return a running server; its sockets need a short path."""
    program = needs("smbd")
    folder = Path(tempfile.mkdtemp(prefix="smbd-", dir="/tmp"))
    folder.chmod(0o755)
    server = Smbd(program, folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def folder(smbd: Smbd) -> str:
    """Return an empty folder of the share, of its own."""
    name = os.urandom(4).hex()
    (smbd.root / name).mkdir()
    return name


@pytest.fixture
def attached(smbd: Smbd, folder: str) -> Iterator[Callable[..., Storage]]:
    """Return a function that opens the folder with other data."""
    opened: list[Storage] = []

    def build(**data: Any) -> Storage:
        share = data.pop("share", "team")
        opened.append(open_storage(smbd.spec(folder, share, **data)))
        return opened[-1]

    yield build
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(attached: Callable[..., Storage]) -> Storage:
    """Return an empty folder of a real share."""
    return attached()
