"""Retry transient failures, up to a limit of time or of tries."""

from __future__ import annotations

import errno
import random
import threading
import time
from typing import Callable, TypeVar

from openpai.core.errors import (
    AuthenticationError,
    ConnectionFailed,
    NoAnswer,
    OpenPaiError,
    RateLimitError,
    RefusedNamesError,
    ServerError,
    StorageError,
    StorageLoginError,
)

__all__ = [
    "Backoff",
    "RetryPolicy",
    "Stopped",
    "is_lost",
]

_LONGEST_PAUSE = 15.0
# A good token is refused while the server cannot reach its store of tokens.
_LONGEST_REFUSAL = 120.0


class Backoff:
    """Keeps a long task (waiting for a job, following a log) alive through transient failures.

    Args:
        seconds: How long failures may last without a break before they are raised.
        was_well: Whether the cluster has answered before. Its address is right then, so even what
            else would tell of a wrong one may pass: a name that is not found just now, an answer
            that is cut in its first line.
    """

    def __init__(self, seconds: float = 600.0, *, was_well: bool = False) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._pause = 0.5
        self._was_well = was_well

    def wait(self, error: OpenPaiError, longest: float = _LONGEST_PAUSE) -> None:
        """Sleep a moment if the error may pass; the next call comes later each time.

        Args:
            error: What was caught.
            longest: At most so many seconds of sleep.

        Raises:
            OpenPaiError: The error itself, if it cannot pass or has lasted too long.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._bearable(error):
            raise error
        time.sleep(min(self._pause, max(longest, 0.0)))
        self._pause = min(self._pause * 1.7, _LONGEST_PAUSE)

    def reset(self) -> None:
        """Say that all is well again."""
        self._since = None
        self._pause = 0.5
        self._was_well = True

    def _bearable(self, error: OpenPaiError) -> float:
        """For how many seconds on end this may go on; below zero: not at all."""
        if isinstance(error, NoAnswer):
            may_pass = error.transient or (self._was_well and not error.untrusted)
            return self.seconds if may_pass else -1.0
        if isinstance(error, AuthenticationError) and self._was_well:
            return min(self.seconds, _LONGEST_REFUSAL)
        return self.seconds if isinstance(error, (ServerError, RateLimitError)) else -1.0


class Stopped(BaseException):
    """Ends a task of a transfer that was stopped; not an ``Exception``, so nobody handles it."""


T = TypeVar("T")


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


#: Seconds before the second try; doubled for each later one.
FIRST_WAIT = 0.2


LONGEST_WAIT = 10.0


def is_lost(error: Exception) -> bool:
    """Whether an error means that the other side did not answer, or not to its end."""
    if isinstance(error, (ConnectionFailed, ConnectionError, TimeoutError)):
        return True
    return (
        isinstance(error, OSError)
        and not isinstance(error, _LASTING)
        and error.errno not in _LASTING_NUMBERS
    )


class RetryPolicy:
    """Tries again what may pass, with longer and longer pauses.

    Args:
        retries: At most so many times after the first.
        stopped: Ends a pause early.
    """

    def __init__(self, retries: int, stopped: threading.Event) -> None:
        self._retries = retries
        self._stopped = stopped

    def after(self, error: Exception, tries: int) -> bool:
        """Wait as is fitting after the ``tries``-th failure; return whether to try again.

        Raises:
            Stopped: The transfer was stopped meanwhile.
        """
        if is_lost(error):
            allowed = self._retries
        elif isinstance(error, (RefusedNamesError, StorageLoginError)):
            allowed = 0
        else:  # what a storage said of itself, or a file that changed
            allowed = min(self._retries, 2) if isinstance(error, StorageError) else 0
        if tries > allowed:
            return False
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - nobody guards it
        if self._stopped.wait(wait * spread):
            raise Stopped
        return True

    def call(self, act: Callable[[], T]) -> T:
        """Do something, again where that may help.

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
