"""Prepare a task before its command starts.

Storages come first, as code may lie there; the barrier comes last.
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
from openpai.runtime.log import log, message_of
from openpai.runtime.setup.barrier import wait_for_all
from openpai.runtime.setup.git import git_goal
from openpai.runtime.setup.mounts import mount_goals
from openpai.runtime.setup.requirements import install, shared_caches
from openpai.runtime.setup.ssh import Ssh
from openpai.runtime.setup.steps import Goal, Step, run_goal
from openpai.runtime.setup.system import System

__all__ = ["Preparation"]

_TIMEOUT = 600.0
_SERVER_TIMEOUT = 20.0


class Preparation:
    """Preparation of one task.

    Args:
        job: The task.
        root: The working directory.
        environ: The environment of the command.
    """

    def __init__(self, job: TaskJob, root: Path, environ: Mapping[str, str]) -> None:
        self._job = job
        self._root = root
        self._environ = environ
        self._system = System.here(environ)
        self._ssh = Ssh(job, self._system) if job.section.ssh else None

    def goals(self) -> Iterator[Goal]:
        """Yield the goals; each is planned after those before it are done.

        Raises:
            OpenPaiError: One of them is impossible.
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
                raise _NotReadyError(what, error) from None
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
                raise _NotReadyError("ssh cannot be set up", error) from None
            step = Step("exchange keys with the other tasks, run sshd", call=self._run_ssh)
            yield Goal("ssh", "ssh cannot be set up", [[step]])
        if section.wait_for_peers and not self._ssh:
            wait = Step("wait for the other tasks", call=lambda: self._wait_for_all({}))
            yield Goal("waitForPeers", "the other tasks did not come", [[wait]])

    def run(self, report: Callable[[str], object]) -> int:
        """Run all goals; return 0, or 1 after logging the failure.

        Args:
            report: Called once with a JSON object: the seconds of each goal (``seconds``) and the
                failure (``why``).
        """
        taken: dict[str, float] = {}
        why = self._run_goals(taken)
        report(json.dumps({"seconds": taken, "why": why}))
        return 1 if why else 0

    def _run_goals(self, taken: dict[str, float]) -> str:
        """Run all goals; return the failure, after logging it."""
        without = ""
        try:
            for goal in self.goals():
                without = goal.without
                began = time.monotonic()
                run_goal(goal, self._environ)
                spent = time.monotonic() - began
                taken[goal.name] = round(taken.get(goal.name, 0.0) + spent, 3)
        except (OSError, OpenPaiError) as error:
            without = getattr(error, "without", without)
            why = f"because {without}. {message_of(error)}"
            log(f"The command is not started, {why}")
            return why
        return ""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the command after the preparation."""
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
        """Install packages; cache downloads in the workspace, if there is one."""
        caches: Mapping[str, str] = {}
        with contextlib.suppress(OpenPaiError):
            caches = shared_caches(self._job.workspace_folder(), self._environ)
        install(self._job.section.requirements, {**self._environ, **caches})

    def _fetch_code(self) -> None:
        """Download the archive, verify its checksum, and unpack it into the working directory."""
        code = self._job.section.code
        assert code
        storage, path = self._job.archive()
        with storage, tempfile.TemporaryDirectory(prefix="openpai-code-") as folder:
            archive = Path(folder) / "code.tar.gz"
            download(storage, path, archive)
            unpack_archive(archive, self._root / code.directory, code.sha256)

    def _wait_for_all(self, announcement: Mapping[str, object], name: str = "ready") -> object:
        timeout = self._job.section.wait_for_peers or _TIMEOUT
        return wait_for_all(self._job, announcement, timeout, name)

    def _run_ssh(self) -> None:
        """Exchange keys, start the server, and wait for the other tasks."""
        assert self._ssh
        timeout = self._job.section.wait_for_peers or _TIMEOUT
        announcement = self._ssh.announcement()
        self._ssh.configure(wait_for_all(self._job, announcement, timeout, "keys"), self._environ)
        server = subprocess.Popen(
            self._ssh.command(), stdin=subprocess.DEVNULL, stdout=2, start_new_session=True
        )
        _await_port(int(announcement["port"]), server)
        self._wait_for_all({})


class _NotReadyError(OpenPaiError):
    """A goal cannot be planned."""

    def __init__(self, without: str, error: OpenPaiError) -> None:
        super().__init__(error.message, error.hint)
        self.without = without


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SERVER_TIMEOUT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise OpenPaiError(f"sshd does not listen at port {port}.") from None
            time.sleep(0.05)
        else:
            return
