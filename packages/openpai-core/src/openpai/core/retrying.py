"""Which failures may pass when something is tried again, and how long to wait before."""

from __future__ import annotations

import errno
import random
import threading
from typing import Callable, TypeVar

from openpai.core.errors import (
    ConnectionFailed,
    OpenPaiError,
    RefusedNamesError,
    StorageError,
    StorageLoginError,
)
from openpai.core.retry import Stopped

__all__ = ["Patience", "is_lost"]

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


class Patience:
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

    def try_(self, act: Callable[[], T]) -> T:
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
