"""How following a job may end before the job does, each with an exit code of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from openpai.core.errors import OpenPaiError, WaitTimeout

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_LOST",
    "EXIT_TIMEOUT",
    "Left",
    "LostSightError",
    "WaitOverError",
    "followed",
]

EXIT_TIMEOUT = 124
EXIT_LOST = 125
EXIT_INTERRUPTED = 130


class WaitOverError(OpenPaiError):
    """The time to wait is over; what was waited for goes on."""


class LostSightError(OpenPaiError):
    """The cluster does not tell any more how it is."""


class Left(KeyboardInterrupt):
    """The user pressed Ctrl-C; what was followed goes on.

    Attributes:
        message: What goes on.
        hint: The next commands, one a line.
    """

    def __init__(self, message: str, ways: Iterable[str]) -> None:
        super().__init__(message)
        self.message = message
        self.hint = "\n".join(ways)


@contextmanager
def followed(
    name: str, look: str, left: str, ways_back: Callable[[], Iterable[str]]
) -> Iterator[None]:
    """Guard the block that follows something: what ends it early is not the end of that.

    Ctrl-C lets it go on and says how to come back; a connection that stays broken ends the command
    with 125, since nobody knows how it does.

    Args:
        name: What is followed.
        look: The command that looks at it.
        left: What to say when the user leaves.
        ways_back: Called for the next commands then.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Left(left, ways_back()) from None
    except WaitTimeout as error:
        raise WaitOverError(error.message, error.hint) from None
    except OpenPaiError as error:
        raise LostSightError(
            f"lost sight of {name}: {error.message}",
            f"Whether it goes on is not known. Look: {look}",
        ) from None
