"""Translate errors of botocore."""

from __future__ import annotations

import errno
import os
from typing import Any

import botocore.exceptions as boto

from openpai.core.errors import ConnectionFailed, StorageError, StorageLoginError

__all__ = ["translate_error"]

#: Codes of S3 (docs.aws.amazon.com, "Error responses") and of MinIO; bare numbers where the answer
#: to a HEAD has no body.
_ERRNO = {
    "NoSuchKey": errno.ENOENT,
    "NoSuchUpload": errno.ENOENT,
    "404": errno.ENOENT,
    "AccessDenied": errno.EACCES,
    "AllAccessDisabled": errno.EACCES,
    "403": errno.EACCES,
    "MethodNotAllowed": errno.EACCES,
    "KeyTooLongError": errno.ENAMETOOLONG,
    "InvalidRange": errno.ERANGE,
    "416": errno.ERANGE,
    "QuotaExceeded": errno.EDQUOT,
    "XMinioAdminBucketQuotaExceeded": errno.EDQUOT,
    "XMinioStorageFull": errno.ENOSPC,
    "EntityTooLarge": errno.EFBIG,
    "BadDigest": errno.EIO,
}
_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
_BUSY = ("SlowDown", "ServiceUnavailable", "RequestTimeout", "InternalError", "503", "500")


def translate_error(error: Exception, bucket: str, server: str) -> Exception:
    """Return what an error means; the messages of botocore hold no keys."""
    if isinstance(error, boto.ClientError):
        return _of_server(error.response.get("Error", {}), bucket, server)
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        return StorageError(
            f"There are no keys for the bucket '{bucket}' of {server}.",
            "Give 'access_key' and 'secret_key', or set them as for the aws command.",
        )
    if isinstance(error, (boto.CredentialRetrievalError, boto.TokenRetrievalError)):
        return StorageError(f"The keys for {server} cannot be had: {_first(error)}.")
    if isinstance(error, boto.ParamValidationError):
        return StorageError(f"{server} has no place for that: {_first(error)}.")
    if isinstance(error, boto.SSLError):
        return ConnectionFailed(
            f"The certificate of {server} is not trusted.",
            "Name the file of its authority in AWS_CA_BUNDLE.",
        )
    return ConnectionFailed(f"{server} does not answer: {_first(error)}.", "Try again.")


def _of_server(error: Any, bucket: str, server: str) -> Exception:
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    if code in _ERRNO:
        number = _ERRNO[code]
        damaged = code == "BadDigest"
        return OSError(number, "Damaged on its way" if damaged else os.strerror(number))
    if code == "NoSuchBucket":
        return StorageError(f"{server} has no bucket '{bucket}'.", "Check 'uri' and 'endpoint'.")
    if code in _WRONG_KEYS:
        return StorageLoginError(
            f"{server} does not accept the keys for the bucket '{bucket}'.",
            "Check 'access_key' and 'secret_key'.",
        )
    if code in _EXPIRED:
        return StorageLoginError(
            f"The keys for the bucket '{bucket}' of {server} have expired.", "Get new ones."
        )
    if code in _BUSY:
        return ConnectionFailed(f"{server} is busy or broken ({code}).", "Try again later.")
    first = message.strip().split("\n", 1)[0].rstrip(".") or code
    return StorageError(f"{server} refuses: {first}.")


def _first(error: Exception) -> str:
    text = str(error).strip().split("\n", 1)[0]
    return text.partition(': "')[0].rstrip(".")  # the rest is the address with its query
