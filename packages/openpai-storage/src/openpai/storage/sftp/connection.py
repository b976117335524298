"""One SSH connection to an SFTP server, for threads: asyncssh runs in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from concurrent.futures import Future, TimeoutError as Late
from contextlib import suppress
from typing import Any, Awaitable, Callable, Coroutine, Mapping, TypeVar

import asyncssh

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.storage.sftp.errors import translate_error

__all__ = ["SftpLine"]

T = TypeVar("T")

#: Minimum number of bytes that count as progress.
_NO_ROOM = 64 << 10
#: A flag of ``statvfs@openssh.com`` (openssh-portable, PROTOCOL).
_READ_ONLY = 1


class SftpLine:
    """A connection that is made on first use, and again after it broke.

    Args:
        host: The server.
        port: Its port.
        options: Further arguments of ``asyncssh.connect``; never in a message.
        timeout: Seconds to wait for each answer.

    Attributes:
        folder: Lies on the disk that is looked at when the server fails without a reason.
    """

    folder = b"."

    def __init__(self, host: str, port: int, options: Mapping[str, Any], timeout: float) -> None:
        self._host, self._port = host, port
        self._server = f"{host}:{port}"
        self._options = {
            **options,
            "login_timeout": timeout,
            "connect_timeout": timeout,
            "keepalive_interval": timeout / 3,
        }
        self._timeout = timeout
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._starting = threading.Lock()
        self._closed = False
        self._begun: set[Future[Any]] = set()
        self._connecting: asyncio.Lock | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    def ask(self, act: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """Do something with the server and wait for it.

        Raises:
            OSError: The server refuses, for a reason that files have.
            StorageError: It refuses for another reason.
            ConnectionFailed: There is no connection, or no answer came in time.
        """
        return self.later(act)()

    def later(self, act: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> Callable[[], T]:
        """Begin something; what is returned waits for it and raises as :meth:`ask` does."""
        future = self._run(self._do(act))
        self._begun.add(future)
        future.add_done_callback(self._begun.discard)

        def wait() -> T:
            try:
                return future.result(self._timeout)
            except Late:
                future.cancel()
                raise ConnectionFailed(
                    f"The SFTP server {self._server} did not answer for {self._timeout:g} s.",
                    "Try again.",
                ) from None

        return wait

    def close(self) -> None:
        """Close the connection and end the thread."""
        with self._starting:
            self._closed = True  # so that nothing comes into the queue behind the last
        if self._thread.is_alive():
            for future in list(self._begun):  # what nobody waits for any more
                future.cancel()
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _run(self, act: Coroutine[Any, Any, T]) -> Future[T]:
        with self._starting:
            if self._closed:
                act.close()
                raise ConnectionFailed(f"The connection to {self._server} was closed.")
            if self._thread.ident is None:
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(act, self._loop)

    async def _do(self, act: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        try:
            return await act(await self._client())
        except OpenPaiError:
            raise
        except asyncssh.SFTPFailure as error:
            number = await self._ask_the_disk()
            if number:
                raise OSError(number, os.strerror(number)) from None
            raise translate_error(error, self._server) from None
        except (OSError, ValueError, asyncio.TimeoutError, asyncssh.Error) as error:
            raise translate_error(error, self._server) from None

    async def _ask_the_disk(self) -> int:
        """Return ``ENOSPC`` or ``EROFS`` where the server's disk is full or read-only, else 0."""
        with suppress(OSError, asyncio.TimeoutError, asyncssh.Error):
            disk = await (await self._client()).statvfs(self.folder)
            if disk.flags & _READ_ONLY:
                return errno.EROFS
            return errno.ENOSPC if disk.bavail * disk.frsize < _NO_ROOM else 0
        return 0

    async def _client(self) -> asyncssh.SFTPClient:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._sftp is None or self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                self._sftp = await self._connection.start_sftp_client(path_encoding=None)
            return self._sftp

    async def _connect(self) -> asyncssh.SSHClientConnection:
        seen = _Guard()
        try:
            return await asyncssh.connect(
                self._host, self._port, client_factory=lambda: seen, **self._options
            )
        except asyncssh.HostKeyNotVerifiable:
            raise self._stranger(seen.fingerprint) from None

    def _stranger(self, fingerprint: str) -> StorageError:
        port = f"-p {self._port} " if self._port != 22 else ""
        user = f"{self._options['username']}@" if "username" in self._options else ""
        file = self._options.get("known_hosts")
        into = f"-o UserKnownHostsFile={file} " if file else ""
        return StorageError(
            f"The SFTP server {self._server} shows a key that is not among the known hosts: "
            f"{fingerprint or 'another one than before'}.",
            "Ask its admin whether that key is right. To accept it, log in once: "
            f"ssh {into}{port}{user}{self._host}",
        )

    async def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()


class _Guard(asyncssh.SSHClient):
    """Accepts no key that is unknown, and remembers what it was."""

    fingerprint = ""

    def validate_host_public_key(self, *about: Any) -> bool:
        """Refuse; it is only asked about keys that are not known, the last of ``about``."""
        self.fingerprint = about[-1].get_fingerprint()
        return False
