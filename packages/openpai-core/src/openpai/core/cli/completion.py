"""What <Tab> offers of a cluster: jobs, sweeps, storages, remote paths.

Each function takes click's context, the parameter and what was typed, as ``shell_complete`` wants
it. A cluster that does not answer soon, and whatever else goes wrong, offers nothing: nobody who
presses a key wants to read an error, or to wait for one. How long it may take is 1.5 seconds, or
``$OPENPAI_COMPLETION_SECONDS``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator

from openpai.core.deadline import with_deadline

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.storage import Storage

__all__ = ["clusters", "jobs", "outputs", "remote_paths", "storages", "sweeps"]

_PATIENCE = 1.5
_MOST = 50


def clusters(_ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Aliases of the clusters file."""
    from openpai.core.config import load_clusters

    return _soon(lambda: _beginning(load_clusters(), incomplete))


def jobs(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Names of the user's newest jobs; after ``USER~`` those of another user."""

    def ask(cluster: Cluster) -> Iterable[str]:
        user, tilde, typed = incomplete.rpartition("~")
        found = cluster.jobs(user=user or cluster.user, limit=_MOST, keyword=typed or None)
        return (f"{user}{tilde}{job.name}" for job in found)

    return _of_cluster(ctx, ask, incomplete)


def sweeps(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Names of the sweeps that this machine submitted to the cluster."""
    from openpai.core.sweeps import recorded_sweeps

    def ask(cluster: Cluster) -> Iterable[str]:
        return (record.name for record in recorded_sweeps(cluster.uri, cluster.user))

    return _of_cluster(ctx, ask, incomplete)


def storages(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Names of the user's storages."""
    return _of_cluster(ctx, lambda cluster: (s.name for s in cluster.storages()), incomplete)


def remote_paths(
    ctx: Any, _param: Any, incomplete: str, storage_name: str | None = None
) -> list[str]:
    """Paths of storages: ``NAME:/PATH``, or ``/PATH`` on the named one or the default one."""

    def ask(cluster: Cluster) -> Iterable[str]:
        name, colon, path = incomplete.rpartition(":")
        if not colon and not path.startswith("/"):
            yield from (f"{storage.name}:/" for storage in cluster.storages())
            if path:
                return
        with cluster.storage(name or storage_name) as storage:
            yield from (f"{name}{colon}{found}" for found in _below(storage, "/", path))

    return _of_cluster(ctx, ask, incomplete)


def outputs(ctx: Any, _param: Any, incomplete: str) -> list[str]:
    """Paths of what the job ``ctx.params["job"]`` saved, relative to its output folder."""

    def ask(cluster: Cluster) -> Iterable[str]:
        storage, folder = cluster.job(ctx.params["job"]).outputs()
        with storage:
            for found in _below(storage, folder, "/" + incomplete):
                if not found.startswith("/.openpai"):  # the runtime's own
                    yield found[1:]

    return _of_cluster(ctx, ask, incomplete)


def _below(storage: Storage, root: str, path: str) -> Iterator[str]:
    """Yield what lies in the folder that a path begins with; folders end with ``/``."""
    folder = path[: path.rfind("/") + 1] or "/"
    for entry in storage.list(f"{root.rstrip('/')}{folder}".rstrip("/") or "/"):
        yield f"{folder}{entry.name}{'/' if entry.is_dir else ''}"


def _of_cluster(ctx: Any, ask: Callable[[Cluster], Iterable[str]], incomplete: str) -> list[str]:
    from openpai.core.client import Cluster

    def look() -> list[str]:
        with Cluster.load(ctx.params.get("alias")) as cluster:
            cluster.session.timeout = _patience()
            return _beginning(ask(cluster), incomplete)

    return _soon(look)


def _soon(look: Callable[[], list[str]]) -> list[str]:
    """Return what is found before patience ends."""
    try:
        return with_deadline(look, _patience())
    except Exception:  # no cluster, no answer in time, a broken file: nothing to offer
        return []


def _patience() -> float:
    try:
        return float(os.environ.get("OPENPAI_COMPLETION_SECONDS", _PATIENCE))
    except ValueError:
        return _PATIENCE


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
