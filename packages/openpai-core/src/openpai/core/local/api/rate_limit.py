"""Rate limits with fixed windows, as in rest-server (src/config/rate-limit.js)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from openpai.core.local.options import Limits
    from openpai.core.local.state.clock import Clock

__all__ = [
    "Count",
    "Limiter",
    "make_limiters",
]

#: Window of the limit of submissions, in seconds.
HOUR = 3600


@dataclass(frozen=True)
class Count:
    """The requests of one caller in the current window."""

    limit: int
    used: int
    window: int
    reset: int

    @property
    def is_over(self) -> bool:
        """Whether the limit is exceeded."""
        return self.used > self.limit

    def mark(self, response: Response) -> None:
        """Set the headers of a response."""
        response.headers["X-RateLimit-Limit"] = str(self.limit)
        response.headers["X-RateLimit-Remaining"] = str(max(0, self.limit - self.used))
        response.headers["X-RateLimit-Reset"] = str(self.reset)

    def refuse(self) -> Response:
        """Return the response to a request over the limit; Retry-After is the whole window."""
        response = Response(
            "Too many requests, please try again later.",
            429,
            content_type="text/html; charset=utf-8",
        )
        response.headers["Retry-After"] = str(self.window)
        self.mark(response)
        return response


class Limiter:
    """Counts requests by key; all counts end with the window.

    Args:
        limit: Maximum number of requests in a window.
        window: Length of a window in seconds.
        clock: The cluster's time.
    """

    def __init__(self, limit: int, window: int, clock: Clock) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._end = 0

    def hit(self, key: str) -> Count:
        """Count one request."""
        now = self._clock.now() // 1000
        with self._lock:
            if now >= self._end:
                self._counts.clear()
                self._end = now + self._window
            self._counts[key] = self._counts.get(key, 0) + 1
            return Count(self._limit, self._counts[key], self._window, self._end)


def make_limiters(limits: Limits | None, clock: Clock) -> dict[str, Limiter]:
    """Return the limiters: ``api`` by address, ``list`` and ``submit`` by user."""
    if limits is None:
        return {}
    return {
        "api": Limiter(limits.api_per_minute, 60, clock),
        "list": Limiter(limits.lists_per_minute, 60, clock),
        "submit": Limiter(limits.submits_per_hour, HOUR, clock),
    }
