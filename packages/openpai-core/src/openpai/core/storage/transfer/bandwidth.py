"""Bandwidth limit of a transfer, in bytes per second."""

from __future__ import annotations

import threading
import time

__all__ = ["Limiter"]


class Limiter:
    """Lets at most ``rate`` bytes per second pass, over all threads; ``None`` lets all pass."""

    def __init__(self, rate: float | None, stopped: threading.Event) -> None:
        self.chunk = min(1 << 20, max(4096, int(rate / 4))) if rate else 1 << 20
        self._rate = rate
        self._stopped = stopped
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        """Wait until ``count`` bytes may pass, or the transfer is stopped."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            self._free_at = now + wait + count / self._rate
        if wait:
            self._stopped.wait(wait)
