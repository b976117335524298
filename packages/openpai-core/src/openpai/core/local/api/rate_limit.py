"""Rate limits as rest-server has them (src/config/rate-limit.js): fixed windows, in memory."""

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


@dataclass(frozen=True)
class Count:
    """Where one caller stands in the present window."""

    limit: int
    used: int
    window: int
    reset: int

    @property
    def is_over(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit

    def mark(self, response: Response) -> None:
        """Put the count into an answer's headers."""
        response.headers["X-RateLimit-Limit"] = str(self.limit)
        response.headers["X-RateLimit-Remaining"] = str(max(0, self.limit - self.used))
        response.headers["X-RateLimit-Reset"] = str(self.reset)

    def refuse(self) -> Response:
        """Return the answer to one too many: a plain sentence, and the whole window to wait."""
        response = Response(
            "Too many requests, please try again later.",
            429,
            content_type="text/html; charset=utf-8",
        )
        response.headers["Retry-After"] = str(self.window)
        self.mark(response)
        return response


class Limiter:
    """Counts by key; all counts are forgotten together when the window ends.

    Args:
        limit: How many are let through in a window.
        window: Its length in seconds.
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
    """Return the counters of requests: ``api`` by address, ``list`` and ``submit`` by user."""
    if limits is None:
        return {}
    return {
        "api": Limiter(limits.api_per_minute, 60, clock),
        "list": Limiter(limits.lists_per_minute, 60, clock),
        "submit": Limiter(limits.submits_per_hour, limits.hour, clock),
    }
