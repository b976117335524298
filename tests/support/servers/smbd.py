"""A real Samba server, with settings and users of its own."""

from __future__ import annotations

import getpass
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.servers.server import Server

PASSWORD = "very-secret"
#: Another user of the machine, who owns nothing.
STRANGER = "nobody"
_DIRECTORIES = ("lock", "state", "cache", "pid")
_DIRS = ("private", "ncalrpc")


@dataclass
class Smbd(Server):
    """The server; its folder needs a short path, for its sockets, and bits that let others in.

    Attributes:
        program: Where smbd is.
        port: Where it listens on 127.0.0.1.
    """

    program: str
    port: int = field(default_factory=free_port)

    @property
    def root(self) -> Path:
        """The folder that its share ``team`` is."""
        return self.folder / "team"

    def start(self, limits: str = "") -> None:
        """Start it, below limits of the shell such as ``ulimit -f 1``."""
        if not self.root.exists():
            self._configure()
        options = f"-F --no-process-group -s {self.folder}/smb.conf -l {self.folder}"
        self.launch(
            "smbd",
            ["bash", "-c", f"{limits or ':'}; exec {self.program} {options}"],
            restore_signals=False,  # a full disk is an error, not a signal
        )
        self.wait_for_port("smbd", self.port)

    def _configure(self) -> None:
        self.root.mkdir()
        for name in (*_DIRECTORIES, *_DIRS):
            (self.folder / name).mkdir(mode=0o700)
        settings = [
            *(f"{name} directory = {self.folder}/{name}" for name in _DIRECTORIES),
            *(f"{name} dir = {self.folder}/{name}" for name in _DIRS),
            f"passdb backend = tdbsam:{self.folder}/private/passdb.tdb",
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
        (self.folder / "smb.conf").write_text("\n".join(text) + "\n")
        for user in (getpass.getuser(), STRANGER):
            add = ["pdbedit", "-s", f"{self.folder}/smb.conf", "-a", "-t", "-u", user]
            twice = f"{PASSWORD}\n{PASSWORD}\n"
            subprocess.run(add, input=twice, text=True, check=True, capture_output=True)

    def spec(self, folder: str, share: str = "team", **data: Any) -> Any:
        """Return the storage ``main`` in a folder of a share."""
        from openpai.core.storage.base import StorageSpec

        usual = {
            "address": f"//127.0.0.1:{self.port}/{share}/{folder}",
            "username": getpass.getuser(),
            "password": PASSWORD,
        }
        return StorageSpec("main", "samba", {**usual, **data})
