"""Get what the command cannot do without, before it starts.

Storages come first, as other things may lie there; the other tasks are waited for last.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator, Mapping

from openpai.core.code import unpack_archive
from openpai.core.errors import OpenPaiError
from openpai.core.storage.transfer import download
from openpai.runtime.job import TaskJob
from openpai.runtime.log import reason, say
from openpai.runtime.setup.barrier import wait_for_all
from openpai.runtime.setup.git import git_goal
from openpai.runtime.setup.mounts import mount_goals
from openpai.runtime.setup.requirements import install, shared_caches
from openpai.runtime.setup.ssh import Ssh
from openpai.runtime.setup.steps import Goal, Step, reach
from openpai.runtime.setup.system import System

__all__ = ["Preparation"]

_PATIENCE = 600.0
_SERVER_PATIENCE = 20.0


class Preparation:
    """What one task needs.

    Args:
        job: The task.
        root: The working directory.
        environ: The environment that the command will have.
    """

    def __init__(self, job: TaskJob, root: Path, environ: Mapping[str, str]) -> None:
        self._job = job
        self._root = root
        self._environ = environ
        self._system = System.here(environ)
        self._ssh = Ssh(job, self._system) if job.section.ssh else None

    def goals(self) -> Iterator[Goal]:
        """Yield what has to be reached; each is planned when those before it are reached.

        Raises:
            OpenPaiError: There is no way to one of them.
        """
        section = self._job.section
        plans: tuple[tuple[str, Callable[[], list[Goal]]], ...] = (
            ("its storages cannot be reached", lambda: mount_goals(self._job, self._system)),
            ("its git repository cannot be checked out", self._checkouts),
        )
        for what, plan in plans:
            try:
                yield from plan()
            except OpenPaiError as error:
                raise _UnreadyError(what, error) from None
        if section.code:
            where = self._root / section.code.directory
            fetch = Step(f"unpack {section.code.archive} in {where}", call=self._fetch_code)
            yield Goal("code", "its code cannot be fetched", [[fetch]])
        if section.requirements:
            what = f"install {', '.join(section.requirements)}"
            step = Step(what, call=self._install)
            yield Goal("requirements", "its Python packages cannot be installed", [[step]])
        if self._ssh:
            try:
                yield self._ssh.goal()
            except OpenPaiError as error:
                raise _UnreadyError("ssh cannot be set up", error) from None
            step = Step("exchange keys with the other tasks, run sshd", call=self._run_ssh)
            yield Goal("ssh", "ssh cannot be set up", [[step]])
        if section.wait_for_peers and not self._ssh:
            wait = Step("wait for the other tasks", call=lambda: self._meet({}))
            yield Goal("waitForPeers", "the other tasks did not come", [[wait]])

    def run(self, tell: Callable[[str], object]) -> int:
        """Reach every goal; return 0, or 1 after saying what is missing.

        Args:
            tell: Is told, once and as JSON, how many seconds each goal took (``seconds``) and what
                is missing (``why``).
        """
        taken: dict[str, float] = {}
        why = self._reach_all(taken)
        tell(json.dumps({"seconds": taken, "why": why}))
        return 1 if why else 0

    def _reach_all(self, taken: dict[str, float]) -> str:
        """Reach every goal; return what is missing, after saying it."""
        without = ""
        try:
            for goal in self.goals():
                without = goal.without
                began = time.monotonic()
                reach(goal, self._environ)
                spent = time.monotonic() - began
                taken[goal.name] = round(taken.get(goal.name, 0.0) + spent, 3)
        except (OSError, OpenPaiError) as error:
            without = getattr(error, "without", without)
            why = f"because {without}. {reason(error)}"
            say(f"The command is not started, {why}")
            return why
        return ""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which the command finds what was made for it."""
        found = dict(environ)
        section = self._job.section
        if section.requirements:
            from openpai.runtime.setup.requirements import environment_folder, with_environment

            folder = environment_folder(section.requirements, self._environ)
            found = with_environment(environ, folder)
        if self._ssh:
            path = found.get("PATH", os.defpath)
            found["PATH"] = f"{self._ssh.folder / 'bin'}{os.pathsep}{path}"
        return found

    def _checkouts(self) -> list[Goal]:
        return [git_goal(git, self._root, self._environ) for git in self._job.section.git]

    def _install(self) -> None:
        """Install packages; downloads are kept in the workspace where there is one."""
        caches: Mapping[str, str] = {}
        with contextlib.suppress(OpenPaiError):
            caches = shared_caches(self._job.workspace_folder(), self._environ)
        install(self._job.section.requirements, {**self._environ, **caches})

    def _fetch_code(self) -> None:
        """Copy the archive here, compare its checksum, and unpack it below the working directory.

        It is copied first so that what is unpacked is what was compared.
        """
        code = self._job.section.code
        assert code
        storage, path = self._job.archive()
        with storage, tempfile.TemporaryDirectory(prefix="openpai-code-") as folder:
            archive = Path(folder) / "code.tar.gz"
            download(storage, path, archive)
            unpack_archive(archive, self._root / code.directory, code.sha256)

    def _meet(self, greeting: Mapping[str, object], meeting: str = "ready") -> object:
        timeout = self._job.section.wait_for_peers or _PATIENCE
        return wait_for_all(self._job, greeting, timeout, meeting)

    def _run_ssh(self) -> None:
        """Tell keys, start the server, and wait until the other tasks have done so."""
        assert self._ssh
        timeout = self._job.section.wait_for_peers or _PATIENCE
        greeting = self._ssh.greeting()
        self._ssh.configure(wait_for_all(self._job, greeting, timeout, "keys"), self._environ)
        server = subprocess.Popen(
            self._ssh.command(), stdin=subprocess.DEVNULL, stdout=2, start_new_session=True
        )
        _await_port(int(greeting["port"]), server)
        self._meet({})


class _UnreadyError(OpenPaiError):
    """Something is missing already when it is planned."""

    def __init__(self, without: str, error: OpenPaiError) -> None:
        super().__init__(error.message, error.hint)
        self.without = without


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SERVER_PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise OpenPaiError(f"sshd does not listen at port {port}.") from None
            time.sleep(0.05)
        else:
            return
