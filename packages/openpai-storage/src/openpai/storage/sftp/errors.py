"""Translate errors of asyncssh."""

from __future__ import annotations

import errno
import os

import asyncssh

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError, StorageLoginError

__all__ = ["translate_error"]

#: Version 3 of SFTP, OpenSSH's, has few error codes: a too long name is a bad message, a full
#: disk is a failure (openssh-portable, sftp-server.c, errno_to_portable).
_ERRNO: dict[type[Exception], int] = {
    asyncssh.SFTPNoSuchFile: errno.ENOENT,
    asyncssh.SFTPNoSuchPath: errno.ENOENT,
    asyncssh.SFTPPermissionDenied: errno.EACCES,
    asyncssh.SFTPWriteProtect: errno.EROFS,
    asyncssh.SFTPFileAlreadyExists: errno.EEXIST,
    asyncssh.SFTPNoSpaceOnFilesystem: errno.ENOSPC,
    asyncssh.SFTPQuotaExceeded: errno.EDQUOT,
    asyncssh.SFTPDirNotEmpty: errno.ENOTEMPTY,
    asyncssh.SFTPNotADirectory: errno.ENOTDIR,
    asyncssh.SFTPFileIsADirectory: errno.EISDIR,
    asyncssh.SFTPInvalidFilename: errno.EINVAL,
    asyncssh.SFTPLinkLoop: errno.ELOOP,
}
_LOST = (
    asyncssh.SFTPNoConnection,
    asyncssh.SFTPConnectionLost,
    asyncssh.ConnectionLost,
    asyncssh.ChannelOpenError,
)


def translate_error(error: Exception, server: str) -> Exception:
    """Return what an error means."""
    number = _ERRNO.get(type(error))
    if number is not None:
        return OSError(number, os.strerror(number))
    if isinstance(error, asyncssh.SFTPBadMessage):
        return OSError(errno.EINVAL, "The server does not take this name, perhaps for its length")
    if isinstance(error, asyncssh.SFTPOpUnsupported):
        return OSError(errno.ENOTSUP, "The server cannot do this")
    if isinstance(error, asyncssh.SFTPFailure):
        return OSError(errno.EIO, "The server fails without a reason; its disk may be full")
    return _of_connection(error, server)


def _of_connection(error: Exception, server: str) -> OpenPaiError:
    if isinstance(error, asyncssh.PermissionDenied):
        return StorageLoginError(
            f"The SFTP server {server} does not accept the user, key or password.",
            "Check them; a key may have to be loaded into the agent with ssh-add.",
        )
    if isinstance(error, (asyncssh.KeyImportError, asyncssh.KeyEncryptionError)):
        return StorageError(
            f"The key for the SFTP server {server} cannot be used: wrong passphrase, or no key.",
            "Check 'key_file' and 'passphrase', or load the key into the agent with ssh-add.",
        )
    if isinstance(error, (OSError, *_LOST)) and not isinstance(error, asyncssh.SFTPError):
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else str(error) or type(error).__name__
        return ConnectionFailed(
            f"The SFTP server {server} does not answer: {reason.rstrip('.')}.",
            "Check the address, and try again.",
        )
    if isinstance(error, _LOST):
        return ConnectionFailed(
            f"The connection to the SFTP server {server} was cut.", "Try again."
        )
    reason = str(error).strip().split("\n", 1)[0].rstrip(".") or type(error).__name__
    return StorageError(f"The SFTP server {server} cannot be used: {reason}.")
