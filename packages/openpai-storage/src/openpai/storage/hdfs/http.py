"""HTTP connections to the servers of an HDFS: kept open, checked, and never mixed up.

requests costs 1 to 1.4 ms a call; here requests are written by hand and answers read by
``http.client`` without the email package, which takes a thirtieth of that. A connection is used
again only when its last answer was read to the end, for a short time, and while nothing came in
unasked. The error of a failed request says whether it may have reached the server.
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
from typing import Dict, List, Mapping, Tuple
from urllib.parse import urlsplit

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.storage.hdfs.errors import transfer_error, translate_error

__all__ = ["ConnectionPool", "NoResponseError", "Response", "request_head", "unreachable"]

#: Seconds after which an unused connection is not used again: less than any server keeps it.
MAX_IDLE = 4.0

#: Seconds to wait for a connection.
CONNECT_TIMEOUT = 20.0

#: Server → its unused connections, and since when they are.
_Idle = Dict[str, List[Tuple[float, socket.socket]]]

_HOSTNAME_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH


class NoResponseError(ConnectionFailed):
    """A server does not answer."""


class ConnectionPool:
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
    ) -> Response:
        """Send a request without a body.

        Args:
            method: ``GET``, ``PUT``, ``POST`` or ``DELETE``.
            url: Where to.
            headers: Further headers.
            name: Another name that the server's certificate may have.
            again: Whether the request may be sent twice if a kept connection turns out dead.

        Raises:
            NoResponseError: No answer came.
        """
        head = request_head(method, url, headers or {})
        while True:
            kept = self._acquire(_server(url))
            sock = kept or self.connect(url, name)
            try:
                sock.sendall(head)
                return Response(self, sock, url, method)
            except (NoResponseError, OSError) as error:
                sock.close()
                if not (kept and again):
                    raise unreachable(error, url) from None

    def connect(self, url: str, name: str = "", *, kept: bool = False) -> socket.socket:
        """Open a new connection; with ``kept``, one that was kept is as good.

        Raises:
            NoResponseError: It cannot be opened; nothing was sent.
        """
        found = self._acquire(_server(url)) if kept else None
        if found:
            return found
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        names = [host, name] if name and name != host else [host]
        try:
            return self._secured((host, port), names) if secure else self._plain((host, port))
        except OSError as error:
            raise unreachable(error, url, sent=False) from None

    def _plain(self, address: tuple[str, int]) -> socket.socket:
        plain = socket.create_connection(address, min(CONNECT_TIMEOUT, self._timeout))
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

    def _acquire(self, key: str) -> socket.socket | None:
        while True:
            with self._lock:
                idle = self._idle.get(key)
                if not idle:
                    return None
                since, sock = idle.pop()
            if time.monotonic() - since < MAX_IDLE and not _readable(sock):
                return sock
            sock.close()

    def release(self, url: str, sock: socket.socket) -> None:
        """Keep a connection whose last answer was read to the end."""
        with self._lock:
            self._idle.setdefault(_server(url), []).append((time.monotonic(), sock))

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            _close_all(self._idle)


class _Response(http.client.HTTPResponse):
    """An answer whose headers are read into a dict: lower-case name → values."""

    def begin(self) -> None:
        version, self.status, self.reason = self._first()
        while self.status == 100:  # a data node says so unasked
            version, self.status, self.reason = self._first()
        self.code, self.version = self.status, 11
        self.chunked = "chunked" in self.field("transfer-encoding").lower()
        self.chunk_left = None
        length = self.field("content-length")
        self.length = int(length) if length.isdigit() and not self.chunked else None
        if self.status in (204, 304):
            self.length = 0
        closing = "close" in self.field("connection").lower() or version == "HTTP/1.0"
        self.will_close = closing or (self.length is None and not self.chunked)
        if self.length == 0:
            self._close_conn()  # type: ignore[attr-defined]

    def _first(self) -> tuple[str, int, str]:
        first: tuple[str, int, str] = self._read_status()  # type: ignore[attr-defined]
        self.fields: dict[str, list[str]] = {}
        while True:
            line = self.fp.readline(1 << 16)
            if line in (b"\r\n", b"\n", b""):
                return first
            name, _, value = line.decode("latin-1").partition(":")
            self.fields.setdefault(name.strip().lower(), []).append(value.strip())

    def field(self, name: str) -> str:
        """Return a header by its lower-case name; of several the first that is not empty."""
        return next(filter(None, self.fields.get(name, ())), "")


class Response:
    """An answer; close it, and its connection is kept or goes with it.

    Args:
        pool: Keeps the connection.
        sock: Where a request was sent.
        url: Whereto.
        method: Which one.
        whole: Whether all of the request was sent, so that the next one may follow.

    Attributes:
        status: Of HTTP.

    Raises:
        NoResponseError: No answer came.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        sock: socket.socket,
        url: str,
        method: str,
        *,
        whole: bool = True,
    ) -> None:
        self._pool = pool
        self._whole = whole
        self._url = url
        self._closed = False
        self._sock = sock
        self._response = _Response(sock, method=method)
        try:
            self._response.begin()
        except (OSError, http.client.HTTPException) as error:
            self._response.close()
            sock.close()
            raise unreachable(error, url) from None
        self.status = self._response.status

    def checked(self) -> Response:
        """Return itself, unless it is an error.

        Raises:
            OSError, StorageError, ConnectionFailed: The translated error.
        """
        if self.status >= 400:
            with self:
                raise translate_error(self.status, self._response.reason, self.read())
        return self

    def header(self, name: str) -> str:
        """Return one of its headers; of several the first that is not empty."""
        return self._response.field(name.lower())

    def headers(self, name: str) -> list[str]:
        """Return all headers of a name."""
        return self._response.fields.get(name.lower(), [])

    def read(self) -> bytes:
        """Return all of it."""
        try:
            return self._response.read()
        except (OSError, http.client.HTTPException) as error:
            raise transfer_error(getattr(error, "expected", None), str(error)) from None

    def readinto(self, buffer: memoryview) -> int:
        """Read some of it; 0 at the end, also where that comes too early."""
        try:
            return self._response.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise transfer_error(getattr(error, "expected", None), str(error)) from None

    def close(self) -> None:
        """Keep the connection if all was read, else cut it; once."""
        if self._closed:
            return
        self._closed = True
        whole = self._whole and self._response.isclosed() and not self._response.will_close
        self._response.close()
        if whole:
            self._pool.release(self._url, self._sock)
        else:
            self._sock.close()

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def request_head(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """Return the first lines of a request."""
    _, _, rest = url.partition("://")
    server, slash, target = rest.partition("/")
    lines = [f"{method} {slash}{target} HTTP/1.1", f"Host: {server.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if method in ("PUT", "POST") and not headers.keys() & {"Content-Length", "Transfer-Encoding"}:
        lines.append("Content-Length: 0")
    return "\r\n".join((*lines, "\r\n")).encode("latin-1")


def unreachable(error: Exception, url: str, *, sent: bool = True) -> ConnectionFailed:
    """Describe a failed connection; without the query, which may hold a token."""
    if isinstance(error, ConnectionFailed):
        return error
    server = urlsplit(url).netloc.rpartition("@")[2]
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoResponseError(
            f"The certificate of HDFS at {server} cannot be trusted: {error.verify_message}.",
            "Name the file of its CA as 'verify'.",
            sent=False,
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return NoResponseError(
        f"HDFS at {server} does not answer: {reason}.",
        "Check the address; data nodes with internal names can be given others (datanodes).",
        sent=sent,
    )


def _close_all(idle: _Idle) -> None:
    while idle:
        _, kept = idle.popitem()
        for _, sock in kept:
            sock.close()


def _server(url: str) -> str:
    """Return an address without its path."""
    return "/".join(url.split("/", 3)[:3])


def _readable(sock: socket.socket) -> bool:
    """Whether something came in that nobody asked for: the end, mostly."""
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
