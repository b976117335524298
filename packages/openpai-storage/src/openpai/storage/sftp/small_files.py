"""Small files of an SFTP server, with questions that do not wait for each other's answers.

A server does what it is asked about one file in the order in which it was asked
(draft-ietf-secsh-filexfer-02, 6.1).
"""

from __future__ import annotations

import asyncio
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    from asyncssh.sftp import SFTPAttrs, SFTPClient

__all__ = ["close", "create", "read"]

_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)


async def read(sftp: SFTPClient, path: bytes, size: int) -> tuple[bytes, SFTPAttrs]:
    """Return a file that fits into one request, and what it was after it was read."""
    file = await sftp.open(path, "rb", block_size=None)
    content, after, _ = await _all(file.read(size, 0), file.stat(), file.close())
    return content, after


async def create(
    sftp: SFTPClient, path: bytes, data: bytes, attrs: SFTPAttrs | None, *, instead: bytes
) -> SFTPAttrs:
    """Write a new file, unless the one that it shall replace is a folder.

    Returns:
        What it was after the last change.
    """
    whole = len(data) <= sftp.limits.max_write_len
    private = attrs is not None and attrs.permissions is not None
    begun = asyncssh.SFTPAttrs(permissions=0o600 if private else 0o666)
    found, file = await asyncio.gather(
        sftp.stat(instead),
        sftp.open(path, "xb", begun, block_size=None if whole else -1),
        return_exceptions=True,
    )
    if isinstance(file, BaseException):
        raise file
    try:
        if not isinstance(found, asyncssh.SFTPAttrs):
            if not isinstance(found, _MISSING):
                raise found
        elif stat.S_ISDIR(found.permissions or 0):
            raise asyncssh.SFTPFileIsADirectory("")
        if not whole:
            await file.write(data, 0)
            data = b""
        return await close(file, data, attrs)
    finally:
        with suppress(asyncssh.Error, OSError):
            await file.close()


async def close(file: Any, data: bytes, attrs: SFTPAttrs | None) -> SFTPAttrs:
    """Write the rest of a file, describe and close it; return what it was after that."""
    acts = [file.write(data, 0)] if data else []
    acts += [file.setstat(attrs)] if attrs else []
    found: SFTPAttrs = (await _all(*acts, file.stat(), file.close()))[-2]
    return found


async def _all(*acts: Any) -> list[Any]:
    """Begin all in this order and wait for all; raise the first error."""
    done = await asyncio.gather(*acts, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return list(done)
