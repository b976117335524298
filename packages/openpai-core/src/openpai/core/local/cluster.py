"""A local cluster inside this process, for tests and for services that embed one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from openpai.core.local.state.clock import Clock, duration
from openpai.core.local.faults import Faults
from openpai.core.local.state.state_dir import Folder
from openpai.core.local.options import Limits, make_options
from openpai.core.local.scheduler.exit_report import NODE_LOST, PREEMPTED, Report
from openpai.core.local.scheduler.scheduler import Resources

if TYPE_CHECKING:
    import os

__all__ = ["Limits", "LocalCluster", "Resources"]


class LocalCluster:
    """A cluster that lives as long as a ``with`` block.

    Args:
        folder: The state folder; ``None`` means one of its own, removed at the end.
        port: The port; 0 means any that is free.
        options: See :class:`~openpai.core.local.options.Options`.

    Attributes:
        uri: Its address.
        user: The first user, an admin.
        password: That user's password.
        token: An application token of that user.
        faults: What is to go wrong with requests.

    Raises:
        OpenPaiError: It cannot be started: see the message.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        port: int = 0,
        **options: Any,
    ) -> None:
        self._own = folder is None
        self.folder = Path(folder or "")
        self._port = port
        self._clock = Clock()
        self._options = options
        self.faults = Faults()
        self.uri = ""
        self.user = ""
        self.password = ""
        self.token = ""

    def start(self) -> LocalCluster:
        """Start it; a ``with`` block does so by itself."""
        from openpai.core.local.host import Host

        options = make_options(self._options)
        if self._own:
            self.folder = Path(tempfile.mkdtemp(prefix="openpai-local-"))
        try:
            self.host = Host(Folder(self.folder), options, self._port, self._clock, self.faults)
        except BaseException:
            self._clean()
            raise
        self._thread = threading.Thread(target=self.host.serve, name="local cluster", daemon=True)
        self._thread.start()
        service = self.host.service
        self.uri = self.host.server.uri
        self.user = service.user
        self.password = service.folder.secret("password")
        self.token = service.token
        return self

    def stop(self) -> None:
        """Stop every job and then the cluster."""
        self.host.end_jobs()
        self.host.shutdown()
        self._thread.join()
        self._clean()

    def advance(self, time: str | float) -> None:
        """Move the cluster's clock: tokens expire, waits for a retry end; running tasks see none.

        Args:
            time: Seconds, or a text such as ``90s``, ``10m`` or ``7d``.
        """
        self._clock.advance(duration(time))
        self.host.service.controller.wake()

    def lose_node(self) -> int:
        """Let the node of all running tasks be lost, as by a crash; return how many tasks ran."""
        return self.host.service.controller.lose_tasks(NODE_LOST)

    def preempt(self, job: str) -> int:
        """Let the running tasks of a job give way to more important ones; return how many ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
        """
        return self.host.service.controller.lose_tasks(PREEMPTED, self._framework(job))

    def fail_tasks(self, job: str, code: int) -> int:
        """Let the running tasks of a job end with any of PAI's codes; return how many ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
            code: Such as 251, after which PAI waits 60 to 900 s before it tries again.
        """
        report = Report(code, None, "The task was ended by a fault that was asked for.", "Fault")
        return self.host.service.controller.lose_tasks(report, self._framework(job))

    def change_logs(self, job: str) -> int:
        """Let the logs of a job's running tasks become ``.1`` now; return how many tasks ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
        """
        return self.host.service.controller.change_logs(self._framework(job))

    def expire_tokens(self) -> int:
        """End all logins before their time; return how many. Application tokens stay good."""
        return self.host.service.tokens.revoke_all_logins()

    def _framework(self, job: str) -> str:
        return job if "~" in job else f"{self.user}~{job}"

    def _clean(self) -> None:
        if self._own:
            shutil.rmtree(str(self.folder), ignore_errors=True)

    def __enter__(self) -> LocalCluster:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalCluster {self.uri}>"
