"""After a lost answer: ask the server whether the call took effect."""

from __future__ import annotations

from typing import Callable, TypeVar

from openpai.core.errors import ApiError, ConnectionFailed, NotFoundError, OpenPaiError, ServerError

__all__ = ["AMBIGUOUS_ERRORS", "get_after_lost_answer", "is_plain_500"]

T = TypeVar("T")

#: What a call raises when it may have taken effect all the same.
AMBIGUOUS_ERRORS = (ConnectionFailed, ServerError)


def get_after_lost_answer(error: ConnectionFailed | ServerError, get: Callable[[], T]) -> T | None:
    """Return what the call was about as it is now; ``None``: it does not exist.

    Raises:
        ConnectionFailed, ServerError: The error itself: nothing was sent, or it is unknown.
    """
    if isinstance(error, ConnectionFailed) and not error.sent:
        raise error
    try:
        return get()
    except NotFoundError:
        return None
    except OpenPaiError:
        raise error from None


def is_plain_500(error: OpenPaiError) -> bool:
    """Whether rest-server itself answered, which it does with 500 to many mistakes of callers."""
    return isinstance(error, ApiError) and error.status == 500
