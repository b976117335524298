"""How fast: a limit to the bytes per second, and how many files at once serve best."""

from __future__ import annotations

import threading
import time

__all__ = ["Limiter", "Tuner"]

#: What one file is worth beside its bytes, for measuring: its requests cost as much as so many.
FILE_WORTH = 100_000


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


class Tuner:
    """Finds by measuring how many threads move the most.

    They are doubled while that pays, then more by steps. Where the first doubling did not pay, they
    are halved while that costs nothing: where nobody waits for a network, threads of Python only
    wait for each other.

    Args:
        most: More threads than so many are never asked for.
        now: A clock in seconds.
        first: How many to begin with.
    """

    #: A measurement takes at least so many seconds, fewer where so many files ended meanwhile.
    WINDOW, SHORT, MANY = 0.4, 0.15, 150

    def __init__(self, most: int, now: float, first: int = 4) -> None:
        self.threads = min(first, most)
        self._first = self.threads
        self._most = most
        self._begun = now
        self._work = 0
        self._ends = 0
        self._best = (0.0, self.threads)
        self._fast = True

    def moved(self, count: int) -> None:
        """Count bytes."""
        self._work += count

    def ended(self, now: float) -> int:
        """Count the end of a file or part; return how many threads there should be from now on."""
        self._ends += 1
        self._work += FILE_WORTH
        passed = now - self._begun
        many = passed >= self.SHORT and self._ends >= self.MANY
        if many or (passed >= self.WINDOW and self._ends >= self.threads):
            self._adjust(self._work / passed)
            self._begun, self._work, self._ends = now, 0, 0
        return self.threads

    def _adjust(self, rate: float) -> None:
        best, at = self._best
        if rate > best * 1.1 and self.threads >= at:
            self._best = (rate, self.threads)
            self.threads = min(self._most, self.threads * 2 if self._fast else self.threads + 2)
        elif self.threads > at:  # more threads did not help: back to what did, then look again
            halves = self._fast and at == self._first
            self._fast = False
            self.threads = at // 2 or 1 if halves else at
            self._best = (max(rate, best * 0.95), at)
        elif self.threads < at and rate < best * 0.95:  # fewer do not do
            self.threads = at
        elif self.threads < at:
            self._best = (max(rate, best), self.threads)
            self.threads = self.threads // 2 or 1
        else:  # conditions change, and the best of long ago may never come back
            self._best = (max(rate, best * 0.9), self.threads)
