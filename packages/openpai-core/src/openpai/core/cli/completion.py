"""Shell completion of clusters, jobs, sweeps, storages, remote paths, files, states and defaults.

Each function has the signature of click's ``shell_complete``: context, parameter, incomplete text.
Errors, and clusters that do not answer within 1.5 seconds (``$OPENPAI_COMPLETION_SECONDS``), give
no candidates.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator

from openpai.core.deadline import with_deadline
from openpai.core.states import STATES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from openpai.core.client import Cluster
    from openpai.core.storage import Storage

__all__ = [
    "complete_clusters",
    "complete_default_keys",
    "complete_files",
    "complete_jobs",
    "complete_outputs",
    "complete_remote_paths",
    "complete_states",
    "complete_storages",
    "complete_sweeps",
]

_TIMEOUT = 1.5
_MAX_JOBS = 50


def complete_clusters(_ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Aliases of the stored clusters."""
    from openpai.core.config import load_clusters

    return _in_time(lambda: _matching(load_clusters(), incomplete))


def complete_default_keys(_ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Keys of the layered defaults."""
    from openpai.core.config import KEYS

    return _matching(KEYS, incomplete)


def complete_states(_ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """States of a job."""
    return _matching(STATES, incomplete.upper())


def complete_files(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """Files of this machine, completed by the shell."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_jobs(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """The newest 50 jobs of the user, or of ``USER`` after ``USER~``."""

    def ask(cluster: Cluster) -> Iterable[str]:
        user, tilde, typed = incomplete.rpartition("~")
        found = cluster.jobs(user=user or cluster.user, limit=_MAX_JOBS, keyword=typed or None)
        return (f"{user}{tilde}{job.name}" for job in found)

    return _of_cluster(ctx, ask, incomplete)


def complete_sweeps(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Names of the sweeps that this machine submitted to the cluster."""
    from openpai.core.sweeps import recorded_sweeps

    def ask(cluster: Cluster) -> Iterable[str]:
        return (record.name for record in recorded_sweeps(cluster.uri, cluster.user))

    return _of_cluster(ctx, ask, incomplete)


def complete_storages(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Names of the user's storages."""
    return _of_cluster(ctx, lambda cluster: (s.name for s in cluster.storages()), incomplete)


def complete_remote_paths(
    ctx: Any, _param: Any, incomplete: str, storage_name: str | None = None
) -> list[str]:
    """Paths of storages: ``NAME:/PATH``, or ``/PATH`` on the named or default storage."""

    def ask(cluster: Cluster) -> Iterable[str]:
        name, colon, path = incomplete.rpartition(":")
        if not colon and not path.startswith("/"):
            yield from (f"{storage.name}:/" for storage in cluster.storages())
            if path:
                return
        with cluster.storage(name or storage_name) as storage:
            yield from (f"{name}{colon}{found}" for found in _below(storage, "/", path))

    return _of_cluster(ctx, ask, incomplete)


def complete_outputs(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Output files of the job ``ctx.params["job"]``, relative to its output folder."""

    def ask(cluster: Cluster) -> Iterable[str]:
        storage, folder = cluster.job(ctx.params["job"]).outputs()
        with storage:
            for found in _below(storage, folder, "/" + incomplete):
                if not found.startswith("/.openpai"):  # records of the runtime
                    yield found[1:]

    return _of_cluster(ctx, ask, incomplete)


def _below(storage: Storage, root: str, path: str) -> Iterator[str]:
    """Yield the entries of the folder of an incomplete path; folders end with ``/``."""
    folder = path[: path.rfind("/") + 1] or "/"
    for entry in storage.list(f"{root.rstrip('/')}{folder}".rstrip("/") or "/"):
        yield f"{folder}{entry.name}{'/' if entry.is_dir else ''}"


def _of_cluster(ctx: Any, ask: Callable[[Cluster], Iterable[str]], incomplete: str) -> list[str]:
    from openpai.core.client import Cluster

    def find() -> list[str]:
        with Cluster.load(ctx.params.get("alias")) as cluster:
            cluster.session.timeout = _timeout()
            return _matching(ask(cluster), incomplete)

    return _in_time(find)


def _in_time(find: Callable[[], list[str]]) -> list[str]:
    """Return the candidates; none after an error or a timeout."""
    try:
        return with_deadline(find, _timeout())
    except Exception:  # a pressed key must not raise
        return []


def _timeout() -> float:
    """Return the seconds that a completion may take."""
    try:
        return float(os.environ.get("OPENPAI_COMPLETION_SECONDS", _TIMEOUT))
    except ValueError:
        return _TIMEOUT


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
