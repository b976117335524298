"""A local cluster inside this process, for tests and embedding services."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.local.faults import Faults
from openpai.core.local.options import Limits, make_options
from openpai.core.local.scheduler.exit_report import NODE_LOST, PREEMPTED, Report
from openpai.core.local.state.clock import Clock
from openpai.core.local.state.machine import Resources
from openpai.core.local.state.state_dir import StateDir
from openpai.core.units import parse_duration

if TYPE_CHECKING:
    import os

    from openpai.core.client import RemoteJob
    from openpai.core.protocol import Job

__all__ = [
    "Limits",
    "LocalCluster",
    "Resources",
    "run_in_folder",
]


class LocalCluster:
    """A local cluster that runs for the time of a ``with`` block.

    Args:
        folder: The state folder; ``None`` for a temporary one.
        port: The port; 0 for any free port.
        options: See :class:`~openpai.core.local.options.Options`.

    Attributes:
        uri: Its address.
        user: The first user, an admin.
        password: That user's password.
        token: An application token of that user.
        faults: Faults to inject into requests.

    Raises:
        OpenPaiError: It cannot be started.
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
        """Start the cluster; a ``with`` block calls it."""
        from openpai.core.local.host import Host

        options = make_options(self._options)
        if self._own:
            self.folder = Path(tempfile.mkdtemp(prefix="openpai-local-"))
        try:
            self.host = Host(StateDir(self.folder), options, self._port, self._clock, self.faults)
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
        """Stop every job and the cluster."""
        self.host.end_jobs()
        self.host.shutdown()
        self._thread.join()
        self._clean()

    def advance(self, time: str | float) -> None:
        """Advance the cluster's clock, for tokens and waits between retries, not for tasks.

        Args:
            time: Seconds, or a text such as ``90s``, ``10m`` or ``7d``.
        """
        self._clock.advance(parse_duration(time))
        self.host.service.controller.wake()

    def lose_node(self) -> int:
        """Kill all running tasks as if their node crashed; return how many ran."""
        return self.host.service.controller.lose_tasks(NODE_LOST)

    def preempt(self, job: str) -> int:
        """Preempt the running tasks of a job; return how many ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
        """
        return self.host.service.controller.lose_tasks(PREEMPTED, self._framework(job))

    def fail_tasks(self, job: str, code: int) -> int:
        """End the running tasks of a job with one of PAI's codes; return how many ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
            code: The code, such as 251, after which PAI waits 60 to 900 s before a retry.
        """
        report = Report(code, None, "The task was ended by an injected fault.", "Fault")
        return self.host.service.controller.lose_tasks(report, self._framework(job))

    def rotate_logs(self, job: str) -> int:
        """Rotate the logs of a job's running tasks; return how many tasks ran.

        Args:
            job: The job's name, or ``user~name`` for another user's.
        """
        return self.host.service.controller.rotate_logs(self._framework(job))

    def expire_tokens(self) -> int:
        """Revoke all login tokens, not application tokens; return how many were valid."""
        return self.host.service.tokens.revoke_all_logins()

    def _framework(self, job: str) -> str:
        return job if "~" in job else f"{self.user}~{job}"

    def _clean(self) -> None:
        if self._own:
            shutil.rmtree(str(self.folder), ignore_errors=True)

    def __enter__(self) -> LocalCluster:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalCluster {self.uri}>"


_SETTINGS: dict[str, Any] = {"grace": 5.0, "memory_limits": False}


@contextmanager
def run_in_folder(job: Job, folder: Path, *, strict: bool = True) -> Iterator[RemoteJob]:
    """Run all tasks of a job in one folder of this machine while the block lasts.

    They have the environment, ports, retries and completion policy of a cluster; the machine counts
    as having the resources that the job requests. The runtime section is left out: code and outputs
    are in the folder itself. Tasks that still run at the end of the block are stopped.

    Args:
        job: The job; it is not changed.
        folder: The working folder of its tasks.
        strict: As for :meth:`openpai.core.client.cluster.Cluster.submit`.

    Raises:
        ProtocolError: The job breaks the protocol.
        OpenPaiError: This machine lacks bash or a package that the local cluster needs.
    """
    from openpai.core.client import Cluster

    plain = _without_runtime(job)
    plain.validate(strict=strict)
    wanted = _demand(plain.document)
    with ExitStack() as stack:
        place = str(folder.resolve())
        local = stack.enter_context(LocalCluster(**_SETTINGS, work_folder=place, **wanted))
        client = Cluster(local.uri, user=local.user, token=local.token)
        yield stack.enter_context(client).submit(plain, strict=strict)


def _without_runtime(job: Job) -> Job:
    from openpai.core.protocol import SECTION_KEY, Job, raw_section, without_bootstrap

    if raw_section(job.document) is None:
        return job
    document = without_bootstrap(job.to_dict())
    del document["extras"][SECTION_KEY]
    return Job.from_dict(document)


def _demand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources of all tasks of a valid job together; for GPUs those of the machine.

    Without GPUs they are simulated, as always on a local cluster.
    """
    from openpai.core.local.state.machine import count_gpus

    total = {"cpu": 1, "memoryMB": 1, "gpu": 0}
    for role in document["taskRoles"].values():
        for key in total:
            total[key] += int(role["resourcePerInstance"][key]) * int(role["instances"])
    return {
        "cpus": total["cpu"],
        "memory_mb": total["memoryMB"],
        "gpus": count_gpus() or total["gpu"],
    }
