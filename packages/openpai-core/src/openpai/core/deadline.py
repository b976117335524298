"""A deadline for calls that cannot be interrupted."""

from __future__ import annotations

import threading
from typing import Callable, TypeVar

__all__ = ["DeadlineError", "with_deadline"]

T = TypeVar("T")


class DeadlineError(Exception):
    """The call did not return in time."""


def with_deadline(call: Callable[[], T], seconds: float) -> T:
    """Return what a call returns; after the deadline, leave it behind in its thread.

    Args:
        call: What may hang: a keyring, a storage, a user's function.
        seconds: How long to wait for it.

    Raises:
        DeadlineError: It has not returned in time.
        Exception: What the call raised.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise DeadlineError(f"no result within {seconds:g} s")
    return results[0]
