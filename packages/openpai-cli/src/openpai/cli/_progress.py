"""One line on stderr that says how far a long piece of work has come."""

from __future__ import annotations

import sys
import time

from openpai.cli._console import Console

__all__ = ["Progress"]

_FIRST_DRAWN_AFTER = 0.5
_REDRAWN_EVERY = 0.1
_TOLD_EVERY = 30.0
_PREFIXES = ("", "k", "M", "G", "T")


class Progress:
    """A line that is redrawn in place and leaves nothing behind.

    Without a live terminal a plain line comes now and then, so that a log shows that there is life.

    Args:
        console: Tells whether stderr can show motion.
        description: What is going on.
        total: The whole of the work in any unit, ``None`` where the end is not known.
    """

    def __init__(self, console: Console, description: str, total: int | None) -> None:
        self._console = console
        self._description = description
        self._total = total
        self._done = 0
        self._begun = time.monotonic()
        self._next = self._begun + (_FIRST_DRAWN_AFTER if console.is_lively else _TOLD_EVERY)
        self._drawn = False

    def advance(self, amount: int = 1) -> None:
        """Count work that is done."""
        self._done += amount
        if time.monotonic() < self._next:
            return
        if self._console.is_lively:
            self._draw()
        else:
            self._console.note(self._text())
            self._next = time.monotonic() + _TOLD_EVERY

    def close(self) -> None:
        """Wipe the line away."""
        if self._drawn:
            self._show("")

    def _draw(self) -> None:
        self._show(self._text()[: self._console.width - 1])
        self._next = time.monotonic() + _REDRAWN_EVERY
        self._drawn = True

    def _show(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def _text(self) -> str:
        done = _short(self._done)
        rate = max(self._done, 0) / max(time.monotonic() - self._begun, 0.001)
        speed = f"  {_short(int(rate))}/s"
        if not self._total:
            return f"{self._description}  {done}{speed}"
        percent = min(100, 100 * self._done // self._total)
        left = max(self._total - self._done, 0) / rate if rate >= 1 else None
        remaining = "" if left is None else f"  {_time(left)} left"
        return (
            f"{self._description}  {percent:3d}%  {done} of {_short(self._total)}{speed}{remaining}"
        )


def _time(seconds: float) -> str:
    """Return ``59s``, ``4m05s``, ``3h20m``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minute}m{second:02}s" if minute else f"{second}s"


def _short(number: float) -> str:
    """Return ``999``, ``12.3k``, ``4.0M``."""
    for prefix in _PREFIXES:
        if number < 1000 or prefix == _PREFIXES[-1]:
            break
        number /= 1000
    return f"{number:.1f}{prefix}" if prefix else str(number)
