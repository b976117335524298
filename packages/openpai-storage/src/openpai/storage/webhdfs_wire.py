"""HTTP connections to the servers of an HDFS: kept open, checked, and never mixed up.

``http.client`` is used as it is: requests costs 1 to 1.4 ms a call, and this 0.07. A connection is
used again only when its last answer was read to the end, for a short time, and while nothing came
in unasked. Whether a failed request may have reached the server is told by the error.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import time
import weakref
from contextlib import suppress
from typing import Any, Dict, List, Mapping, Tuple
from urllib.parse import urlsplit

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.storage.webhdfs_refusals import refusal

__all__ = ["Answer", "Unanswered", "Wire", "target", "unreachable"]

#: Seconds after which an unused connection is not used again: less than any server keeps it.
KEPT = 4.0

#: Seconds to wait for a connection.
CONNECTING = 20.0

#: Server → its unused connections, and since when they are.
_Idle = Dict[Tuple[str, str], List[Tuple[float, http.client.HTTPConnection]]]

_HOSTNAME_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH


class Unanswered(ConnectionFailed):
    """A server does not answer.

    Attributes:
        sent: Whether the request may have reached it.
    """

    def __init__(self, message: str, hint: str = "", *, sent: bool) -> None:
        super().__init__(message, hint)
        self.sent = sent


class Wire:
    """Connections, by server. Threads may share it.

    Args:
        timeout: Seconds to wait for each step of an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
    """

    def __init__(self, timeout: float, verify: bool | str = True) -> None:
        self._timeout = timeout
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._idle: _Idle = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)  # for those who forget close()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        name: str = "",
        again: bool = False,
    ) -> Answer:
        """Send a request without a body.

        Args:
            method: ``GET``, ``PUT``, ``POST`` or ``DELETE``.
            url: Where to.
            headers: Further headers.
            name: Another name that the server's certificate may have.
            again: Whether the request may be sent twice if a kept connection turns out dead.

        Raises:
            Unanswered: No answer came.
        """
        while True:
            kept = self._take(_server(url))
            connection = kept or self.connect(url, name)
            try:
                connection.request(method, target(url), headers=dict(headers or {}))
                return Answer(self, connection, url)
            except (Unanswered, OSError, http.client.HTTPException) as error:
                connection.close()
                if not (kept and again):
                    raise unreachable(error, url) from None

    def connect(self, url: str, name: str = "") -> http.client.HTTPConnection:
        """Open a new connection.

        Raises:
            Unanswered: It cannot be opened; nothing was sent.
        """
        try:
            return self._connect(url, name)
        except OSError as error:
            raise unreachable(error, url, sent=False) from None

    def _connect(self, url: str, name: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        names = [host, name] if name and name != host else [host]
        connection = http.client.HTTPConnection(parts.netloc.rpartition("@")[2])
        connection.auto_open = 0  # the rest of a body means nothing on another connection
        connection.sock = (
            self._secured((host, port), names) if secure else self._plain((host, port))
        )
        return connection

    def _plain(self, address: tuple[str, int]) -> socket.socket:
        plain = socket.create_connection(address, min(CONNECTING, self._timeout))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(self._timeout)
        return plain

    def _secured(self, address: tuple[str, int], names: list[str]) -> ssl.SSLSocket:
        """Connect to a server whose certificate has one of these names."""
        context = self._context = self._context or _context(self._verify)
        plain = self._plain(address)
        try:
            return context.wrap_socket(plain, server_hostname=names[0])
        except ssl.SSLCertVerificationError as error:
            plain.close()
            if error.verify_code != _HOSTNAME_MISMATCH or len(names) == 1:
                raise
            return self._secured(address, names[1:])
        except OSError:
            plain.close()
            raise

    def _take(self, key: tuple[str, str]) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                idle = self._idle.get(key)
                if not idle:
                    return None
                since, connection = idle.pop()
            if time.monotonic() - since < KEPT and not _readable(connection):
                return connection
            connection.close()

    def keep(self, url: str, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose last answer was read to the end."""
        with self._lock:
            self._idle.setdefault(_server(url), []).append((time.monotonic(), connection))

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            _close_all(self._idle)


class Answer:
    """An answer; close it, and its connection is kept or goes with it.

    Args:
        wire: Keeps the connection.
        connection: Where a request was sent.
        url: Whereto.
        whole: Whether all of the request was sent, so that the next one may follow.
    """

    def __init__(
        self, wire: Wire, connection: http.client.HTTPConnection, url: str, *, whole: bool = True
    ) -> None:
        self._wire = wire
        self._whole = whole
        self._url = url
        self._closed = False
        self._connection = connection
        try:
            self._response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise unreachable(error, url) from None
        self.status = self._response.status

    def checked(self) -> Answer:
        """Return itself, unless it is a refusal.

        Raises:
            OSError, StorageError, ConnectionFailed: What the refusal means.
        """
        if self.status >= 400:
            with self:
                raise refusal(self.status, self._response.reason, self.read())
        return self

    def header(self, name: str) -> str:
        """Return one of its headers; of several the first that is not empty."""
        return next(filter(None, self._response.headers.get_all(name) or ()), "")

    def headers(self, name: str) -> list[str]:
        """Return all headers of a name."""
        return self._response.headers.get_all(name) or []

    def read(self) -> bytes:
        """Return all of it."""
        try:
            return self._response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"HDFS stopped sending: {error}.", "Try again.") from None

    def readinto(self, buffer: memoryview) -> int:
        """Read some of it; 0 at the end, also where that comes too early."""
        try:
            return self._response.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"HDFS stopped sending: {error}.", "Try again.") from None

    def close(self) -> None:
        """Keep the connection if all was read, else cut it; once."""
        if self._closed:
            return
        self._closed = True
        whole = self._whole and self._response.isclosed() and not self._response.will_close
        self._response.close()
        if whole and self._connection.sock:
            self._wire.keep(self._url, self._connection)
        else:
            self._connection.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def target(url: str) -> str:
    """Return what of an address stands in the first line of a request."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def unreachable(error: Exception, url: str, *, sent: bool = True) -> ConnectionFailed:
    """Describe a failed connection; without the query, which may hold a token."""
    if isinstance(error, ConnectionFailed):
        return error
    server = urlsplit(url).netloc.rpartition("@")[2]
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unanswered(
            f"The certificate of HDFS at {server} cannot be trusted: {error.verify_message}.",
            "Name the file of its CA as 'verify'.",
            sent=False,
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Unanswered(
        f"HDFS at {server} does not answer: {reason}.",
        "Check the address; data nodes with internal names can be given others (datanodes).",
        sent=sent,
    )


def _close_all(idle: _Idle) -> None:
    while idle:
        _, connections = idle.popitem()
        for _, connection in connections:
            connection.close()


def _server(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    return scheme, rest.partition("/")[0]


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Whether something came in that nobody asked for: the end, mostly."""
    sock: Any = connection.sock
    with suppress(OSError, ValueError):
        if not hasattr(select, "poll"):
            return bool(select.select([sock], [], [], 0)[0])
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return True


def _context(verify: bool | str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"The CA file '{verify}' of the storage cannot be used: {reason}.",
            "Name a file of PEM certificates as 'verify'.",
        ) from None
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
