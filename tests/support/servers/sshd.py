"""A real OpenSSH server, run as this user with keys and settings of its own."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.servers.server import Server


@dataclass
class Sshd(Server):
    """The server.

    Attributes:
        program: Where sshd is.
        port: Where it listens on 127.0.0.1.
    """

    program: str
    port: int = field(default_factory=free_port)

    @property
    def home(self) -> Path:
        """A folder that its user may write."""
        return self.folder / "home"

    def start(self, limits: str = "") -> None:
        """Start it, below limits of the shell such as ``ulimit -f 1``."""
        if not self.home.exists():
            self._configure()
        command = shlex.join([self.program, "-D", "-e", "-f", self.file("sshd_config")])
        self.launch(
            "sshd",
            ["bash", "-c", f"{limits or ':'}; exec {command}"],
            restore_signals=False,  # a full disk is an error, not a signal
        )
        self.wait_for_port("sshd", self.port)

    def _configure(self) -> None:
        self.home.mkdir()
        for name in ("host", "user", "stranger"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.file(name)]
            subprocess.run(make, check=True)
        key = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        (self.folder / "empty").write_text("")
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "user.pub",
            "StrictModes": "no",
            "UsePAM": "no",
            "PidFile": "none",
            "PermitRootLogin": "yes",
            "MaxStartups": "100",
            "Subsystem": "sftp internal-sftp",
        }
        lines = (f"{name} {value}\n" for name, value in settings.items())
        (self.folder / "sshd_config").write_text("".join(lines))
        if os.geteuid() == 0:  # where sshd insists on it
            Path("/run/sshd").mkdir(exist_ok=True)

    def spec(self, folder: Path, **data: Any) -> Any:
        """Return the storage ``main`` in a folder of the server."""
        from openpai.core.storage.base import StorageSpec

        usual = {
            "uri": f"sftp://127.0.0.1:{self.port}{folder}",
            "user": getpass.getuser(),
            "key_file": self.file("user"),
            "known_hosts": self.file("known_hosts"),
        }
        return StorageSpec("main", "sftp", {**usual, **data})

    def file(self, name: str) -> str:
        """Return the path of one of its files."""
        return str(self.folder / name)
