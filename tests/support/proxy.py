"""A TCP proxy on which things go wrong: it cuts, stalls, corrupts or slows down what it carries."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

_RESET = struct.pack("ii", 1, 0)
#: Corruption waits for a piece of this many bytes without headers: it is surely of a file.
_PIECE_OF_A_FILE = 16_384


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: ``cut`` (the connection ends), ``reset`` (it ends as by a machine that goes down),
            ``stall`` (nothing passes for a second), ``block`` (nothing passes any more),
            ``corrupt`` (a bit of a file is turned over) or ``slow`` (the next bytes trickle).
        after: How many bytes pass that way before, since the last fault.
        upwards: Whether it happens to what goes to the server; ``None``: either way.
    """

    kind: str
    after: int
    upwards: bool | None = None


class FaultProxy:
    """Carries connections to a server; faults happen to them one after the other, then none.

    Args:
        port: Where the server listens.
        faults: What goes wrong, in this order.
        each: Returns what goes wrong on one connection, in place of ``faults``.
        watch: Called with each piece of what the server sends.
        host: The server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        fired: The faults that have happened.
        sent: Bytes that went to the server.
        returned: Bytes that the server sent.
    """

    def __init__(
        self,
        port: int,
        faults: Iterable[Fault] = (),
        *,
        each: Callable[[], Iterable[Fault]] | None = None,
        watch: Callable[[bytes], None] = lambda data: None,
        host: str = "127.0.0.1",
    ) -> None:
        self._target = (host, port)
        shared = _Faults(faults)
        self._faults_of_connection = (lambda: _Faults(each())) if each else (lambda: shared)
        self._watch = watch
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.fired: list[Fault] = []
        self.sent = 0
        self.returned = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections and take no more."""
        self._closed.set()
        _end(self._listener)
        self._accepting.join()
        self._listener.close()
        with self._lock:
            threads = list(self._threads)
            for end in self._sockets:
                _end(end)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(near,), daemon=True)
            with self._lock:
                self._threads.add(thread)
            thread.start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(self._target) as far:
            with self._lock:
                self._sockets |= {near, far}
            if not self._closed.is_set():
                faults = self._faults_of_connection()
                up = threading.Thread(
                    target=self._carry, args=(near, far, near, faults), daemon=True
                )
                up.start()
                self._carry(far, near, near, faults)
                up.join()
            with self._lock:
                self._sockets -= {near, far}
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _carry(
        self, source: socket.socket, target: socket.socket, near: socket.socket, faults: _Faults
    ) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                before, fault, rest = self._look(data, source is near, faults)
                target.sendall(before)
                if fault and fault.kind in ("cut", "reset"):
                    if fault.kind == "reset":
                        _reset(near)
                    _end(source)
                    _end(target)
                    return
                if fault:
                    self._spoil(fault, rest, target)
            # The end of what one side sends is not the end of what the other sends.
            target.shutdown(socket.SHUT_WR)

    def _look(
        self, data: bytes, upwards: bool, faults: _Faults
    ) -> tuple[bytes, Fault | None, bytes]:
        """Count a piece; return what passes, what happens then, and the rest."""
        with self._lock:
            if upwards:
                self.sent += len(data)
            else:
                self.returned += len(data)
                self._watch(data)
            at, fault = faults.find(data, upwards)
            if fault:
                self.fired.append(fault)
            return data[:at], fault, data[at:]

    def _spoil(self, fault: Fault, rest: bytes, target: socket.socket) -> None:
        """Send the rest of a piece as the fault has it."""
        if fault.kind == "slow":
            for begin in range(0, len(rest), 8192):
                self._closed.wait(0.05)
                target.sendall(rest[begin : begin + 8192])
            return
        if fault.kind == "corrupt":
            at = len(rest) * 3 // 4
            rest = rest[:at] + bytes([rest[at] ^ 4]) + rest[at + 1 :]
        else:
            self._closed.wait(1.0 if fault.kind == "stall" else None)
        target.sendall(rest)


class _Faults:
    """Faults in their order, and the bytes that have passed since the last one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._left: Iterator[Fault] = iter(faults)
        self._next = next(self._left, None)
        self._passed = 0

    def find(self, data: bytes, upwards: bool) -> tuple[int, Fault | None]:
        """Count a piece; return what happens to it, and after how many of its bytes."""
        fault = self._next
        if fault is None or fault.upwards not in (None, upwards):
            return len(data), None
        at = max(fault.after - self._passed, 0)
        self._passed += len(data)
        if at >= len(data):
            return len(data), None
        if fault.kind == "corrupt":
            if len(data) < _PIECE_OF_A_FILE or b"HTTP/1." in data:
                return len(data), None
            at = 0
        self._passed = 0
        self._next = next(self._left, None)
        return at, fault


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RD)  # wakes the thread that receives from it
    end.close()
