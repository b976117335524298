"""A thread-safe connection to an SMB server that reconnects."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any, Callable, TypeVar

import smbclient
import smbprotocol.exceptions as smb

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.storage.smb import compound
from openpai.storage.smb.errors import missing, translate_error

__all__ = ["SmbLine"]

T = TypeVar("T")
# Without a handler of the application, Python would print the library's warnings to stderr.
logging.getLogger("smbprotocol").addHandler(logging.NullHandler())
#: Credits (64 KiB each) that a connection shall have, and that data leaves to other requests.
_WANTED, _LEFT = 1024, 32
_CREDIT = 1 << 16


class SmbLine:
    """A connection that is made when it is first needed.

    Args:
        server: The host.
        port: Its port.
        share: The share.
        user: Who logs in, alone or with a domain before it.
        password: With which password; never in a message.
        timeout: Seconds to wait for each answer.
        encrypts: Whether what goes over the line must be encrypted.
    """

    def __init__(
        self,
        server: str,
        port: int,
        share: str,
        *,
        user: str,
        password: str,
        timeout: float,
        encrypts: bool = False,
    ) -> None:
        self._server = f"{server}:{port}" if port != 445 else server
        self._share = share
        self._place = f"\\\\{server}\\{share}"
        self._timeout = timeout
        self._cache: dict[str, Any] = {}
        self._connecting = threading.Lock()
        self._options: dict[str, Any] = {
            "username": user or None,
            "password": password or None,
            "port": port,
            "connection_timeout": timeout,
            "connection_cache": self._cache,
            "encrypt": True if encrypts else None,
        }
        self._host = server

    def call(self, operation: str, *paths: str, **arguments: Any) -> Any:
        """Call a function of smbclient on paths below the share."""
        self._connect()
        act = getattr(smbclient, operation)
        places = [self._full(path) for path in paths]
        return self.asked(lambda: act(*places, **arguments, **self._options))

    def scan(self, path: str) -> list[Any]:
        """Return smbclient's entries of a folder."""
        self._connect()
        return self.asked(lambda: list(smbclient.scandir(self._full(path), **self._options)))

    def open(self, path: str, mode: str) -> Any:
        """Open a file that others may read, write, rename and delete meanwhile."""
        self._connect()
        return self.asked(
            lambda: smbclient.open_file(
                self._full(path), mode, buffering=0, share_access="rwd", **self._options
            )
        )

    def query_info(self, path: str) -> Any:
        """Return the attributes of a file or folder, as ``smbprotocol.open.Open``."""
        self._connect()
        return self.asked(lambda: compound.query_info(self._full(path), self._options))

    def read_whole(self, path: str, most: int) -> tuple[Any, bytes]:
        """Open a file and read its beginning; it is closed if that is all."""
        self._connect()
        full = self._full(path)
        return self.asked(lambda: compound.read_whole(full, most, self._options))

    def create(self, path: str) -> Any:
        """Make a file that must not exist yet."""
        self._connect()
        return self.asked(lambda: compound.create(self._full(path), self._options))

    def limit(self, file: Any, kind: str) -> int:
        """Return how many bytes one request of the kind ``read`` or ``write`` may have."""
        return int(getattr(file.fd.connection, f"max_{kind}_size"))

    def read(self, file: Any, offset: int, count: int) -> Callable[[], bytes]:
        """Begin to read; what is returned waits for the bytes, none of them beyond the end."""

        def begin() -> Callable[[], bytes]:
            message, receive = file.fd.read(offset, count, send=False)
            request = self._send(file, message, count)

            def wait() -> bytes:
                with suppress(smb.EndOfFile):
                    return bytes(receive(request))
                return b""

            return wait

        wait = self.asked(begin)
        return lambda: self.asked(wait)

    def write(self, file: Any, offset: int, data: bytes) -> Callable[[], int]:
        """Begin to write; what is returned waits for the number of bytes that were written."""

        def begin() -> Callable[[], int]:
            message, receive = file.fd.write(data, offset, send=False)
            request = self._send(file, message, len(data))
            return lambda: int(receive(request))

        wait = self.asked(begin)
        return lambda: self.asked(wait)

    def _send(self, file: Any, message: Any, count: int) -> Any:
        """Send a request as soon as the server has given credits enough for it."""
        tree, connection = file.fd.tree_connect, file.fd.connection
        charge = -(-count // _CREDIT)
        end = time.monotonic() + self._timeout
        while True:
            with connection.sequence_lock:
                window = connection.sequence_window
                has = window["high"] - window["low"]
            busy = bool(connection.outstanding_requests)
            if has >= charge + _LEFT or (has >= charge and not busy):
                break
            if not connection.transport.connected:  # nobody gives credits any more
                raise ConnectionResetError("the connection is gone")
            if time.monotonic() > end:
                raise TimeoutError("no credits")
            time.sleep(0.001)
        wants = charge + max(0, min(_WANTED - has, 4 * charge))
        return connection.send(
            message, sid=tree.session.session_id, tid=tree.tree_connect_id, credit_request=wants
        )

    def hang_up(self, file: Any) -> None:
        """Close a file; a connection that is gone has closed it already."""
        try:
            with suppress(ConnectionFailed):
                self.asked(file.close)
        finally:
            file.fd._connected = False  # else the library complains of a file left open

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError, ValueError, smb.SMBException):
            smbclient.delete_session(
                self._host, self._options["port"], connection_cache=self._cache, timeout=5
            )

    def asked(self, act: Callable[[], T]) -> T:
        """Run an operation and translate its errors."""
        try:
            return act()
        except OpenPaiError:
            raise
        except (OSError, ValueError, smb.SMBException) as error:
            raise translate_error(error, self._server, self._share) from None

    def _connect(self) -> None:
        """Make the connection and enter the share, one thread for all."""
        with self._connecting:
            if not any(known.transport.connected for known in self._cache.values()):
                self._cache.clear()
                self.asked(self._log_in)

    def _log_in(self) -> None:
        session = smbclient.register_session(self._host, **self._options)
        connection = session.connection
        with suppress(AttributeError, OSError):
            _send_in_time(connection.transport, self._timeout)
        receive = connection.receive

        def receive_in_time(*request: Any, **options: Any) -> Any:
            options.setdefault("timeout", self._timeout)
            return receive(*request, **options)

        connection.receive = receive_in_time
        try:
            self.asked(lambda: smbclient.stat(self._place, **self._options))
        except FileNotFoundError:  # a server that knows DFS looks for a missing share elsewhere
            raise missing(self._server, self._share) from None
        except PermissionError:  # a folder in it may still be open to the user
            pass

    def _full(self, path: str) -> str:
        return f"{self._place}\\{path}" if path else self._place


def _send_in_time(transport: Any, timeout: float) -> None:
    """Send messages without delay, and close the connection if one is not sent in time.

    The library lets the system hold back each message until the one before has arrived. Where the
    server takes no more, it would wait without end, with all threads that send or close.
    """
    sock = transport._sock
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    send = transport.send

    def send_in_time(message: bytes) -> None:
        try:
            send(message)
        except BlockingIOError:
            transport.close()  # half a message may be on its way
            raise TimeoutError("timeout") from None

    transport.send = send_in_time
