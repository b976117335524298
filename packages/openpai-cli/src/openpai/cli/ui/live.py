"""Draw something again and again in place, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from openpai.cli.exceptions import UsageError

if TYPE_CHECKING:
    from openpai.cli.framework import CliApp

__all__ = ["watch"]

_PAUSE = 2.0
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


def watch(app: CliApp, draw: Callable[[int], Sequence[str]]) -> None:
    """Show what ``draw`` returns on a screen of its own; Ctrl-C ends it and restores the old one.

    Every picture is written at once and over the last one, so nothing flickers. A connection that
    fails is retried for ten minutes while the last picture stays.

    Args:
        app: The running ``opai``.
        draw: Returns the lines to show, for a screen of the given height.

    Raises:
        UsageError: stdout is not a terminal that supports cursor movement.
        OpenPaiError: The trouble with the connection lasted too long.
    """
    from openpai.core.errors import OpenPaiError
    from openpai.core.retry import Backoff

    if not app.console.supports_cursor:
        raise UsageError("--watch needs a terminal.", "Leave it out, or use: opai job wait")
    backoff = Backoff()
    sys.stdout.write(_ENTER)
    try:
        while True:
            try:
                _show(draw(app.console.height), app.console.height)
                backoff.reset()
            except OpenPaiError as error:
                backoff.wait(error)
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        return
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


def _show(lines: Sequence[str], height: int) -> None:
    """Write one picture: each line cleared to its end, the rest of the screen wiped."""
    picture = "".join(f"{line}\x1b[K\r\n" for line in lines[: height - 1])
    sys.stdout.write(f"\x1b[H{picture}\x1b[J")
    sys.stdout.flush()
