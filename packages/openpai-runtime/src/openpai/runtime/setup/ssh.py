"""Connect tasks by ``ssh ROLE-INDEX``, with keys for this attempt of the job.

Each task generates a key and runs a server on the port that PAI assigns; the tasks exchange only
public keys, at the barrier. The image and the user's home are not changed: a wrapper ``ssh``, first
on ``PATH``, passes the settings.
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
_SEPARATION = Path("/run/sshd")  # Debian's sshd of root needs it
_PASSED_ON = ("PAI_", "FC_", "OPENPAI_STORAGES", "OPENPAI_JOB", "LD_LIBRARY_PATH", "PYTHONPATH")


class Ssh:
    """SSH server and client of one task.

    Args:
        job: The task.
        system: The container's system.

    Attributes:
        folder: The private folder with keys and configuration.
    """

    def __init__(self, job: TaskJob, system: System) -> None:
        self.folder = Path(tempfile.gettempdir(), f"openpai-ssh-{os.getuid()}-{os.getpid()}")
        self._job = job
        self._system = system

    def goal(self) -> Goal:
        """Return the goal: installed programs, generated keys.

        Raises:
            OpenPaiError: The programs are missing and cannot be installed.
        """
        missing = [name for name in ("sshd", "ssh", "ssh-keygen") if not self._system.find(name)]
        kept = {"DEBIAN_FRONTEND": "noninteractive", "PATH": self._system.path}
        commands = self._system.installing(_PACKAGES) if missing else []
        install = [
            Step(f"install {' and '.join(missing)}", argv, environ=kept) for argv in commands
        ]
        keys = [
            Step(
                f"generate a key for the {what}",
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

    def announcement(self) -> Mapping[str, Any]:
        """Return address, port and public keys for the other tasks."""
        role, index = self._job.context.role, self._job.context.index
        host, port = address(self._job, role, index, "ssh")
        keys = {
            name: (self.folder / f"{name}.pub").read_text(encoding="ascii").strip()
            for name in ("host", "user")
        }
        return {"address": host, "port": port, **keys}

    def configure(self, peers: Announcements, environ: Mapping[str, str]) -> Path:
        """Write the configuration of server and client; return the folder with the wrappers."""
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
        """Return the command of the server, in the foreground."""
        server = self._system.find("sshd")
        if not server:
            raise OpenPaiError("sshd is not installed.")
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
    """Return the variables for commands run by ssh, without secrets."""
    return [
        f'{name}="{value}"'
        for name, value in environ.items()
        if (name.startswith(_PASSED_ON) or name == "PATH") and not set(value) & set('"\\\n')
    ]
