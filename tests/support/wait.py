"""Wait for a condition."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value],
    message: str = "",
    *,
    timeout: float = 60,
    show: Callable[[], object] | None = None,
) -> Value:
    """Return the first true value of a condition.

    The timeout only bounds a failure, so it is long enough for a loaded machine.

    Args:
        condition: Asked every 10 ms.
        message: Names what is awaited.
        timeout: Seconds.
        show: Returns the screen or the log that belongs into the failure's message.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            shown = f"\n{show()}" if show else ""
            raise AssertionError(f"{message or 'condition'}: not within {timeout:g} s{shown}")
        time.sleep(0.01)
    return value
