"""The WebHDFS protocol, as name nodes, data nodes and HttpFS gateways speak it.

One request is one connection: nothing is sent twice without being asked, and no answer can be taken
for that of another request. Reading and writing are redirected by the name node to a data node; the
address in the redirect can be replaced, for clusters whose data nodes have internal names.
"""

from __future__ import annotations

import errno
import http.client
import io
import json
import ssl
from contextlib import suppress
from typing import Any, BinaryIO, Mapping, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.storage.webhdfs_refusals import refusal

__all__ = ["Upload", "WebHdfs"]


class WebHdfs:
    """A client of one name node or HttpFS gateway. Threads may share it.

    Args:
        uri: ``http://HOST:PORT`` or ``https://HOST:PORT``.
        user: Whom to act as, where HDFS trusts its clients.
        token: A delegation token; then the user is the token's.
        timeout: Seconds to wait for each step of an answer.
        datanodes: Address in a redirect (``HOST:PORT``, ``HOST``, or ``*`` for any) → the address
            to use, ``HOST:PORT`` or ``HOST``.
    """

    def __init__(
        self,
        uri: str,
        *,
        user: str = "",
        token: str = "",
        timeout: float = 60.0,
        datanodes: Mapping[str, str] | None = None,
    ) -> None:
        self.uri = uri.rstrip("/")
        self._identity = {"delegation": token} if token else {"user.name": user} if user else {}
        self._timeout = timeout
        self._datanodes = dict(datanodes or {})

    def ask(self, method: str, path: str, op: str, **params: Any) -> Any:
        """Send a request that the name node answers itself; return the JSON of its answer.

        Raises:
            OSError: HDFS refuses, for a reason that files have.
            StorageError: HDFS refuses for another reason.
            ConnectionFailed: No answer came.
        """
        with self._send(method, self._url(path, op, params)) as answer:
            content = answer.read()
        return json.loads(content) if content else {}

    def open(self, path: str, offset: int, length: int) -> BinaryIO:
        """Open exactly ``length`` bytes of a file, which must be there, for reading.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`; reading raises the last,
                too, when the connection is cut.
        """
        answer = self._send("GET", self._url(path, "OPEN", {"offset": offset, "length": length}))
        if answer.status == 307:
            with answer:
                place = self._redirected(answer)
            answer = self._send("GET", place)
        return cast(BinaryIO, io.BufferedReader(_Body(answer, length), 1 << 16))

    def create(self, path: str, **params: Any) -> Upload:
        """Begin to write a new file.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`.
        """
        url = self._url(path, "CREATE", {"overwrite": "false", **params})
        with self._send("PUT", url) as answer:
            if answer.status != 307:
                raise StorageError(f"{self.uri} does not speak WebHDFS: it names no data node.")
            place = self._redirected(answer)
        return Upload(self._connect(place), place)

    def _url(self, path: str, op: str, params: Mapping[str, Any]) -> str:
        try:
            name = quote(path.encode("utf-8"), safe="/")
        except UnicodeEncodeError:
            raise OSError(errno.EINVAL, "HDFS has names in Unicode only") from None
        query = urlencode({"op": op, **self._identity, **params})
        return f"{self.uri}/webhdfs/v1{name}?{query}"

    def _redirected(self, answer: _Answer) -> str:
        parts = urlsplit(answer.location)
        known = self._datanodes
        place = known.get(parts.netloc) or known.get(parts.hostname or "") or known.get("*")
        if place and ":" not in place and parts.port:
            place = f"{place}:{parts.port}"
        return urlunsplit(parts._replace(netloc=place or parts.netloc))

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.netloc, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(parts.netloc, timeout=self._timeout)

    def _send(self, method: str, url: str) -> _Answer:
        connection = self._connect(url)
        try:
            connection.request(method, _target(url), headers={"Connection": "close"})
        except OSError as error:
            connection.close()
            raise _unreachable(error, url) from None
        return _Answer(connection, url)


