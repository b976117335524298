"""Bear failures that may pass by themselves, but not for ever."""

from __future__ import annotations

import time

from openpai.core.errors import (
    AuthenticationError,
    NoAnswer,
    OpenPaiError,
    RateLimitError,
    ServerError,
)

__all__ = [
    "Patience",
    "Stopped",
]

_LONGEST_PAUSE = 15.0
# A good token is refused while the server cannot reach its store of tokens.
_LONGEST_REFUSAL = 120.0


class Patience:
    """Keeps a long task (waiting for a job, following a log) alive through passing trouble.

    Args:
        seconds: How long trouble may last without a break before it is raised.
        was_well: Whether the cluster has answered before. Its address is right then, so even what
            else would tell of a wrong one may pass: a name that is not found just now, an answer
            that is cut in its first line.
    """

    def __init__(self, seconds: float = 600.0, *, was_well: bool = False) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._pause = 0.5
        self._was_well = was_well

    def bear(self, error: OpenPaiError, longest: float = _LONGEST_PAUSE) -> None:
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

    def relax(self) -> None:
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
