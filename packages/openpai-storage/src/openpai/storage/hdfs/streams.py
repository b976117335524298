"""The contents of files on their way: bodies of requests and answers."""

from __future__ import annotations

import io
import socket
import ssl
from contextlib import suppress
from typing import Any, BinaryIO, Callable, Mapping, Tuple, cast

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.storage.hdfs.errors import transfer_error
from openpai.storage.hdfs.http import ConnectionPool, Response, request_head, unreachable

__all__ = ["Connect", "Upload", "open_reader"]

#: Opens a connection for a body; returns it with its address and the headers that it needs.
Connect = Callable[[], Tuple[socket.socket, str, Mapping[str, str]]]

#: Bytes collected before something is sent; a smaller file goes in one piece.
BUFFER = 1 << 20

#: Number of consecutive reconnects without a byte after which reading fails.
TRIES = 3


class Upload:
    """A file that is being written. Nothing is sent before there is enough, or :meth:`finish`.

    Attributes:
        stream: Where to write its content.
    """

    def __init__(
        self, pool: ConnectionPool, connect: Connect, when_large: Callable[[], None] = lambda: None
    ) -> None:
        self._body = _Body(pool, connect, when_large)
        self.stream = cast(BinaryIO, io.BufferedWriter(self._body, BUFFER))

    def finish(self) -> None:
        """Send the end, and wait until HDFS has the whole file.

        Raises:
            OSError: HDFS refuses, for a reason that files have.
            StorageError: HDFS refuses for another reason.
            ConnectionFailed: No answer came.
        """
        self._body.ends = True
        self.stream.close()
        self._body.finish()

    def abort(self) -> None:
        """End early; what was written so far may be a file that the caller has to delete.

        The request is ended in good order: after a cut one, HDFS might still make the file when the
        caller has deleted it.
        """
        self._body.discards = True
        self.stream.close()
        if self._body.is_open:
            with suppress(OSError, OpenPaiError):
                self._body.finish()


class _Body(io.RawIOBase):
    """The body of a request: sent at once if all of it is there, else in chunks."""

    def __init__(
        self, pool: ConnectionPool, connect: Connect, when_large: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._connect = connect
        self._when_large = when_large
        self._sock: socket.socket | None = None
        self._url = ""
        self._chunked = True
        self._over = False
        self.ends = False
        self.discards = False

    @property
    def is_open(self) -> bool:
        """Whether something was sent, and neither the end nor an error has come."""
        return self._sock is not None and not self._over

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = len(data)
        if not size or self.discards:
            return size
        if self._sock is None:
            self._begin(data)
        if self._chunked:
            self._send(b"%x\r\n" % size, data, b"\r\n")
        return size

    def _begin(self, data: Any) -> None:
        if not self.ends:
            self._when_large()
        self._sock, self._url, headers = self._connect()
        self._chunked = not self.ends
        length = {"Content-Length": str(len(data))}
        described = {
            **headers,
            "Content-Type": "application/octet-stream",
            **({"Transfer-Encoding": "chunked"} if self._chunked else length),
        }
        head = request_head("PUT", self._url, described)
        self._send(head, b"" if self._chunked else data)

    def _send(self, *parts: Any) -> None:
        assert self._sock is not None
        try:
            _send_all(self._sock, [memoryview(part) for part in parts if len(part)])
        except OSError as error:
            self._raise_error_response(error)

    def _raise_error_response(self, error: Exception) -> None:
        """Raise why nothing more can be sent; a data node that refuses says it and hangs up."""
        assert self._sock is not None
        over, self._over = self._over, True
        if not over:
            with suppress(ConnectionFailed):
                Response(self._pool, self._sock, self._url, "PUT", whole=False).checked().close()
        self._sock.close()
        raise unreachable(error, self._url) from None

    def finish(self) -> None:
        """End the body and wait for the answer."""
        if self._sock is None:
            self._begin(b"")
        if self._chunked:
            self._send(b"0\r\n\r\n")
        assert self._sock is not None
        self._over = True
        with Response(self._pool, self._sock, self._url, "PUT").checked() as answer:
            answer.read()


def _send_all(sock: socket.socket, parts: list[memoryview]) -> None:
    """Send parts in as few packets as they fit in, without joining them."""
    if isinstance(sock, ssl.SSLSocket) or not hasattr(sock, "sendmsg"):
        sock.sendall(b"".join(parts))
        return
    while parts:
        sent = sock.sendmsg(parts)
        while parts and sent >= len(parts[0]):
            sent -= len(parts.pop(0))
        if sent:
            parts[0] = parts[0][sent:]


class _Reader(io.RawIOBase):
    """``length`` bytes from ``offset``, over as many answers as it takes."""

    def __init__(
        self,
        open_at: Callable[[int, int], Response],
        offset: int,
        length: int,
        unchanged: Callable[[], bool],
    ) -> None:
        self._open_at = open_at
        self._offset = offset
        self._left = length
        self._unchanged = unchanged
        self._tries = TRIES
        self._answer = open_at(offset, length)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        count = self._received(memoryview(buffer)[:wanted])
        self._tries = TRIES
        self._offset += count
        self._left -= count
        if not self._left:
            self._answer.read()  # so that the connection can be kept
        return count

    def _received(self, buffer: memoryview) -> int:
        while True:
            try:
                count = self._answer.readinto(buffer)
                if count:
                    return count
                raise transfer_error(self._left)
            except ConnectionFailed as error:
                self._reopen(error)

    def _reopen(self, error: ConnectionFailed) -> None:
        """Open the file again where reading stopped, if it is still the same file."""
        self._answer.close()
        if not self._tries:
            raise error
        self._tries -= 1
        try:
            answer = self._open_at(self._offset, self._left)
            same = self._unchanged()
        except (OSError, OpenPaiError):
            raise error from None
        if not same:
            answer.close()
            raise error
        self._answer = answer

    def close(self) -> None:
        self._answer.close()
        super().close()


def open_reader(
    open_at: Callable[[int, int], Response],
    offset: int,
    length: int,
    unchanged: Callable[[], bool],
) -> BinaryIO:
    """Return ``length`` bytes from ``offset`` as a stream; see :meth:`WebHdfs.open`."""
    return cast(BinaryIO, io.BufferedReader(_Reader(open_at, offset, length, unchanged), 1 << 16))
