"""Storages that are folders of this machine: mounted, or exported by it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from openpai.core.config import mounts_of_environment
from openpai.core.environment import LOOPBACK_HOSTS, in_job_container
from openpai.core.errors import StorageError
from openpai.core.storage import LocalStorage, Storage, StorageSpec

__all__ = [
    "is_mounted",
    "mounted_here",
    "open_posix",
]


def open_posix(spec: StorageSpec) -> Storage:
    """Open a storage by the folder it is mounted at.

    The folder is the first of: ``spec.mount_path``, which
    :class:`~openpai.core.client.cluster.Cluster` takes from ``OPENPAI_STORAGES`` or
    ``clusters.yaml``; ``/mnt/<name>`` in a job container, where
    PAI mounts it by default (rest-server/src/models/v2/job/k8s.js); the exported folder
    itself, where the NFS server is this machine.

    Raises:
        StorageError: It is not known where the storage is mounted, or nothing is there.
    """
    folder = spec.mount_path or _usual_place(spec)
    if not folder:
        raise StorageError(
            f"It is not known where storage '{spec.name}' ({spec.type or 'of unknown type'}) "
            "is mounted on this machine.",
            f"Mount it and say where: OPENPAI_STORAGES='{json.dumps({spec.name: '/PATH'})}', or "
            f"'storages: [{{name: {spec.name}, mount_path: /PATH}}]' for the cluster in "
            "clusters.yaml.",
        )
    return LocalStorage(_checked(spec.name, folder), spec.name, read_only=spec.read_only)


def is_mounted(spec: StorageSpec) -> bool:
    """Whether :func:`open_posix` has a folder to open."""
    folder = spec.mount_path or _usual_place(spec)
    try:
        return folder is not None and Path(folder).is_dir()
    except OSError:  # such as a stale NFS handle
        return False


def mounted_here() -> dict[str, StorageSpec]:
    """Return what is mounted here by name, as far as that is known without a cluster.

    It is what ``OPENPAI_STORAGES`` names and, in a job container, what lies in ``/mnt``.

    Raises:
        ConfigError: ``OPENPAI_STORAGES`` cannot be understood.
    """
    named = mounts_of_environment()
    found = os.listdir("/mnt") if in_job_container() and Path("/mnt").is_dir() else []  # noqa: PTH208 - names alone
    specs = [
        StorageSpec(name, "nfs", mount_path=named.get(name)) for name in (*named, *sorted(found))
    ]
    return {spec.name: spec for spec in specs if is_mounted(spec)}


def _usual_place(spec: StorageSpec) -> str | None:
    mounted = Path("/mnt", spec.name)
    if in_job_container() and mounted.is_dir():
        return str(mounted)
    exported = str(spec.data.get("path") or "")
    served_here = spec.type == "nfs" and spec.data.get("server") in LOOPBACK_HOSTS
    return exported if served_here and Path(exported).is_dir() else None


def _checked(name: str, folder: str) -> Path:
    path = Path(folder)
    if not path.is_absolute():
        raise StorageError(
            f"The folder '{folder}' of storage '{name}' is not absolute.", "Write the whole path."
        )
    try:
        found = path.is_dir() and os.access(path, os.X_OK)
    except OSError as error:  # such as a stale NFS handle
        raise StorageError(
            f"Storage '{name}' at {folder} cannot be used: {error.strerror}.", "Mount it again."
        ) from None
    if not found:
        raise StorageError(
            f"Storage '{name}' is not mounted: {folder} is not an accessible folder.",
            "Mount it there, or name the right folder.",
        )
    return path