class _Answer:
    """An answer that is no refusal; close it, and its connection goes with it."""

    def __init__(self, connection: http.client.HTTPConnection, url: str) -> None:
        self._connection = connection
        try:
            self._response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _unreachable(error, url) from None
        self.status = self._response.status
        if self.status >= 400:
            with self:
                raise refusal(self.status, self._response.reason, self.read())

    @property
    def location(self) -> str:
        """Where the answer redirects to."""
        return self._response.getheader("Location") or ""

    def read(self) -> bytes:
        """Return all of it."""
        try:
            return self._response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"HDFS stopped answering: {error}.", "Try again.") from None

    def readinto(self, buffer: memoryview) -> int:
        """Read some of it; 0 at the end, also where that comes too early."""
        try:
            return self._response.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"HDFS stopped sending: {error}.", "Try again.") from None

    def close(self) -> None:
        """Cut the connection."""
        self._response.close()
        self._connection.close()

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Upload:
    """A file that is being written.

    Attributes:
        stream: Where to write its content.
    """

    def __init__(self, connection: http.client.HTTPConnection, url: str) -> None:
        self._chunks = _Chunks(connection, url)
        self.stream = cast(BinaryIO, io.BufferedWriter(self._chunks, 1 << 20))

    def finish(self) -> None:
        """Send the end, and wait until HDFS has the whole file.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`WebHdfs.ask`.
        """
        self.stream.close()
        self._chunks.finish()

    def abort(self) -> None:
        """End early; what was written so far is a file that the caller has to delete.

        The request is ended in good order: after a cut one, HDFS might still make the file when the
        caller has deleted it.
        """
        self._chunks.discards = True
        self.stream.close()
        with suppress(OSError, OpenPaiError):
            self._chunks.finish()


class _Chunks(io.RawIOBase):
    """The body of a request, sent in chunks as it is written."""

    def __init__(self, connection: http.client.HTTPConnection, url: str) -> None:
        self._connection = connection
        self._url = url
        self.discards = False
        try:
            connection.putrequest("PUT", _target(url), skip_accept_encoding=True)
            connection.putheader("Content-Type", "application/octet-stream")
            connection.putheader("Transfer-Encoding", "chunked")
            connection.putheader("Connection", "close")
            connection.endheaders()
        except OSError as error:
            connection.close()
            raise _unreachable(error, url) from None
        connection.auto_open = 0  # the rest of a body means nothing on another connection

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = len(data)
        if size and not self.discards:
            self._send(b"%x\r\n%b\r\n" % (size, bytes(data)))
        return size

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except (OSError, http.client.HTTPException) as error:
            if self._connection.sock:  # a data node that refuses says why before it hangs up
                with suppress(ConnectionFailed):
                    _Answer(self._connection, self._url).close()
            raise _unreachable(error, self._url) from None

    def finish(self) -> None:
        """End the body and wait for the answer."""
        self._send(b"0\r\n\r\n")
        _Answer(self._connection, self._url).close()


class _Body(io.RawIOBase):
    """The body of an answer, which must have ``length`` bytes."""

    def __init__(self, answer: _Answer, length: int) -> None:
        self._answer = answer
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        count = self._answer.readinto(memoryview(buffer)[:wanted]) if wanted else 0
        if wanted and not count:
            raise ConnectionFailed(
                f"HDFS stopped sending, {self._left} bytes before the end.", "Try again."
            )
        self._left -= count
        return count

    def close(self) -> None:
        self._answer.close()
        super().close()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _unreachable(error: Exception, url: str) -> ConnectionFailed:
    """Describe a failed connection; without the query, which may hold a token."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ConnectionFailed(
        f"HDFS at {urlsplit(url).netloc} does not answer: {reason}.",
        "Check the address; data nodes with internal names can be given others (datanodes).",
    )
