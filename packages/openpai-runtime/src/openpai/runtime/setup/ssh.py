"""Let tasks reach each other by ``ssh ROLE-INDEX``, with keys made for this attempt of the job.

Every task makes a key of its own and runs a server of its own on the port that PAI gives it; only
public keys are told to the others, through the workspace. Nothing in the image or in the user's
home is changed: the client is found by a program ``ssh`` that comes first on ``PATH``.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import Any, Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_file
from openpai.runtime.job import TaskJob, address
from openpai.runtime.setup.barrier import Announcements
from openpai.runtime.setup.steps import Goal, Step
from openpai.runtime.setup.system import System

__all__ = ["Ssh"]

_PACKAGES = {"debian": "openssh-server", "rhel": "openssh-server", "alpine": "openssh"}
_SEPARATION = Path("/run/sshd")  # Debian's sshd does not start without it, if it is root's
_TELLS = ("PAI_", "FC_", "OPENPAI_STORAGES", "OPENPAI_JOB", "LD_LIBRARY_PATH", "PYTHONPATH")


class Ssh:
    """One task's server and client.

    Args:
        job: The task.
        system: What it runs on.

    Attributes:
        folder: The private folder with keys and settings.
    """

    def __init__(self, job: TaskJob, system: System) -> None:
        self.folder = Path(tempfile.gettempdir(), f"openpai-ssh-{os.getuid()}-{os.getpid()}")
        self._job = job
        self._system = system

    def goal(self) -> Goal:
        """Return how to get the programs and the keys.

        Raises:
            OpenPaiError: The programs are not here and cannot be installed.
        """
        missing = [name for name in ("sshd", "ssh", "ssh-keygen") if not self._system.find(name)]
        kept = {"DEBIAN_FRONTEND": "noninteractive", "PATH": self._system.path}
        commands = self._system.installing(_PACKAGES) if missing else []
        install = [
            Step(f"install {' and '.join(missing)}", argv, environ=kept) for argv in commands
        ]
        keys = [
            Step(
                f"make a key for the {what}",
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)],
                environ=kept,
            )
            for what, file in (("server", self.folder / "host"), ("client", self.folder / "user"))
        ]
        make = Step(f"make {self.folder}", call=self._make)
        return Goal("ssh", "ssh cannot be set up", [[*install, make, *keys]])

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700)
        if self._system.is_root:
            _SEPARATION.mkdir(mode=0o755, parents=True, exist_ok=True)

    def greeting(self) -> Mapping[str, Any]:
        """Return what the other tasks have to know."""
        role, index = self._job.context.role, self._job.context.index
        host, port = address(self._job, role, index, "ssh")
        keys = {
            name: (self.folder / f"{name}.pub").read_text(encoding="ascii").strip()
            for name in ("host", "user")
        }
        return {"address": host, "port": port, **keys}

    def configure(self, peers: Announcements, environ: Mapping[str, str]) -> Path:
        """Write settings of server and client; return the folder with the client's program."""
        self._write("authorized_keys", "".join(f"{peer['user']}\n" for peer in peers.values()))
        known = (f"[{peer['address']}]:{peer['port']} {peer['host']}\n" for peer in peers.values())
        self._write("known_hosts", "".join(known))
        self._write("config", self._client(peers))
        self._write("sshd_config", self._server(environ))
        programs = self.folder / "bin"
        programs.mkdir(mode=0o700, exist_ok=True)
        for name in ("ssh", "scp", "sftp"):
            real = self._system.find(name)
            if real:
                words = shlex.join([real, "-F", str(self.folder / "config")])
                self._write(f"bin/{name}", f'#!/bin/sh\nexec {words} "$@"\n', 0o700)
        return programs

    def command(self) -> list[str]:
        """Return the server's program and its arguments; it stays in the foreground."""
        server = self._system.find("sshd")
        if not server:
            raise OpenPaiError("There is no sshd.")
        return [server, "-D", "-e", "-f", str(self.folder / "sshd_config")]

    def _client(self, peers: Announcements) -> str:
        blocks = [
            f"Host {role}-{index}\n  HostName {peer['address']}\n  Port {peer['port']}\n"
            for (role, index), peer in peers.items()
        ]
        rest = {
            "IdentityFile": self.folder / "user",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        return "".join(
            [*blocks, "Host *\n", *(f"  {key} {value}\n" for key, value in rest.items())]
        )

    def _server(self, environ: Mapping[str, str]) -> str:
        settings = {
            "Port": address(self._job, self._job.context.role, self._job.context.index, "ssh")[1],
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "authorized_keys",
            "PidFile": "none",
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "Subsystem": "sftp internal-sftp",
            "LogLevel": "ERROR",
            "SetEnv": " ".join(_variables(environ)),
        }
        return "".join(f"{key} {value}\n" for key, value in settings.items() if value)

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        write_file(self.folder / name, text, mode=mode)


def _variables(environ: Mapping[str, str]) -> list[str]:
    """Return what commands by ssh find in their environment; secrets are not among them."""
    return [
        f'{name}="{value}"'
        for name, value in environ.items()
        if (name.startswith(_TELLS) or name == "PATH") and not set(value) & set('"\\\n')
    ]
