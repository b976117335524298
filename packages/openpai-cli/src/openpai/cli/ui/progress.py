"""Progress of long operations on stderr, drawn by rich on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from openpai.cli.ui.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress as Display, Task

__all__ = ["Progress"]

#: Seconds after which something is drawn; what is over sooner needs it as little as rich's import.
_FIRST_DRAWN_AFTER = 0.5

#: Seconds between plain lines, where there is no live terminal.
_PLAIN_INTERVAL = 30.0
_NARROW = 60
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
        self._total = total or None
        self._done = 0
        self._begun = time.monotonic()
        self._next = self._begun + (_FIRST_DRAWN_AFTER if console.is_animated else _PLAIN_INTERVAL)
        self._display: Display | None = None

    def advance(self, amount: int = 1) -> None:
        """Count work that is done."""
        self._done += amount
        if self._display:
            self._display.update(self._display.task_ids[0], completed=self._done)
        elif time.monotonic() < self._next:
            return
        elif self._console.is_animated:
            self._display = _drawn(self._console)
            self._display.add_task(self._description, total=self._total, completed=self._done)
            self._display.start()
        else:
            self._console.print_error(f"{self._description}  {self._text()}")
            self._next = time.monotonic() + _PLAIN_INTERVAL

    def close(self) -> None:
        """Wipe the line away."""
        if self._display:
            self._display.stop()

    def _text(self) -> str:
        rate = max(self._done, 0) / max(time.monotonic() - self._begun, 0.001)
        return _amounts(self._done, self._total, rate)


def _drawn(console: Console) -> Display:
    """Return what draws the line; stdout is left alone, it has data."""
    from rich import console as rich_console, progress
    from rich.table import Column
    from rich.text import Text

    class Amounts(progress.ProgressColumn):
        """Completed amount and rate."""

        def render(self, task: Task) -> Text:
            return Text(_amounts(int(task.completed), task.total, task.speed))

    screen = rich_console.Console(file=sys.stderr, no_color=not console.color)
    name = progress.TextColumn(
        "{task.description}",
        markup=False,
        table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
    )
    narrow = screen.width < _NARROW
    between = [] if narrow else [progress.BarColumn(20), Amounts()]
    return progress.Progress(
        *(name, *between, progress.TaskProgressColumn(), progress.TimeRemainingColumn(True)),
        console=screen,
        transient=True,
        expand=narrow,
        redirect_stdout=False,
    )


def _amounts(done: int, total: float | None, rate: float | None) -> str:
    """Return ``12.3k of 4.0M  1.2k/s``."""
    whole = f" of {_short(total)}" if total else ""
    return f"{_short(done)}{whole}" + (f"  {_short(int(rate))}/s" if rate else "")


def _short(number: float) -> str:
    """Return ``999``, ``12.3k``, ``4.0M``."""
    for prefix in _PREFIXES:
        if number < 1000 or prefix == _PREFIXES[-1]:
            break
        number /= 1000
    return f"{number:.1f}{prefix}" if prefix else str(int(number))
