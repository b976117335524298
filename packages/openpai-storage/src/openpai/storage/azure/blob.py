"""A container of Azure Blob storage, over the network.

Azure's own library, and not fsspec's ``adlfs``, which wraps its asynchronous half: here blocks are
sent by several threads and gone on with by another process, the server compares each one's MD5, and
empty folders are marked as blobfuse marks them, so that jobs which mount the container see them.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import logging
import os
import time
from typing import Any, Iterator, Sequence
from unicodedata import category
from urllib.parse import parse_qs

import requests
from azure.core.exceptions import AzureError
from azure.storage.blob import (
    BlobBlock,
    BlobPrefix,
    ContainerClient,
    ContentSettings,
    LinearRetry,
)
from requests.adapters import HTTPAdapter

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.core.storage import Checksum, Storage, StorageSpec
from openpai.storage.azure.errors import translate_error
from openpai.storage.base import parallel_map, timeout_of
from openpai.storage.object_store import (
    MIB,
    Bucket,
    ObjectInfo,
    ObjectStorage,
    ObjectStream,
    Parts,
    object_stream,
)

__all__ = ["open_container"]

# Without a handler of the application, Python would print the library's warnings to stderr.
logging.getLogger("azure").addHandler(logging.NullHandler())

#: Number of connections kept open: one for each thread of a transfer.
CONNECTIONS = 64
#: Metadata key of blobs that are folders to blobfuse (azure-storage-fuse, component/azstorage).
_FOLDER = "hdi_isfolder"
#: Metadata key with the checksum of a blob committed from blocks.
_PARTS_MD5 = "openpai_parts_md5"


def open_container(spec: StorageSpec) -> Storage:
    """Open a container, or what lies below a prefix of one.

    ``spec.data`` has ``containerName`` and ``accountName``, with ``accountKey`` or
    ``accountSASToken``, and may have ``endpoint`` (the account's address, where it is not
    ``https://ACCOUNT.blob.core.windows.net``), ``path`` (a prefix) and ``timeout`` (seconds to wait
    for an answer, 60 otherwise).

    Raises:
        StorageError: The account, or a key for it, is missing or cannot be one.
    """
    data = spec.data
    account, container = str(data.get("accountName") or ""), str(data.get("containerName") or "")
    endpoint = str(data.get("endpoint") or f"https://{account}.blob.core.windows.net")
    key, token = str(data.get("accountKey") or ""), str(data.get("accountSASToken") or "")
    token = token.lstrip("?")
    if not account or not (key or token):
        raise StorageError(
            f"Storage '{spec.name}' names no Azure account with a key.",
            "It needs 'accountName', and 'accountKey' or 'accountSASToken'.",
        )
    if not endpoint.startswith(("http://", "https://")):
        raise StorageError(
            f"The 'endpoint' of storage '{spec.name}' is not an address: '{endpoint}'.",
            "Write it as https://HOST:PORT.",
        )
    if not token:
        _check_key(key, spec.name)
    credential = token or {"account_name": account, "account_key": key}
    client = _client(endpoint, container, credential, timeout_of(spec))
    bucket = AzureBucket(client, endpoint, token)
    return ObjectStorage(bucket, spec.name, str(data.get("path") or "/"), read_only=spec.read_only)


def _check_key(key: str, name: str) -> None:
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise StorageError(
            f"The 'accountKey' of storage '{name}' is not an Azure key: it is not Base64.",
            "Copy it once more.",
        ) from None


def _client(endpoint: str, container: str, credential: Any, timeout: float) -> ContainerClient:
    session = requests.Session()  # its default pool keeps only ten connections
    for kind in ("http://", "https://"):
        session.mount(kind, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return ContainerClient(
        endpoint,
        container,
        credential=credential,
        session=session,
        connection_timeout=min(timeout, 20),
        read_timeout=timeout,
        retry_policy=LinearRetry(1, retry_total=2, random_jitter_range=1),
        max_single_get_size=8 * MIB,
        max_chunk_get_size=8 * MIB,
        max_single_put_size=64 * MIB,
    )


class AzureBucket(Bucket):
    """A container.

    Args:
        client: Azure's client for it.
        server: What messages call the server.
        token: The SAS token; its expiry is named in errors.
    """

    max_parts = 50_000
    errors = (AzureError,)

    def __init__(self, client: ContainerClient, server: str, token: str = "") -> None:
        self.client = client
        self._server = server
        self._expires = parse_qs(token).get("se", [""])[0]

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def translate(self, error: Exception) -> Exception:
        """Return our error for one of the library."""
        return translate_error(error, self.client.container_name, self._server, self._expires)

    def head(self, key: str) -> ObjectInfo | None:
        """Describe one blob."""
        try:
            return self._head(key)
        except FileNotFoundError:
            return None

    def _head(self, key: str) -> ObjectInfo:
        with self.translating():
            return _blob(self.client.get_blob_client(key).get_blob_properties())

    def has_marker(self, key: str) -> bool:
        """Whether a blob of this name is one of blobfuse's folders."""
        found = self.head(key)
        return bool(found and found.is_folder)

    def name_error(self, key: str) -> str:
        """Refuse names that Azure changes or cannot hold.

        It takes a backslash for a slash, drops dots at the end of a part of the path, and has no
        control characters (learn.microsoft.com, "Naming and Referencing Containers, Blobs, and
        Metadata"). Azurite lets some of them pass.
        """
        if "\\" in key:
            return "Azure has no backslash in names"
        if any(part.endswith(".") for part in key.split("/")):
            return "Azure has no names that end with a dot"
        if any(category(sign) == "Cc" for sign in key):
            return "Azure has no control characters in names"
        return ""

    def exceeds_limit(self, key: str) -> bool:
        """Whether it has more than 1,024 characters."""
        key.encode("utf-8")
        return len(key) > 1024

    def scan(
        self, prefix: str, *, deep: bool = True, limit: int | None = None
    ) -> Iterator[ObjectInfo]:
        """Yield blobs in the order of their names."""
        options: dict[str, Any] = {"name_starts_with": prefix, "include": ["metadata"]}
        if limit:
            options["results_per_page"] = limit
        list_ = self.client.list_blobs if deep else self.client.walk_blobs
        with self.translating():
            for item in list_(**options):
                folder = isinstance(item, BlobPrefix)
                yield ObjectInfo(item.name, is_folder=True) if folder else _blob(item)

    def get(self, key: str, offset: int, length: int | None) -> ObjectStream:
        """Open a blob."""
        try:
            with self.translating():
                blob = self.client.get_blob_client(key)
                found = blob.download_blob(offset if offset or length else None, length)
        except OSError as error:
            if error.errno != errno.ERANGE:
                raise
            return object_stream(lambda _: b"", lambda: None)
        if (found.properties.metadata or {}).get(_FOLDER) == "true":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))

        def read(count: int) -> bytes:
            try:
                with self.translating():
                    data: bytes = found.read(count)
                    return data
            except OSError as error:
                reason = error.strerror or str(error)
                raise ConnectionFailed(f"{self._server} stopped sending: {reason}.") from None

        whole = not offset and length is None
        return object_stream(read, lambda: None, _blob(found.properties) if whole else None)

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write a whole blob."""
        return self._put(key, data)

    def _put(self, key: str, data: bytes, metadata: dict[str, str] | None = None) -> ObjectInfo:
        digest = _md5(data)
        with self.translating():
            answer = self.client.get_blob_client(key).upload_blob(
                data,
                overwrite=True,
                metadata=metadata,
                headers={"Content-MD5": base64.b64encode(digest).decode()},  # the server compares
                content_settings=ContentSettings(content_md5=bytearray(digest)),
            )
        kept = answer.get("content_md5") == digest
        checksum = Checksum("md5", digest.hex()) if kept else None
        return ObjectInfo(key, len(data), answer.get("last_modified"), checksum=checksum)

    def put_folder(self, key: str) -> None:
        """Write an empty blob with blobfuse's mark."""
        self._put(key, b"", {_FOLDER: "true"})

    def start_upload(self, key: str) -> Parts:
        """Begin to stage blocks."""
        return _Blocks(self, key, os.urandom(8).hex(), known={})

    def resume_upload(self, key: str, token: str) -> Parts | None:
        """Go on if the container still has blocks of this upload."""
        parts = _Blocks(self, key, token)
        return parts if parts.is_one and parts.sizes() else None

    def copy(self, source: str, target: str) -> None:
        """Copy a blob within the account."""
        with self.translating():
            blob = self.client.get_blob_client(target)
            place = self.client.get_blob_client(source).url
            status = str(blob.start_copy_from_url(place)["copy_status"])
            while status == "pending":
                time.sleep(0.5)
                status = str(blob.get_blob_properties().copy.status)
        if status != "success":
            raise OSError(errno.EIO, f"Azure could not copy it ({status})")

    def remove(self, keys: Sequence[str]) -> None:
        """Remove blobs, with their snapshots."""
        parallel_map(self._remove, keys)

    def _remove(self, key: str) -> None:
        try:
            with self.translating():
                self.client.get_blob_client(key).delete_blob(delete_snapshots="include")
        except FileNotFoundError:
            pass

    def checksum(self, key: str) -> Checksum | None:
        """Return the MD5 of a blob, or for one made of blocks the MD5 of their MD5s."""
        return self._head(key).checksum


