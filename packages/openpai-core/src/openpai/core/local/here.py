"""Run a job here and now: in this folder, in the foreground, without any cluster."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.local.cluster import LocalCluster

if TYPE_CHECKING:
    from openpai.core.protocol.job import Job
    from openpai.core.client.remote_job import RemoteJob

__all__ = ["run_here"]

_SETTINGS: dict[str, Any] = {"grace": 5.0, "memory_limits": False}


@contextmanager
def run_here(job: Job, folder: Path, *, strict: bool = True) -> Iterator[RemoteJob]:
    """Run all tasks of a job in one folder of this machine while the block lasts.

    They get the environment, ports, retries and completion policy that a cluster would give them,
    whatever the machine has: what the job asks for is taken as given. The runtime section is left
    out: code and outputs are in the folder itself. At the end of the block whatever still runs is
    stopped.

    Args:
        job: The job; it is not changed.
        folder: Where its tasks work.
        strict: As for :meth:`openpai.core.client.cluster.Cluster.submit`.

    Raises:
        ProtocolError: The job breaks the protocol.
        OpenPaiError: This machine lacks bash or a package that the local cluster needs.
    """
    from openpai.core.client.cluster import Cluster

    plain = _without_runtime(job)
    plain.validate(strict=strict)
    wanted = _demand(plain.document)
    with ExitStack() as stack:
        place = str(folder.resolve())
        local = stack.enter_context(LocalCluster(**_SETTINGS, work_folder=place, **wanted))
        client = Cluster(local.uri, user=local.user, token=local.token)
        yield stack.enter_context(client).submit(plain, strict=strict)


def _without_runtime(job: Job) -> Job:
    from openpai.core.protocol.bootstrap import without_bootstrap
    from openpai.core.protocol.job import Job
    from openpai.core.protocol.runtime_section import SECTION_KEY, raw_section

    if raw_section(job.document) is None:
        return job
    document = without_bootstrap(job.to_dict())
    del document["extras"][SECTION_KEY]
    return Job.from_dict(document)


def _demand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the tasks of a valid job ask for together; of GPUs what is here, if any is.

    Where the machine has no GPU they are pretended, as everywhere on a local cluster.
    """
    from openpai.core.local.state.machine import found_gpus

    total = {"cpu": 1, "memoryMB": 1, "gpu": 0}
    for role in document["taskRoles"].values():
        for key in total:
            total[key] += int(role["resourcePerInstance"][key]) * int(role["instances"])
    return {
        "cpus": total["cpu"],
        "memory_mb": total["memoryMB"],
        "gpus": found_gpus() or total["gpu"],
    }
