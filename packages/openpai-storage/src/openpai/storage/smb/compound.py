"""Compound requests: operations in fewer messages than smbclient's public functions.

A message costs more time here than its way to the server and back: 25 of them are what smbclient
needs for one small file. These are made of the same parts as its own functions, which find a file
also where a server of DFS sends them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, Mapping

from smbclient._io import SMBFileIO, SMBFileTransaction, SMBRawIO, set_info
from smbprotocol.exceptions import EndOfFile, SMBException, SMBOSError
from smbprotocol.file_info import FileBasicInformation, FileRenameInformation
from smbprotocol.open import FilePipePrinterAccessMask as Access, SMB2ReadResponse

__all__ = ["create", "query_info", "read_whole", "rename_and_close", "set_times"]

_EPOCH = datetime(1601, 1, 1, tzinfo=timezone.utc)
Options = Mapping[str, Any]


def query_info(path: str, options: Options) -> Any:
    """Open and close a file or folder; return its attributes from the answers."""
    raw = SMBRawIO(path, share_access="rwd", desired_access=Access.FILE_READ_ATTRIBUTES, **options)
    SMBFileTransaction(raw).commit()
    return raw.fd


def read_whole(path: str, most: int, options: Options) -> tuple[Any, bytes]:
    """Open a file and read its beginning; close it if that is all.

    Returns:
        The file, closed or not, and up to ``most`` bytes.
    """
    raw = SMBFileIO(path, mode="rb", share_access="rwd", **options)
    both = SMBFileTransaction(raw)
    raw.open(both)
    message, _ = raw.fd.read(0, most, send=False)

    def received(request: Any) -> bytes:
        answer = SMB2ReadResponse()
        answer.unpack(raw.fd.connection.receive(request)["data"].get_value())
        return bytes(answer["buffer"].get_value())

    both += (message, received)
    data = b""
    try:
        try:
            both.commit()
            data = both.results[1]
        except SMBOSError as error:
            if error.ntstatus != EndOfFile._STATUS_CODE:
                raise
        if len(data) >= raw.fd.end_of_file:
            raw.fd.close(get_attributes=True)
    except BaseException:
        with suppress(OSError, ValueError, SMBException):
            raw.close()
        raw.fd._connected = False  # else the library complains of a file left open
        raise
    return raw, data


def create(path: str, options: Options) -> Any:
    """Make a file that must not exist, to be written, described and renamed while it is open."""
    access = Access.GENERIC_READ | Access.GENERIC_WRITE | Access.DELETE
    raw = SMBFileIO(path, mode="x+b", share_access="rwd", desired_access=access, **options)
    raw.open()
    return raw


def set_times(file: Any, modified: datetime) -> None:
    """Set the time of an open file; what was and is written to it changes that no more."""
    info = FileBasicInformation()
    ticks = (modified - _EPOCH) // timedelta(microseconds=1) * 10
    info["last_access_time"] = info["last_write_time"] = ticks
    with SMBFileTransaction(file) as one:
        set_info(one, info)


def rename_and_close(file: Any, name: str) -> Any:
    """Rename an open file within its folder, over another one, and close it.

    Returns:
        Its attributes after the change.
    """
    fd = file.fd
    path, tree = fd.file_name, fd.tree_connect
    if tree.is_dfs_share and path.startswith(tree.share_name[2:]):
        path = path[len(tree.share_name) - 1 :]  # as smbclient does it
    folder, slash, _ = path.rpartition("\\")
    info = FileRenameInformation()
    info["replace_if_exists"] = True
    info["file_name"] = folder + slash + name
    try:
        both = SMBFileTransaction(file)
        set_info(both, info)
        both += fd.close(get_attributes=True, send=False)
        both.commit()
    except BaseException:
        fd._connected = True  # a server that refused one may have refused both
        raise
    return fd
