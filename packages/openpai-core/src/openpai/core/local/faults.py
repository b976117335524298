"""Fault injection for tests of clients."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Mapping

__all__ = ["Fault", "Faults"]

App = Callable[[Dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Fault:
    """A fault of requests, with its counters.

    Attributes:
        kind: ``cut``, ``lost``, ``answer`` or ``slow``.
        every: Strike each n-th matching request.
        times: Maximum number of strikes; ``None`` for no limit.
        method: Match requests with this method only; empty for all.
        path: Match requests whose path contains this regular expression.
        seen: Number of requests that matched.
        fired: Number of strikes.
    """

    kind: str
    every: int = 1
    times: int | None = None
    method: str = ""
    path: str = ""
    seconds: float = 0.0
    status: str = ""
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    seen: int = 0
    fired: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Count a request; return whether the fault strikes it."""
        if self.method not in ("", method) or not re.search(self.path, path):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.fired += 1
        return True


class Faults:
    """The faults of one cluster in the order of their creation; the first that strikes wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def cut_connections(self, **when: Any) -> Fault:
        """Close connections instead of handling the request.

        Args:
            when: ``every``, ``times``, ``method``, ``path`` of :class:`Fault`.
        """
        return self._add(Fault("cut", **when))

    def lose_answers(self, **when: Any) -> Fault:
        """Handle requests and close the connection instead of responding."""
        return self._add(Fault("lost", **when))

    def answer(
        self, status: int, text: str = "", headers: Mapping[str, str] | None = None, **when: Any
    ) -> Fault:
        """Respond with a status, such as 429, 500 or 503, instead of handling the request."""
        body = text.encode()
        sent = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        sent["Content-Length"] = str(len(body))
        fault = Fault("answer", status=f"{status} Fault", body=body, **when)
        fault.headers = list(sent.items())
        return self._add(fault)

    def delay(self, seconds: float, **when: Any) -> Fault:
        """Wait before handling the request."""
        return self._add(Fault("slow", seconds=seconds, **when))

    def clear(self) -> None:
        """Remove all faults; their counters stay."""
        with self._lock:
            self._faults.clear()

    def _add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def _striking(self, environ: Mapping[str, Any]) -> Fault | None:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(method, path)), None)

    def wrap(self, app: App) -> App:
        """Return a WSGI application with these faults."""

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            fault = self._striking(environ)
            if fault is None:
                return app(environ, start_response)
            if fault.kind == "answer":
                start_response(fault.status, fault.headers)
                return [fault.body]
            if fault.kind == "slow":
                time.sleep(fault.seconds)
                return app(environ, start_response)
            if fault.kind == "lost":
                list(app(environ, start_response))
            raise ConnectionAbortedError("an injected fault")

        return application
