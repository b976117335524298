"""A TCP line on which things go wrong: it is cut, stalls, turns over a bit, or is slow."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Fault", "FaultyLine"]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: ``cut``, ``stall`` (nothing passes for a second), ``corrupt`` (one bit of a body is
            turned over) or ``slow`` (the next bytes trickle).
        upwards: Whether it befalls what goes to the server.
        after: How many bytes pass that way before, since the fault before this one.
    """

    kind: str
    upwards: bool
    after: int


class FaultyLine:
    """Carries connections to a server; faults befall them one after the other, then none.

    Args:
        host: The server.
        port: Its port.
        faults: What goes wrong, in this order.

    Attributes:
        port: Where it listens on 127.0.0.1.
        fired: The faults that have happened.
        carried: Bytes to the server so far.
        returned: Bytes from the server so far.
    """

    def __init__(self, host: str, port: int, faults: Iterable[Fault] = ()) -> None:
        self._target = (host, port)
        self._faults = deque(faults)
        self._passed = 0
        self._lock = threading.Lock()
        self.fired: list[Fault] = []
        self.carried = 0
        self.returned = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def close(self) -> None:
        """Cut everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def _spawn(self, act: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(near)
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._sockets.append(far)
            self._spawn(self._carry, near, far, True)
            self._spawn(self._carry, far, near, False)

    def _carry(self, source: socket.socket, target: socket.socket, upwards: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                fault = self._befalls(len(data), upwards, data)
                if fault is None:
                    target.sendall(data)
                elif fault.kind == "cut":
                    target.sendall(data[: len(data) // 2])
                    break
                elif fault.kind == "corrupt":
                    at = len(data) * 3 // 4
                    target.sendall(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
                elif fault.kind == "stall":
                    time.sleep(1.0)
                    target.sendall(data)
                else:
                    for begin in range(0, len(data), 8192):
                        time.sleep(0.05)
                        target.sendall(data[begin : begin + 8192])
            else:  # the end of what one side sends is not the end of what the other does
                target.shutdown(socket.SHUT_WR)
                return
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _befalls(self, count: int, upwards: bool, data: bytes) -> Fault | None:
        """Count bytes; return what befalls them."""
        with self._lock:
            if upwards:
                self.carried += count
            else:
                self.returned += count
            fault = self._faults[0] if self._faults else None
            if fault is None or fault.upwards != upwards:
                return None
            self._passed += count
            if self._passed < fault.after:
                return None
            if fault.kind == "corrupt" and (count < 16384 or b"HTTP/1." in data):
                return None  # wait for bytes that are surely a file's
            self._passed = 0
            self.fired.append(self._faults.popleft())
            return fault
