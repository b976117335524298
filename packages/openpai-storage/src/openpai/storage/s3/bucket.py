"""A bucket of S3, or of a server that speaks its protocol (MinIO, Ceph, …), as a storage.

botocore, and not fsspec's ``s3fs``: a file appears by one commit, parts are sent by several threads
and gone on with by another process, and the server compares each one's MD5. s3fs hides uploads
behind file objects, remembers listings, and brings an event loop and aiohttp. Of what boto3
adds to it only copies are needed here, and they only now and then; importing it takes time.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import io
from contextlib import suppress
from typing import Any, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import botocore.config
import botocore.exceptions
import botocore.session

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.core.storage import Checksum, Storage, StorageSpec
from openpai.storage.base import timeout_of
from openpai.storage.object_store import (
    MIB,
    Bucket,
    ObjectInfo,
    ObjectStorage,
    ObjectStream,
    Parts,
    object_stream,
)
from openpai.storage.s3.errors import translate_error

__all__ = ["open_s3"]


def open_s3(spec: StorageSpec) -> Storage:
    """Open a bucket, or what lies below a prefix of one.

    ``spec.data`` has ``uri`` (``s3://BUCKET[/PREFIX]``), and may have ``endpoint``
    (``https://HOST:PORT`` of a server that is not Amazon's), ``region``, ``access_key`` with
    ``secret_key`` and ``session_token``, ``profile`` (of ``~/.aws``) and ``timeout`` (seconds to
    wait for an answer, 60 otherwise). Without keys they are looked for where every AWS tool does. A
    mounted one opens as a folder.

    Raises:
        StorageError: The address is missing or none, or there are no keys.
    """
    if spec.mount_path:
        from openpai.storage.mounted import open_posix

        return open_posix(spec)
    parts = urlsplit(str(spec.data.get("uri") or ""))
    if parts.scheme != "s3" or not parts.netloc:
        raise StorageError(
            f"The 'uri' of storage '{spec.name}' is not an S3 address.",
            "Write it as s3://BUCKET/PREFIX.",
        )
    endpoint = str(spec.data.get("endpoint") or "")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise StorageError(
            f"The 'endpoint' of storage '{spec.name}' is not an address: '{endpoint}'.",
            "Write it as https://HOST:PORT.",
        )
    bucket = S3Bucket(_client(spec), parts.netloc, endpoint or "S3")
    return ObjectStorage(bucket, spec.name, parts.path, read_only=spec.read_only)


def _client(spec: StorageSpec) -> Any:
    data, timeout = spec.data, timeout_of(spec)
    config = botocore.config.Config(
        connect_timeout=min(timeout, 20),
        read_timeout=timeout,
        retries={"max_attempts": 3, "mode": "standard"},
        max_pool_connections=64,
        request_checksum_calculation="when_required",  # other servers than Amazon's lack them
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if data.get("endpoint") else "auto"},
    )
    keys = [data.get(name) for name in ("access_key", "secret_key", "session_token")]
    try:
        session = botocore.session.Session(profile=str(data.get("profile") or "") or None)
        if any(keys):
            session.set_credentials(*(str(key) if key else None for key in keys))
        region = data.get("region") or session.get_config_variable("region") or "us-east-1"
        client = session.create_client(
            "s3",
            endpoint_url=data.get("endpoint") or None,
            region_name=str(region),
            config=config,
        )
        client.meta.events.register_last("before-call.s3", _go_ahead)
        return client
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise StorageError(f"Storage '{spec.name}' cannot be opened: {error}.") from None


def _go_ahead(params: dict[str, Any], **_: Any) -> None:
    """Send small bodies without waiting for `100 Continue`."""
    body = params.get("body")
    if isinstance(body, io.BytesIO) and body.getbuffer().nbytes <= MIB:
        params["headers"].pop("Expect", None)


class S3Bucket(Bucket):
    """A bucket.

    Args:
        client: botocore's client for S3.
        bucket: Its name.
        server: Name of the server in messages.
    """

    errors = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)

    def __init__(self, client: Any, bucket: str, server: str) -> None:
        self._client = client
        self._bucket = bucket
        self._server = server

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def translate(self, error: Exception) -> Exception:
        """Return our error for one of the library."""
        return translate_error(error, self._bucket, self._server)

    def call(self, operation: str, **arguments: Any) -> Any:
        """Call an operation of the library on the bucket."""
        with self.translating():
            return getattr(self._client, operation)(Bucket=self._bucket, **arguments)

    def head(self, key: str) -> ObjectInfo | None:
        """Describe one object."""
        try:
            answer = self.call("head_object", Key=key)
        except FileNotFoundError:
            return None
        return _object(key, answer)

    def scan(
        self, prefix: str, *, deep: bool = True, limit: int | None = None
    ) -> Iterator[ObjectInfo]:
        """Yield objects in the order of their keys, page by page; folders after each page."""
        options: dict[str, Any] = {"Prefix": prefix}
        if not deep:
            options["Delimiter"] = "/"
        if limit:
            options["MaxKeys"] = limit
        while True:
            page = self.call("list_objects_v2", **options)
            for item in page.get("Contents", ()):
                is_folder = item["Key"].endswith("/")
                yield ObjectInfo(item["Key"], int(item["Size"]), item["LastModified"], is_folder)
            for item in page.get("CommonPrefixes", ()):
                yield ObjectInfo(item["Prefix"], is_folder=True)
            if limit or not page.get("IsTruncated"):
                return
            options["ContinuationToken"] = page["NextContinuationToken"]

    def get(self, key: str, offset: int, length: int | None) -> ObjectStream:
        """Open an object."""
        options = {"Key": key}
        if offset or length is not None:
            end = "" if length is None else offset + length - 1
            options["Range"] = f"bytes={offset}-{end}"
        try:
            answer = self.call("get_object", **options)
        except OSError as error:
            if error.errno != errno.ERANGE:
                raise
            return object_stream(lambda _: b"", lambda: None)
        body = answer.pop("Body")

        def read(count: int) -> bytes:
            try:
                with self.translating():
                    data: bytes = body.read(count)
                    return data
            except OSError as error:
                reason = error.strerror or str(error)
                raise ConnectionFailed(f"{self._server} stopped sending: {reason}.") from None

        whole = "Range" not in options
        return object_stream(read, body.close, _object(key, answer) if whole else None)

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write a whole object."""
        answer = self.call("put_object", Key=key, Body=data, ContentMD5=_md5(data))
        return _object(key, {**answer, "ContentLength": len(data)})

    def put_folder(self, key: str) -> None:
        """Write ``KEY/``, as S3's own console does."""
        self.put(key + "/", b"")

    def start_upload(self, key: str) -> Parts:
        """Begin a multipart upload."""
        token = self.call("create_multipart_upload", Key=key)["UploadId"]
        return _Multipart(self, key, token, known={})

    def resume_upload(self, key: str, token: str) -> Parts | None:
        """Find a multipart upload by its identifier."""
        parts = _Multipart(self, key, token)
        try:
            parts.sizes()
        except FileNotFoundError:
            return None
        return parts

    def copy(self, source: str, target: str) -> None:
        """Copy an object; one of more than 5 GiB in parts."""
        from s3transfer.manager import TransferManager

        place = {"Bucket": self._bucket, "Key": source}
        with self.translating(), TransferManager(self._client) as manager:
            manager.copy(place, self._bucket, target).result()

    def remove(self, keys: Sequence[str]) -> None:
        """Remove up to 1,000 objects."""
        if len(keys) == 1:
            self.call("delete_object", Key=keys[0])
            return
        objects = [{"Key": key} for key in keys]
        done = self.call("delete_objects", Delete={"Objects": objects, "Quiet": True})
        for failed in done.get("Errors", ()):
            answer = {"Error": {"Code": failed["Code"], "Message": failed.get("Message", "")}}
            with self.translating():
                raise botocore.exceptions.ClientError(answer, "DeleteObjects")

    def checksum(self, key: str) -> Checksum | None:
        """Return the MD5 of an object, or for one made of parts the MD5 of their MD5s."""
        answer = self.call("head_object", Key=key)
        known = _md5_of(answer)
        if known:
            return known
        digits, _, count = _tag_of(answer).partition("-")
        if not count or len(digits) != 32 or not _is_tag_of_content(answer):
            return None
        first = int(self.call("head_object", Key=key, PartNumber=1)["ContentLength"])
        regular = first and -(-int(answer["ContentLength"]) // first) == int(count)
        return Checksum(f"md5-parts/{first}", f"{digits}-{count}") if regular else None


def _object(key: str, answer: Mapping[str, Any]) -> ObjectInfo:
    """Return an object as an answer describes it."""
    modified, size = answer.get("LastModified"), int(answer["ContentLength"])
    return ObjectInfo(key, size, modified, checksum=_md5_of(answer))


def _md5_of(answer: Mapping[str, Any]) -> Checksum | None:
    """Return the MD5 in an answer, if its entity tag is one."""
    tag = _tag_of(answer)
    return Checksum("md5", tag) if len(tag) == 32 and _is_tag_of_content(answer) else None


def _tag_of(answer: Mapping[str, Any]) -> str:
    return str(answer["ETag"]).strip('"').lower()


def _is_tag_of_content(answer: Mapping[str, Any]) -> bool:
    """Whether the entity tag is a checksum of the content: not with keys of KMS or the customer."""
    encryption = answer.get("ServerSideEncryption", "AES256")
    return encryption == "AES256" and not answer.get("SSECustomerAlgorithm")


class _Multipart(Parts):
    def __init__(
        self, bucket: S3Bucket, key: str, token: str, known: dict[int, Any] | None = None
    ) -> None:
        self.token = token
        self._bucket = bucket
        self._place = {"Key": key, "UploadId": token}
        self._known = known  # the parts by their index, until another one is put

    def put(self, index: int, data: bytes) -> None:
        try:
            self._bucket.call(
                "upload_part",
                **self._place,
                PartNumber=index + 1,
                Body=data,
                ContentMD5=_md5(data),
            )
        finally:
            self._known = None

    def sizes(self) -> dict[int, int]:
        if self._known is None:
            self._known = {part["PartNumber"] - 1: part for part in self._parts()}
        return {index: int(part["Size"]) for index, part in self._known.items()}

    def _parts(self) -> Iterator[Mapping[str, Any]]:
        options: dict[str, Any] = {}
        while True:
            page = self._bucket.call("list_parts", **self._place, **options)
            yield from page.get("Parts", ())
            if not page.get("IsTruncated"):
                return
            options["PartNumberMarker"] = page["NextPartNumberMarker"]

    def commit(self, count: int, part_size: int | None) -> None:  # noqa: ARG002 - S3 reports it
        known = self._known or {part["PartNumber"] - 1: part for part in self._parts()}
        found = [
            {"PartNumber": index + 1, "ETag": part["ETag"]}
            for index, part in sorted(known.items())
            if index < count
        ]
        if len(found) != count:
            raise OSError(errno.EIO, f"The server lost {count - len(found)} of {count} parts")
        self._bucket.call(
            "complete_multipart_upload", **self._place, MultipartUpload={"Parts": found}
        )

    def abort(self) -> None:
        with suppress(FileNotFoundError):
            self._bucket.call("abort_multipart_upload", **self._place)


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()  # noqa: S324 - what S3 compares
