"""Provide storages at the paths of the job's ``mounts``.

Preferably by a link to the platform's mount; else, if the job has the storage's type and address,
by mounting it in the container; else, if it is read-only, by copying it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Callable, Mapping, Sequence

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.files import write_private
from openpai.core.protocol import Mount
from openpai.core.storage import StorageSpec, open_storage
from openpai.core.storage.transfer import download
from openpai.runtime.job import TaskJob, storage_folder
from openpai.runtime.secrets import read_secret
from openpai.runtime.setup.steps import Goal, Step
from openpai.runtime.setup.system import System

__all__ = ["mount_goals"]

_HELPERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "nfs": (
        "mount.nfs",
        {"debian": "nfs-common", "rhel": "nfs-utils", "alpine": "nfs-utils"},
    ),
    "samba": ("mount.cifs", dict.fromkeys(("debian", "rhel", "alpine"), "cifs-utils")),
    "azureFile": ("mount.cifs", dict.fromkeys(("debian", "rhel", "alpine"), "cifs-utils")),
    "azureBlob": ("blobfuse2", dict.fromkeys(("debian", "rhel"), "blobfuse2")),
}
"""The mount helper of each type and its packages (blobfuse2: from packages.microsoft.com)."""

Values = Mapping[str, str]


def mount_goals(job: TaskJob, system: System) -> list[Goal]:
    """Return a goal for each mount of the job.

    Raises:
        StorageError: A storage can neither be mounted nor copied.
    """
    without = "its storages cannot be reached"
    return [
        Goal("mounts", without, _alternatives(job, mount, system)) for mount in job.section.mounts
    ]


def _alternatives(job: TaskJob, mount: Mount, system: System) -> list[list[Step]]:
    path = Path(mount.path)
    try:
        folder = storage_folder(mount.storage, job.document, job.environ)
    except StorageError as missing:
        return _mount_alternatives(job, mount, system, missing)
    if os.path.realpath(path) == os.path.realpath(folder):
        return []
    if os.path.lexists(path):
        raise StorageError(
            f"The storage '{mount.storage}' cannot be at {path}: something else is there.",
            f"It is mounted at {folder}.",
        )
    return [[Step(f"link {path} to {folder}", call=lambda: _link(path, folder))]]


def _link(path: Path, folder: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(folder)


def _mount_alternatives(
    job: TaskJob, mount: Mount, system: System, missing: StorageError
) -> list[list[Step]]:
    """Return the alternatives for a storage that the platform has not mounted."""
    if not mount.type:
        raise missing
    if os.path.ismount(mount.path):
        return []

    def values() -> Values:
        secrets = {key: read_secret(name, job.environ) for key, name in mount.secrets.items()}
        return {**mount.data, **secrets}

    alternatives, why = [], ""
    try:
        alternatives.append(_mount_steps(mount, system, values))
    except OpenPaiError as error:
        why = error.message
    if mount.read_only:
        alternatives.append([_copy(mount, values)])
    if not alternatives:
        raise StorageError(
            f"The storage '{mount.storage}' is not mounted in this task and cannot be: {why}",
            "With readOnly: true it would be copied.",
        )
    return alternatives


def _mount_steps(mount: Mount, system: System, values: Callable[[], Values]) -> list[Step]:
    assert mount.type
    if mount.type == "azureBlob" and not system.has_fuse:
        raise OpenPaiError("/dev/fuse may not be used here.")
    if mount.type != "azureBlob" and not system.may_mount:
        raise OpenPaiError("this process may not mount.")
    program, packages = _HELPERS[mount.type]
    installing = [] if system.find(program) else system.installing(packages)
    private = Path(tempfile.gettempdir(), f"openpai-{os.getuid()}-{mount.storage}")
    environ = {"DEBIAN_FRONTEND": "noninteractive", "PATH": system.path}
    steps = [Step(f"install {program}", command, environ=environ) for command in installing]
    steps.append(Step(f"create {mount.path}", call=lambda: _make(mount.path)))
    text = _SECRET_FILES.get(mount.type)
    if text:
        write = text
        steps.append(
            Step(
                f"write account and key to {private}, for this user only",
                call=lambda: write_private(private, write(values())),
            )
        )
    argv = _COMMANDS[mount.type](mount, private)
    steps.append(Step(f"mount {mount.storage} at {mount.path}", argv, environ=environ))
    if mount.type in ("samba", "azureFile"):
        steps.append(Step(f"remove {private}", call=private.unlink))
    return steps


def _make(path: str) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)


def _nfs(mount: Mount, _: Path) -> list[str]:
    mode = "ro" if mount.read_only else "rw"
    source = f"{mount.data.get('server')}:{mount.data.get('path', '/')}"
    return ["mount", "-t", "nfs", "-o", f"{mode},nolock", source, mount.path]


def _cifs(mount: Mount, private: Path) -> list[str]:
    mode = "ro" if mount.read_only else "rw"
    source = mount.data.get("address") or (
        f"//{mount.data.get('accountName')}.file.core.windows.net/{mount.data.get('shareName')}"
    )
    owner = f"uid={os.getuid()},gid={os.getgid()}"
    options = f"{mode},vers=3.0,credentials={private},{owner},serverino"
    return ["mount", "-t", "cifs", "-o", options, source, mount.path]


def _blobfuse(mount: Mount, private: Path) -> list[str]:
    mode = ["--read-only"] if mount.read_only else []
    return ["blobfuse2", "mount", mount.path, f"--config-file={private}", *mode]


def _cifs_credentials(values: Values) -> str:
    lines = {
        "username": values.get("username") or values.get("accountName", ""),
        "password": values.get("password") or values.get("accountKey", ""),
        "domain": values.get("domain", ""),
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items() if value)


def _blobfuse_config(values: Values) -> str:
    from openpai.core.protocol import dump_yaml

    sas = values.get("accountSASToken")
    key = {"mode": "sas", "sas": sas} if sas else {"mode": "key"}
    if not sas:
        key["account-key"] = values.get("accountKey", "")
    account = {
        "type": "block",
        "account-name": values.get("accountName", ""),
        "container": values.get("containerName", ""),
    }
    cache = tempfile.mkdtemp(prefix="openpai-blobs-")
    return dump_yaml(
        {
            "components": ["libfuse", "file_cache", "attr_cache", "azstorage"],
            "file_cache": {"path": cache, "timeout-sec": 120},
            "azstorage": {**account, **key},
        }
    )


_COMMANDS: Mapping[str, Callable[[Mount, Path], Sequence[str]]] = {
    "nfs": _nfs,
    "samba": _cifs,
    "azureFile": _cifs,
    "azureBlob": _blobfuse,
}
_SECRET_FILES: Mapping[str, Callable[[Values], str]] = {
    "samba": _cifs_credentials,
    "azureFile": _cifs_credentials,
    "azureBlob": _blobfuse_config,
}


def _copy(mount: Mount, values: Callable[[], Values]) -> Step:
    def copy() -> None:
        spec = StorageSpec(mount.storage, mount.type or "", values(), read_only=True)
        with open_storage(spec) as storage:
            download(storage, "/", Path(mount.path))

    return Step(f"copy all of {mount.storage} to {mount.path}", call=copy)
