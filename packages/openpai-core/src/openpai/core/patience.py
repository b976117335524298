"""Bear failures that may pass by themselves, but not for ever."""

from __future__ import annotations

import time

from openpai.core.errors import OpenPaiError, RateLimitError, ServerError
from openpai.core.rest.failures import NoAnswer

__all__ = ["Patience"]

_LONGEST_PAUSE = 15.0


class Patience:
    """Keeps a long task (waiting for a job, following a log) alive through passing trouble.

    Args:
        seconds: How long trouble may last without a break before it is raised.
    """

    def __init__(self, seconds: float = 600.0) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._pause = 0.5

    def bear(self, error: OpenPaiError) -> None:
        """Sleep a moment if the error may pass; the next call comes later each time.

        Raises:
            OpenPaiError: The error itself, if it cannot pass or has lasted too long.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if not _may_pass(error) or now - self._since > self.seconds:
            raise error
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.7, _LONGEST_PAUSE)

    def relax(self) -> None:
        """Say that all is well again."""
        self._since = None
        self._pause = 0.5


def _may_pass(error: OpenPaiError) -> bool:
    if isinstance(error, NoAnswer):
        return error.transient
    return isinstance(error, (ServerError, RateLimitError))
