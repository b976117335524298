"""Open the types that may be mounted and have a client: the mount where there is one.

What a client needs is imported only when one is opened: a job's container, which has the mount,
needs nothing but this distribution.
"""

from __future__ import annotations

from typing import Callable

from openpai.core.storage import Storage, StorageSpec
from openpai.storage.mounted import is_mounted, open_posix

__all__ = [
    "open_azure_blob",
    "open_azure_file",
    "open_samba",
]


def open_azure_blob(spec: StorageSpec) -> Storage:
    """Open a blob container: where it is mounted, otherwise over the network.

    Raises:
        StorageError: It is not mounted and there is no address to open, or no key.
    """
    return _open(spec, "containerName", _azure_blob)


def _azure_blob(spec: StorageSpec) -> Storage:
    from openpai.storage.azure import open_container

    return open_container(spec)


def open_azure_file(spec: StorageSpec) -> Storage:
    """Open a share of Azure Files: where it is mounted, otherwise by SMB.

    Raises:
        StorageError: It is not mounted and there is no address to open, or no key.
    """
    return _open(spec, "shareName", _azure_file)


def _azure_file(spec: StorageSpec) -> Storage:
    from openpai.storage.smb import open_file_share

    return open_file_share(spec)


def open_samba(spec: StorageSpec) -> Storage:
    """Open a share of a Samba or Windows server: where it is mounted, otherwise by SMB.

    Raises:
        StorageError: It is not mounted and there is no address to open.
    """
    return _open(spec, "address", _samba)


def _samba(spec: StorageSpec) -> Storage:
    from openpai.storage.smb import open_share

    return open_share(spec)


def _open(spec: StorageSpec, key: str, client: Callable[[StorageSpec], Storage]) -> Storage:
    """Open the mount if there is one, or if ``data`` lacks what the client begins with."""
    if is_mounted(spec) or not spec.data.get(key):
        return open_posix(spec)
    return client(spec)
