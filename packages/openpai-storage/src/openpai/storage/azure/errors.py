"""Translate errors of the Azure library."""

from __future__ import annotations

import errno
import os
import re
from datetime import datetime, timezone

from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError, StorageLoginError

__all__ = ["translate_error"]

#: Codes of the Blob service (learn.microsoft.com, "Blob Storage error codes").
_ERRNO = {
    "BlobNotFound": errno.ENOENT,
    "ResourceNotFound": errno.ENOENT,
    "CannotVerifyCopySource": errno.EIO,
    "AuthorizationFailure": errno.EACCES,
    "AuthorizationPermissionMismatch": errno.EACCES,
    "AuthorizationServiceMismatch": errno.EACCES,
    "AuthorizationResourceTypeMismatch": errno.EACCES,
    "InsufficientAccountPermissions": errno.EACCES,
    "BlobImmutableDueToPolicy": errno.EACCES,
    "LeaseIdMissing": errno.EBUSY,
    "InvalidRange": errno.ERANGE,
    "InvalidResourceName": errno.EINVAL,
    "InvalidUri": errno.EINVAL,
    "BlockCountExceedsLimit": errno.EFBIG,
    "RequestBodyTooLarge": errno.EFBIG,
    "Md5Mismatch": errno.EIO,
    "InvalidBlockList": errno.EIO,
}
_WORDS = {
    "Md5Mismatch": "Damaged on its way",
    "LeaseIdMissing": "Somebody holds a lease on it",
    "InvalidBlockList": "Its parts are gone: another upload of this file was ended",
}
_BY_STATUS = {403: errno.EACCES, 404: errno.ENOENT, 416: errno.ERANGE}
_WRONG_KEY = ("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation")
_MISSING = ("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled")


def translate_error(error: Exception, container: str, server: str, expires: str) -> Exception:
    """Return what an error means.

    Args:
        error: What the library raised; its text can hold addresses with a SAS token.
        container: The container's name.
        server: The account's address.
        expires: The time of the SAS token's end, as it says; empty without one.
    """
    if isinstance(error, HttpResponseError):
        return _of_server(error, container, server, expires)
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return ConnectionFailed(f"{server} does not answer: {_reason(error)}.", "Try again.")
    return StorageError(f"{server} cannot be used: {_reason(error)}.")


def _of_server(error: HttpResponseError, container: str, server: str, expires: str) -> Exception:
    code = str(getattr(error, "error_code", None) or "").rpartition(".")[2]
    status = error.status_code or 0
    if status in (401, 403) and _is_past(expires):
        return StorageLoginError(
            f"The SAS token for the container '{container}' expired at {expires}.", "Get a new one."
        )
    if code in _WRONG_KEY or (status == 403 and "failed to authenticate" in str(error.message)):
        return StorageLoginError(
            f"{server} does not accept the key for the container '{container}'.",
            "Check 'accountName', and 'accountKey' or 'accountSASToken'.",
        )
    if code in _MISSING:
        return StorageError(f"{server} has no container '{container}'.", "Check 'containerName'.")
    number = _ERRNO.get(code, _BY_STATUS.get(status, 0))
    if number:
        return OSError(number, _WORDS.get(code, os.strerror(number)))
    if status >= 500:
        return ConnectionFailed(f"{server} is busy or broken ({code or status}).", "Try again.")
    return _other(error, code or str(status), server)


def _other(error: HttpResponseError, code: str, server: str) -> OpenPaiError:
    first = str(error.message or "").strip().split("\n", 1)[0].rstrip(".")
    if "sig=" in first or not first:
        first = code
    return StorageError(f"{server} refuses: {first} ({code}).")


def _is_past(expires: str) -> bool:
    """Whether a time such as ``2026-11-26T01:00:00Z`` is in the past; false for an invalid time."""
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"):
        try:
            end = datetime.strptime(expires, form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return end < datetime.now(timezone.utc)
    return False


def _reason(error: Exception) -> str:
    """Return the operating system's own words; the rest of the text may hold a whole address."""
    text = str(error)
    found = re.search(r"\[Errno -?\d+\] ([^\]\[()'\"]+)", text)
    if found:
        return found.group(1).strip()
    if "timed out" in text:
        return "timed out"
    if "certificate" in text.lower():
        return "its certificate is not trusted"
    return type(error).__name__