class _Blocks(Parts):
    """Staged blocks; the name of each has the upload's token, its index and its MD5.

    What was staged and never committed goes by itself after a week; there is no call that removes
    it and leaves the blob of before.
    """

    def __init__(
        self,
        bucket: AzureBucket,
        key: str,
        token: str,
        known: dict[int, tuple[str, int]] | None = None,
    ) -> None:
        self.token = token
        self._known = known  # the staged blocks by their index, until another one is put
        self._bucket = bucket
        self._key = key
        self._blob = bucket.client.get_blob_client(key)

    @property
    def is_one(self) -> bool:
        """Whether the token can be one."""
        return len(self.token) == 16 and self.token.isalnum()

    def put(self, index: int, data: bytes) -> None:
        digest = _md5(data)
        name = f"{self.token}-{index:05}-{digest.hex()}"
        check = {"Content-MD5": base64.b64encode(digest).decode()}  # the server compares
        try:
            with self._bucket.translating():
                self._blob.stage_block(name, data, length=len(data), headers=check)
        finally:
            self._known = None

    def sizes(self) -> dict[int, int]:
        if self._known is None:
            self._known = self._staged()
        return {index: size for index, (_, size) in self._known.items()}

    def _staged(self) -> dict[int, tuple[str, int]]:
        """Return the name and bytes of each block of this upload."""
        try:
            with self._bucket.translating():
                _, staged = self._blob.get_block_list("uncommitted")
        except FileNotFoundError:
            return {}
        found: dict[int, tuple[str, int]] = {}
        for block in staged:
            token, _, rest = block.id.partition("-")
            if token == self.token:
                found[int(rest[:5])] = (block.id, int(block.size))
        return found

    def commit(self, count: int, part_size: int | None) -> None:
        staged = self._known or self._staged()
        missing = [index for index in range(count) if index not in staged]
        if missing:
            raise OSError(
                errno.EIO,
                f"{len(missing)} of {count} parts are gone: another upload of this file was ended",
            )
        names = [staged[index][0] for index in range(count)]
        total = _md5(b"".join(bytes.fromhex(name[-32:]) for name in names)).hex()
        metadata = {_PARTS_MD5: f"{part_size}:{total}-{count}"} if part_size else None
        with self._bucket.translating():
            self._blob.commit_block_list([BlobBlock(name) for name in names], metadata=metadata)

    def abort(self) -> None:
        pass


def _blob(properties: Any) -> ObjectInfo:
    """Return a blob as the library describes it."""
    metadata = properties.metadata or {}
    is_folder = properties.name.endswith("/") or metadata.get(_FOLDER) == "true"
    digest = properties.content_settings.content_md5
    if digest:
        checksum: Checksum | None = Checksum("md5", bytes(digest).hex())
    else:
        size, _, value = metadata.get(_PARTS_MD5, "").partition(":")
        checksum = Checksum(f"md5-parts/{size}", value) if value else None
    return ObjectInfo(
        properties.name, int(properties.size), properties.last_modified, is_folder, checksum
    )


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()  # noqa: S324 - what Azure compares
