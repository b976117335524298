"""Wait for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

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
        condition: Asked often at first, later every 100 ms.
        message: Names what is awaited.
        timeout: Seconds.
        show: Returns the screen or the log that belongs into the failure's message.
    """
    deadline = time.monotonic() + timeout
    pause = 0.005
    while not (value := condition()):
        if time.monotonic() > deadline:
            shown = f"\n{show()}" if show else ""
            raise AssertionError(f"{message or 'condition'}: not within {timeout:g} s{shown}")
        time.sleep(pause)
        pause = min(pause * 1.2, 0.1)
    return value
