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
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import botocore.config
import botocore.exceptions
import botocore.session

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.core.storage import Checksum, Storage, StorageSpec
from openpai.storage.base import timeout_of
from openpai.storage.object_store import MIB, Bucket, Found, ObjectStorage, Parts, streamed
from openpai.storage.s3.errors import refusal
from openpai.storage.told import Asked, Told

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
            f"The 'uri' of storage '{spec.name}' is no S3 address.",
            "Write it as s3://BUCKET/PREFIX.",
        )
    endpoint = str(spec.data.get("endpoint") or "")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise StorageError(
            f"The 'endpoint' of storage '{spec.name}' is no address: '{endpoint}'.",
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
    """Let a small body not wait until the server has looked at its headers."""
    body = params.get("body")
    if isinstance(body, io.BytesIO) and body.getbuffer().nbytes <= MIB:
        params["headers"].pop("Expect", None)


class S3Bucket(Bucket):
    """A bucket.

    Args:
        client: botocore's client for S3.
        bucket: Its name.
        server: What messages call the server.
    """

    def __init__(self, client: Any, bucket: str, server: str) -> None:
        self._client = client
        self._bucket = bucket
        self._server = server
        self._told = Told()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def changing(self, key: str) -> Iterator[Asked]:
        """Say what refusals mean, and keep nothing that was told before the change."""
        with self._told.changing(key) as asked, self.asking():
            yield asked

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Say what refusals mean."""
        try:
            yield
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise refusal(error, self._bucket, self._server) from None

    def call(self, operation: str, **arguments: Any) -> Any:
        """Do something with the bucket."""
        looks = operation.startswith(("get_", "head_", "list_"))
        with self.asking() if looks else self.changing(arguments["Key"]):
            return getattr(self._client, operation)(Bucket=self._bucket, **arguments)

    def head(self, key: str) -> Found | None:
        """Describe one object."""
        told = self._told.take(key, "stat")
        if told is None:
            asked = self._told.asking(key)
            try:
                told = self.call("head_object", Key=key)
            except FileNotFoundError:
                return None
            self._told.keep(asked, told, "checksum")
        return Found(key, int(told["ContentLength"]), told["LastModified"])

    def scan(self, prefix: str, *, deep: bool = True, limit: int | None = None) -> Iterator[Found]:
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
                yield Found(item["Key"], int(item["Size"]), item["LastModified"], is_folder)
            for item in page.get("CommonPrefixes", ()):
                yield Found(item["Prefix"], is_folder=True)
            if limit or not page.get("IsTruncated"):
                return
            options["ContinuationToken"] = page["NextContinuationToken"]

    def get(self, key: str, offset: int, length: int | None) -> BinaryIO:
        """Open an object."""
        options = {"Key": key}
        if offset or length is not None:
            end = "" if length is None else offset + length - 1
            options["Range"] = f"bytes={offset}-{end}"
        asked = self._told.asking(key)
        try:
            told = self.call("get_object", **options)
        except OSError as error:
            if error.errno != errno.ERANGE:
                raise
            return streamed(lambda _: b"", lambda: None)
        if "Range" not in options:
            self._told.keep(asked, told, "stat", "checksum")
        body = told.pop("Body")

        def read(count: int) -> bytes:
            try:
                with self.asking():
                    data: bytes = body.read(count)
                    return data
            except OSError as error:
                reason = error.strerror or str(error)
                raise ConnectionFailed(f"{self._server} stopped sending: {reason}.") from None

        return streamed(read, body.close)

    def put(self, key: str, data: bytes) -> None:
        """Write a whole object."""
        with self.changing(key) as asked:
            told = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentMD5=_md5(data)
            )
        self._told.keep(asked, told, "checksum")

    def put_folder(self, key: str) -> None:
        """Write ``KEY/``, as S3's own console does."""
        self.put(key + "/", b"")

    def begin(self, key: str) -> Parts:
        """Begin a multipart upload."""
        token = self.call("create_multipart_upload", Key=key)["UploadId"]
        return _Multipart(self, key, token, known={})

    def go_on(self, key: str, token: str) -> Parts | None:
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
        with self.changing(target), TransferManager(self._client) as manager:
            manager.copy(place, self._bucket, target).result()

    def remove(self, keys: Sequence[str]) -> None:
        """Remove up to 1,000 objects."""
        if len(keys) == 1:
            self.call("delete_object", Key=keys[0])
            return
        self._told.forget()
        with self.asking():
            told = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        self._told.forget()
        for failed in told.get("Errors", ()):
            answer = {"Error": {"Code": failed["Code"], "Message": failed.get("Message", "")}}
            with self.asking():
                raise botocore.exceptions.ClientError(answer, "DeleteObjects")

    def checksum(self, key: str) -> Checksum | None:
        """Return the MD5 of an object, or for one made of parts the MD5 of their MD5s."""
        told = self._told.take(key, "checksum") or self.call("head_object", Key=key)
        tag = told["ETag"].strip('"').lower()
        digits, _, count = tag.partition("-")
        if told.get("ServerSideEncryption", "AES256") != "AES256" or len(digits) != 32:
            return None  # such a tag is no checksum of the content
        if told.get("SSECustomerAlgorithm"):
            return None
        if not count:
            return Checksum("md5", tag)
        first = int(self.call("head_object", Key=key, PartNumber=1)["ContentLength"])
        regular = first and -(-int(told["ContentLength"]) // first) == int(count)
        return Checksum(f"md5-parts/{first}", tag) if regular else None


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

    def commit(self, count: int, part_size: int | None) -> None:  # noqa: ARG002 - S3 tells it
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
