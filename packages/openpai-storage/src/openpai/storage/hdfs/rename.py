"""Rename a file over another one, also where the server cannot, or its answer is lost."""

from __future__ import annotations

import errno
import os
import posixpath
from contextlib import suppress

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.storage.hdfs.client import WebHdfs

__all__ = ["replace"]

#: How often to try to replace a file through a gateway while others replace it, too.
SWAPS = 10


def replace(client: WebHdfs, source: str, target: str) -> None:
    """Rename a file or folder; a file takes the place of an existing one.

    Args:
        client: The client of the name node.
        source: Its full path.
        target: The full path that it gets.

    Raises:
        OSError, StorageError, ConnectionFailed: As for :meth:`.WebHdfs.ask`.
    """
    try:
        done = _rename(client, source, target, renameoptions="OVERWRITE")
    except ConnectionFailed:
        if not _moved(client, source, target):
            raise
        return
    if not done:
        _swap(client, source, target)


def _rename(client: WebHdfs, source: str, target: str, **options: str) -> bool:
    """Rename; return false where a gateway did not, as it knows no options."""
    answer = client.ask("PUT", source, "RENAME", destination=target, **options)
    return answer.get("boolean") is not False


def _moved(client: WebHdfs, source: str, target: str) -> bool:
    """Whether a renaming whose answer was lost took place."""
    with suppress(OSError, OpenPaiError):
        return not _exists(client, source) and _exists(client, target)
    return False


def _exists(client: WebHdfs, path: str) -> bool:
    return _kind(client, path) is not None


def _is_folder(client: WebHdfs, path: str) -> bool:
    return _kind(client, path) == "DIRECTORY"


def _kind(client: WebHdfs, path: str) -> str | None:
    try:
        kind: str = client.ask("GET", path, "GETFILESTATUS")["FileStatus"]["type"]
    except FileNotFoundError:
        return None
    return kind


def _swap(client: WebHdfs, source: str, target: str) -> None:
    """Replace a file in two steps; the old one is kept aside until the new one has its name."""
    if _is_folder(client, target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    for _ in range(SWAPS):
        aside = posixpath.join(posixpath.dirname(target), f".opai-{os.urandom(6).hex()}.old")
        kept = _rename(client, target, aside)
        done = _rename(client, source, target)
        if kept and (done or not _rename(client, aside, target)):
            client.ask("DELETE", aside, "DELETE")
        if done:
            return
    raise OSError(errno.EIO, "HDFS does not rename the file")
