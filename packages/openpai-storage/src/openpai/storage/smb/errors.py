"""Translate errors of smbprotocol."""

from __future__ import annotations

import errno
import os

import smbprotocol.exceptions as smb

from openpai.core.errors import ConnectionFailed, StorageError, StorageLoginError

__all__ = ["missing", "translate_error"]

#: NTSTATUS values ([MS-ERREF] 2.3.1).
_ERRNO = {
    0xC000000F: errno.ENOENT,  # NO_SUCH_FILE
    0xC0000022: errno.EACCES,  # ACCESS_DENIED
    0xC0000033: errno.EINVAL,  # OBJECT_NAME_INVALID
    0xC0000034: errno.ENOENT,  # OBJECT_NAME_NOT_FOUND
    0xC0000035: errno.EEXIST,  # OBJECT_NAME_COLLISION
    0xC0000039: errno.ENOENT,  # OBJECT_PATH_INVALID
    0xC000003A: errno.ENOENT,  # OBJECT_PATH_NOT_FOUND
    0xC000003B: errno.EINVAL,  # OBJECT_PATH_SYNTAX_BAD
    0xC0000043: errno.EBUSY,  # SHARING_VIOLATION
    0xC0000044: errno.EDQUOT,  # QUOTA_EXCEEDED
    0xC0000056: errno.ENOENT,  # DELETE_PENDING
    0xC000007F: errno.ENOSPC,  # DISK_FULL
    0xC00000A2: errno.EROFS,  # MEDIA_WRITE_PROTECTED
    0xC00000BA: errno.EISDIR,  # FILE_IS_A_DIRECTORY
    0xC0000101: errno.ENOTEMPTY,  # DIRECTORY_NOT_EMPTY
    0xC0000103: errno.ENOTDIR,  # NOT_A_DIRECTORY
    0xC0000106: errno.ENAMETOOLONG,  # NAME_TOO_LONG
    0xC0000121: errno.EACCES,  # CANNOT_DELETE
    0xC0000225: errno.ENOENT,  # NOT_FOUND
    0xC0000904: errno.EFBIG,  # FILE_TOO_LARGE
}
_WORDS = {
    0xC0000033: "The server does not take this name, perhaps for its length",
    0xC0000043: "Another program has it open",
}
_LOGIN = (
    0xC000006A,  # WRONG_PASSWORD
    0xC000006D,  # LOGON_FAILURE
    0xC000006E,  # ACCOUNT_RESTRICTION
    0xC0000071,  # PASSWORD_EXPIRED
    0xC0000072,  # ACCOUNT_DISABLED
    0xC0000193,  # ACCOUNT_EXPIRED
    0xC0000224,  # PASSWORD_MUST_CHANGE
    0xC0000234,  # ACCOUNT_LOCKED_OUT
)
_NO_SHARE = (0xC00000CC, 0xC0000465)  # BAD_NETWORK_NAME
_CUT = (
    0xC00000C9,  # NETWORK_NAME_DELETED
    0xC0000128,  # FILE_CLOSED: the server forgot the file with the connection
    0xC0000203,  # USER_SESSION_DELETED
    0xC000020C,  # CONNECTION_DISCONNECTED
    0xC000035C,  # NETWORK_SESSION_EXPIRED
)


def translate_error(error: Exception, server: str, share: str) -> Exception:
    """Return what an error means."""
    status = _status(error)
    if status in _ERRNO:
        return OSError(_ERRNO[status], _WORDS.get(status, os.strerror(_ERRNO[status])))
    if status in _LOGIN or isinstance(error, smb.SMBAuthenticationError):
        return StorageLoginError(
            f"The SMB server {server} does not accept the user or password.", "Check them."
        )
    if status in _NO_SHARE:
        return missing(server, share)
    if status in _CUT:
        return ConnectionFailed(f"The SMB server {server} cut the connection.", "Try again.")
    if status:
        return StorageError(f"The SMB server {server} refuses ({_name(error, status)}).")
    return _of_connection(error, server)


def missing(server: str, share: str) -> StorageError:
    """Return what is raised where there is no such share."""
    return StorageError(f"The SMB server {server} has no share '{share}'.", "Check its name.")


def _of_connection(error: Exception, server: str) -> Exception:
    reason = getattr(error, "strerror", None) or str(error).split("\n", 1)[0].rstrip(".")
    if isinstance(error, smb.SMBOSError) or "timeout" in reason.lower():
        reason = "no answer in time"
    if ": " in reason:  # "Failed to connect to 'HOST:PORT': [Errno 111] Connection refused"
        reason = reason.rpartition("] ")[2] or reason
    return ConnectionFailed(
        f"The SMB server {server} does not answer: {reason or type(error).__name__}.",
        "Check the address, and try again.",
    )


def _status(error: Exception) -> int:
    if isinstance(error, smb.SMBOSError):
        return int(error.ntstatus)
    if isinstance(error, smb.SMBResponseException):
        return int(error.status)
    return 0


def _name(error: Exception, status: int) -> str:
    return f"{type(error).__name__} 0x{status:08x}"
