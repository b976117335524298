"""Repeat operations after transient failures: within a time, a number of tries or a rate limit."""

from __future__ import annotations

import errno
import random
import threading
import time
from typing import Callable, TypeVar

from openpai.core.errors import (
    AuthenticationError,
    ConnectionFailed,
    OpenPaiError,
    RateLimitError,
    RefusedNamesError,
    ServerError,
    StorageError,
    StorageLoginError,
)

__all__ = ["Backoff", "RateLimitGate", "RetryPolicy", "Stopped", "delay", "is_lost", "poll"]

T = TypeVar("T")

# A valid token is refused while the server cannot reach its store of tokens.
_MAX_SECONDS_UNAUTHORIZED = 120.0
# Tries after an error that a storage reports itself, which seldom passes.
_MAX_STORAGE_RETRIES = 2
# Where a rate limit comes without the time of its reset (rest-server/src/config/rate-limit.js).
_UNKNOWN_WINDOW = 60.0
_GATE_POLL = 1.0

_LASTING = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
_LASTING_NUMBERS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.EINVAL, errno.EROFS),
    *(errno.ELOOP, errno.ENOTEMPTY, errno.EXDEV, errno.ENOTSUP, errno.ENODEV, errno.EILSEQ),
}


def delay(tries: int, first: float = 0.2, longest: float = 10.0) -> float:
    """Return seconds to wait after a number of failures: doubled each time, with jitter."""
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
    return jitter * min(longest, first * 2.0 ** min(tries - 1, 32))


class Backoff:
    """Limits the time for which a cluster may fail, with growing pauses.

    Args:
        seconds: How long failures may last without a success before they are raised.
        was_well: Whether the cluster has answered before. Its address is right then, so that even
            an unknown host or an answer cut in its first line may pass.
    """

    def __init__(self, seconds: float = 600.0, *, was_well: bool = False) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._failures = 0
        self._was_well = was_well

    def wait(self, error: OpenPaiError, longest: float = 15.0) -> None:
        """Sleep before the next try.

        Args:
            error: The failure.
            longest: Seconds to sleep at most.

        Raises:
            OpenPaiError: The error itself, if it is not transient or has lasted too long.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._allowed(error):
            raise error
        self._failures += 1
        time.sleep(delay(self._failures, first=1.0, longest=min(15.0, max(longest, 0.0))))

    def reset(self) -> None:
        """Start again after a success."""
        self._since = None
        self._failures = 0
        self._was_well = True

    def _allowed(self, error: OpenPaiError) -> float:
        """Return for how many seconds such an error may last; negative if not at all."""
        if isinstance(error, ConnectionFailed):
            may_pass = error.transient or (self._was_well and not error.untrusted)
            return self.seconds if may_pass else -1.0
        if isinstance(error, AuthenticationError) and self._was_well:
            return min(self.seconds, _MAX_SECONDS_UNAUTHORIZED)
        return self.seconds if isinstance(error, (ServerError, RateLimitError)) else -1.0


def poll(
    look: Callable[[], T | None],
    *,
    timeout: float | None,
    on_timeout: Callable[[], OpenPaiError],
    was_well: bool,
    pauses: tuple[float, float],
) -> T:
    """Return the first result of a function that is not ``None``, with growing pauses.

    Args:
        look: The function; its transient failures may last ten minutes.
        timeout: Seconds to wait at most; ``None`` for no limit.
        on_timeout: Returns the error to raise after the timeout.
        was_well: As for :class:`Backoff`.
        pauses: The first and the longest pause between two calls, in seconds.

    Raises:
        OpenPaiError: That of ``on_timeout``, or the last failure of ``look``.
    """
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    backoff, (pause, longest) = Backoff(was_well=was_well), pauses
    while True:
        try:
            found = look()
            backoff.reset()
            if found is not None:
                return found
        except OpenPaiError as error:
            backoff.wait(error, deadline - time.monotonic())
        left = deadline - time.monotonic()
        if left <= 0:
            raise on_timeout()
        time.sleep(min(pause, left))
        pause = min(pause * 1.3, longest)


class Stopped(BaseException):
    """Ends a task of a stopped transfer; not an ``Exception``, so that no handler catches it."""


def is_lost(error: Exception) -> bool:
    """Whether an error means that the other side did not answer, or not to the end."""
    if isinstance(error, (ConnectionFailed, ConnectionError, TimeoutError)):
        return True
    return (
        isinstance(error, OSError)
        and not isinstance(error, _LASTING)
        and error.errno not in _LASTING_NUMBERS
    )


class RetryPolicy:
    """Limits the tries of each operation on a storage, with growing pauses.

    Args:
        retries: Tries after the first.
        stopped: Ends a pause early.
    """

    def __init__(self, retries: int, stopped: threading.Event | None = None) -> None:
        self._retries = retries
        self._stopped = stopped or threading.Event()

    def after(self, error: Exception, tries: int) -> bool:
        """Wait after the failure number ``tries``; return whether to try again.

        Raises:
            Stopped: The transfer was stopped.
        """
        if tries > self._allowed(error):
            return False
        if self._stopped.wait(delay(tries)):
            raise Stopped
        return True

    def call(self, act: Callable[[], T]) -> T:
        """Return what a call returns, repeated after transient failures.

        Raises:
            OSError, OpenPaiError: The last failure.
        """
        tries = 0
        while True:
            try:
                return act()
            except (OSError, OpenPaiError) as error:
                tries += 1
                if not self.after(error, tries):
                    raise

    def _allowed(self, error: Exception) -> int:
        if is_lost(error):
            return self._retries
        if isinstance(error, (RefusedNamesError, StorageLoginError)):
            return 0
        # What a storage reports itself, or a file that changed while it was read.
        return min(self._retries, _MAX_STORAGE_RETRIES) if isinstance(error, StorageError) else 0


class RateLimitGate:
    """Holds back the calls of several threads while the server's rate limit is exceeded.

    Args:
        cancelled: Whether waiting calls are to fail instead; called every second.
    """

    def __init__(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        self._cancelled = cancelled
        self._open_at = 0.0
        self._closed = threading.Event()
        self._fatal: OpenPaiError | None = None

    def run(self, call: Callable[[], T]) -> T:
        """Return what a call returns, repeated after every rate limit.

        Raises:
            OpenPaiError: The call's own error; or the lost connection or refused login of another
                call, after which none is made.
        """
        while True:
            if self._fatal is not None:
                raise self._fatal
            if self._is_closed():
                raise OpenPaiError("It was broken off before its turn.")
            try:
                return call()
            except RateLimitError as error:
                self._open_at = max(self._open_at, error.reset or time.time() + _UNKNOWN_WINDOW)
            except (AuthenticationError, ConnectionFailed) as error:
                self._fatal = error
                raise

    def close(self) -> None:
        """Block further calls."""
        self._closed.set()

    def _is_closed(self) -> bool:
        """Wait until the server takes calls again; return whether none is wanted any more."""
        while not self._closed.wait(min(max(self._open_at - time.time(), 0.0), _GATE_POLL)):
            if self._open_at <= time.time():
                return False
            if self._cancelled():
                self.close()
        return True
