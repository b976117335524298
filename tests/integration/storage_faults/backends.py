"""The storages of the campaign: each opens through proxies or directly."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openpai.core.storage.base import Storage, StorageSpec, open_storage
from openpai.core.storage.checksums import hasher

__all__ = [
    "Backend",
    "azure_backend",
    "folder_backend",
    "hdfs_backend",
    "s3_backend",
    "sftp_backend",
    "smb_backend",
]


@dataclass
class Backend:
    """One empty storage.

    Attributes:
        name: Its type.
        spec: How to open it directly.
        ports: The ports of its servers that carry files.
        rerouted: From the ports that take the place of these to another spec.
        notices_corruption: Whether a bit turned over on the way is seen by somebody.
    """

    name: str
    spec: StorageSpec
    ports: list[int]
    rerouted: Callable[[list[int]], StorageSpec]
    notices_corruption: bool = True

    def open(self, ports: list[int] | None = None) -> Storage:
        """Open it, through proxies on these ports or directly."""
        return open_storage(self.rerouted(ports) if ports else self.spec)


def with_data(spec: StorageSpec, **data: Any) -> StorageSpec:
    """Return a spec with other data."""
    return replace(spec, data={**spec.data, **data})


def folder_backend(folder: Path) -> Backend:
    """Return a folder of this machine: there is no connection to it, but processes die."""
    spec = StorageSpec("main", "nfs", mount_path=str(folder))
    return Backend("folder", spec, [], lambda ports: spec)


def s3_backend(moto: Any) -> Backend:
    """Return an empty bucket."""
    bucket = f"test-{os.urandom(4).hex()}"
    moto.client().create_bucket(Bucket=bucket)
    spec = moto.spec(bucket)

    def rerouted(ports: list[int]) -> StorageSpec:
        return with_data(spec, endpoint=f"http://127.0.0.1:{ports[0]}", timeout=20)

    return Backend("s3", spec, [moto.port], rerouted)


def sftp_backend(sshd: Any, folder: Path) -> Backend:
    """Return an empty folder of an SSH server."""
    served = folder / "served"
    served.mkdir()
    spec = sshd.spec(served)
    key = Path(sshd.file("host.pub")).read_text()

    def rerouted(ports: list[int]) -> StorageSpec:
        known = folder / f"known-{ports[0]}"
        known.write_text(f"[127.0.0.1]:{ports[0]} {key}")
        uri = f"sftp://127.0.0.1:{ports[0]}{served}"
        return with_data(spec, uri=uri, known_hosts=str(known), timeout=20)

    return Backend("sftp", spec, [sshd.port], rerouted)


def azure_backend(azurite: Any) -> Backend:
    """Return an empty container."""
    name = f"test-{os.urandom(4).hex()}"
    with azurite.container(name) as client:
        client.create_container()
    spec = azurite.spec(name)
    address = urlsplit(azurite.endpoint)

    def rerouted(ports: list[int]) -> StorageSpec:
        return with_data(spec, endpoint=f"http://127.0.0.1:{ports[0]}{address.path}", timeout=20)

    return Backend("azureBlob", spec, [azurite.port], rerouted)


def hdfs_backend(hdfs: Any) -> Backend:
    """Return an empty folder of HDFS; the proxies are before its data nodes."""
    path = f"/users/alice/{os.urandom(4).hex()}"
    hdfs.open("/").mkdir(path)
    data = {"uri": hdfs.uri, "user": "alice", "path": path, "datanodes": dict(hdfs.datanodes)}
    spec = StorageSpec("main", "hdfs", data)
    names = list(hdfs.datanodes)
    nodes = [int(address.partition(":")[2]) for address in hdfs.datanodes.values()]

    def rerouted(ports: list[int]) -> StorageSpec:
        ways = {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
        return with_data(spec, datanodes=ways)

    computed = hasher("crc32c") is not None  # else nothing here compares what HDFS has
    return Backend("hdfs", spec, nodes, rerouted, notices_corruption=computed)


def smb_backend(smbd: Any) -> Backend:
    """Return an empty folder of a share; its dialect signs what it carries."""
    name = os.urandom(4).hex()
    (smbd.root / name).mkdir()
    spec = smbd.spec(name)

    def rerouted(ports: list[int]) -> StorageSpec:
        return with_data(spec, address=f"//127.0.0.1:{ports[0]}/team/{name}", timeout=20)

    return Backend("samba", spec, [smbd.port], rerouted)
