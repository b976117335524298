"""The HTTP server: the standard library's, with keep-alive, limits, and an app inside."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable, Iterable
from urllib.parse import unquote

from openpai.core.errors import ConfigError

__all__ = ["Server"]

log = logging.getLogger(__name__)

#: Seconds after which an idle connection is closed.
IDLE_TIMEOUT = 75
#: Bytes of an unread request body that are discarded so that the client reads the response.
MAX_DISCARDED = 256 * 1024 * 1024
#: Bytes that are read from a client after an error response.
MAX_LINGERING = 16 * 1024 * 1024
#: Open connections, each with a thread; further ones get 503.
MAX_CONNECTIONS = 1000


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A threaded server on loopback.

    Args:
        app: The WSGI application.
        port: The port; 0 for any free port.

    Raises:
        ConfigError: The port cannot be used.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app: Callable[..., Iterable[bytes]], port: int = 0) -> None:
        self.app = app
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(
                    f"Port {port} of this machine is in use.",
                    "Choose another port, or none for any free port.",
                ) from error
            raise ConfigError(
                f"Port {port} cannot be used: {error.strerror or error}.", "Choose another port."
            ) from error

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def uri(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Serve until :meth:`end`."""
        self.serve_forever(poll_interval=3600)

    def end(self) -> None:
        """Stop serving; connect once, since the server checks only after a connection."""
        waiting = threading.Thread(target=self.shutdown, daemon=True)
        waiting.start()
        while waiting.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            waiting.join(0.01)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, unless there are too many."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.sendall(b"HTTP/1.1 503 Too Many Connections\r\nContent-Length: 0\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and release its slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - inherited
        """Log errors other than lost connections."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, socket.timeout)):
            log.exception("a request from %s failed", client_address)


class Handler(BaseHTTPRequestHandler):
    """A connection with any number of requests."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT
    # One packet for head and body: two may take 40 ms (Nagle's algorithm and delayed ACK).
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        """Read one request, call the application, write the response."""
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            self._linger()
            return
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():  # it has sent an error response
            self._linger()
            return
        self._run()
        self.wfile.flush()

    def _linger(self) -> None:
        """Half-close, so that the client reads the response before the connection is reset."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            left = MAX_LINGERING
            while left > 0 and (data := self.connection.recv(65536)):
                left -= len(data)

    def _run(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            body: io.BufferedIOBase | _Limited = io.BytesIO(self._read_chunks())
            unread = None
        elif length.isdigit():
            body = unread = _Limited(self.rfile, int(length))
        else:
            self.send_error(400, "Bad Content-Length")
            self._linger()
            return
        status: list[Any] = []

        def start_response(line: str, headers: list[tuple[str, str]], *_: Any) -> None:
            status[:] = [line, headers]

        chunks = self.server.app(self._environ(body), start_response)
        data = b"".join(chunks)
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
        if unread is not None and not unread.discard(MAX_DISCARDED):
            self.close_connection = True
        self._write(status[0], status[1], data)

    def _write(self, line: str, headers: list[tuple[str, str]], data: bytes) -> None:
        code, _, phrase = line.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        if int(code) not in (204, 304):
            length = dict(headers).get("Content-Length", str(len(data)))
            self.send_header("Content-Length", length)
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _read_chunks(self) -> bytes:
        """Read a chunked body, at most 1 MiB of it; handlers take less."""
        parts: list[bytes] = []
        size = 0
        while True:
            count = int(self.rfile.readline(100).partition(b";")[0] or b"0", 16)
            if count == 0:
                break
            size += count
            if size > MAX_DISCARDED:
                self.close_connection = True
                return b"".join(parts)
            data = self.rfile.read(count)
            if size <= 1024 * 1024:
                parts.append(data)
            self.rfile.readline(3)
        while self.rfile.readline(65537).strip():
            pass
        return b"".join(parts)

    def _environ(self, body: Any) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "iso-8859-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log requests at debug level only."""
        log.debug(format, *args)


class _Limited(io.RawIOBase):
    """The body of one request within a stream."""

    def __init__(self, stream: Any, length: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        size = self._left if size is None or size < 0 else min(size, self._left)
        data: bytes = self._stream.read(size) if size else b""
        self._left -= len(data)
        if len(data) < size:
            self._left = 0
        return data

    def discard(self, most: int) -> bool:
        """Read the rest of the body; return whether the next request may follow."""
        while self._left and most > 0:
            most -= len(self.read(min(65536, most)))
        return self._left == 0
