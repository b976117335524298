"""Translate errors of HDFS."""

from __future__ import annotations

import errno
import json
import os

from openpai.core.errors import ConnectionFailed, StorageError, StorageLoginError

__all__ = ["StandbyError", "transfer_error", "translate_error"]

#: What passes by itself: a server that starts, or that lost its line to another one.
_PASSING = frozenset(
    {
        "BlockMissingException",
        "ConnectException",
        "ConnectTimeoutException",
        "EOFException",
        "RetriableException",
        "ServerNotActiveException",
        "SocketException",
        "SocketTimeoutException",
    }
)

#: The same in words, of exceptions that are named IOException: too few data nodes for a block,
#: or all of them gone while it was written (hadoop-hdfs-client, DataStreamer.java).
_PASSING_WORDS = ("enough number of replicas", " are bad. Aborting")

_ERRNO = {
    "AccessControlException": errno.EACCES,
    "DSQuotaExceededException": errno.EDQUOT,
    "DirectoryListingStartAfterNotFoundException": errno.ENOENT,
    "FSLimitException$PathComponentTooLongException": errno.ENAMETOOLONG,
    "FileAlreadyExistsException": errno.EEXIST,
    "FileNotFoundException": errno.ENOENT,
    "InvalidPathException": errno.EINVAL,
    "NSQuotaExceededException": errno.EDQUOT,
    "ParentNotDirectoryException": errno.ENOTDIR,
    "PathComponentTooLongException": errno.ENAMETOOLONG,
    "PathIsNotEmptyDirectoryException": errno.ENOTEMPTY,
    "QuotaByStorageTypeExceededException": errno.EDQUOT,
    "SafeModeException": errno.EROFS,
    "SecurityException": errno.EACCES,
    "SnapshotAccessControlException": errno.EROFS,
}

#: What HDFS 2.7 says of such a path, in exceptions that mean other things, too.
_BELOW_A_FILE = ("Parent path is not a directory", "Current inode is not a directory")

_WORDS = {errno.EINVAL: "HDFS does not take this name; it has no colons in names"}

#: What is left of a request whose first line is longer than a data node reads: it misses the host.
_TOO_LONG = ((400, "No Host"), (414, "URI Too Long"))


class StandbyError(ConnectionFailed):
    """This name node is not the active one."""


def translate_error(status: int, reason: str, content: bytes) -> Exception:
    """Return our error for an HTTP error of WebHDFS.

    Its JSON names one of Hadoop's exceptions (hadoop-hdfs-client, JsonUtilClient.java; what makes
    it is ExceptionHandler.java of the servers).
    """
    try:
        remote = json.loads(content)["RemoteException"]
        kind, message = str(remote["exception"]), str(remote.get("message") or "")
    except (ValueError, KeyError, TypeError):
        kind, message = "", f"{status} {reason}"
    if "InvalidToken" in (kind, *message.replace(":", "$").split("$")):
        return StorageLoginError(
            "HDFS does not accept the delegation token: it has expired, or was cancelled.",
            "Get a new one.",
        )
    number = _number(kind, message)
    if (status, reason.strip()) in _TOO_LONG and not kind:
        number = errno.ENAMETOOLONG
    if number is not None:
        in_safe_mode = kind == "SafeModeException"
        words = "HDFS is in safe mode" if in_safe_mode else _WORDS.get(number)
        return OSError(number, words or os.strerror(number))
    if kind == "StandbyException":
        return StandbyError(
            "The name node is on standby and no active one is known.",
            "Give the addresses of all name nodes as 'uri'.",
        )
    first = message.strip().split("\n", 1)[0].rstrip(".")
    if kind in _PASSING or any(words in message for words in _PASSING_WORDS):
        return ConnectionFailed(f"HDFS cannot answer now: {first}.", "Try again.")
    if status == 401:
        return StorageLoginError(
            "HDFS does not accept the user, ticket or token.",
            "Check who you are there; a cluster with Kerberos needs 'kerberos' or 'token'.",
        )
    return StorageError(f"HDFS refuses: {first}.")


def _number(kind: str, message: str) -> int | None:
    """Return the error number of an exception; ``None`` where files have none for it."""
    number = _ERRNO.get(kind)
    if "Invalid path name" in message or "Invalid file name" in message:
        return errno.EINVAL
    if any(words in message for words in _BELOW_A_FILE):
        return errno.ENOTDIR
    if number == errno.EACCES and "is not a directory" in message:
        return errno.ENOTDIR  # a path below a file, for users other than the superuser
    return number


def transfer_error(left: int | None, reason: str = "") -> ConnectionFailed:
    """Return the error of an answer that ended before its end.

    A data node that finds a block damaged does not say so: it stops sending, each time there.

    Args:
        left: The bytes that are missing, where they are known.
        reason: What is known otherwise.
    """
    return ConnectionFailed(
        f"HDFS stopped sending, {left} bytes before the end."
        if left
        else f"HDFS stopped sending: {reason}.",
        "Try again; if it fails again, check for damaged blocks with 'hdfs fsck PATH'.",
    )
