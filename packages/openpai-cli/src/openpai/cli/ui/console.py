"""The console: stdout, stderr, colors, width, cursor; the only module that uses the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

__all__ = ["Console", "escape_control"]

_STYLES = {
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "blue": "\x1b[34m",
    "magenta": "\x1b[35m",
    "cyan": "\x1b[36m",
}
_RESET = "\x1b[0m"


class Console:
    """Data on stdout, talk on stderr; colour and motion on a terminal only.

    The streams are looked up when they are used, so that tests and embedders may replace them.

    Attributes:
        color: ``False`` forbids colour whatever the terminal can do (``--no-color``).
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self.color = not self._environ.get("NO_COLOR")

    @property
    def is_terminal(self) -> bool:
        """Whether people look at stdout."""
        return _is_terminal(sys.stdout)

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked, and answer."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    @property
    def is_animated(self) -> bool:
        """Whether stderr can show motion: a terminal with a cursor, and no build machine."""
        return _is_terminal(sys.stderr) and not self._is_dumb and not self._environ.get("CI")

    @property
    def width(self) -> int:
        """Columns of the terminal; ``$COLUMNS`` wins, 80 where nothing is known."""
        import shutil

        return shutil.get_terminal_size().columns

    @property
    def height(self) -> int:
        """Lines of the terminal; 24 where nothing is known."""
        import shutil

        return shutil.get_terminal_size().lines

    @property
    def supports_cursor(self) -> bool:
        """Whether stdout is a terminal with a cursor that can be moved."""
        return self.is_terminal and not self._is_dumb

    @property
    def _is_dumb(self) -> bool:
        return self._environ.get("TERM") == "dumb"

    def paint(self, text: str, style: str) -> str:
        """Colour text that goes to stderr, if colour is wanted there."""
        return self._paint(text, style, sys.stderr)

    def paint_data(self, text: str, style: str) -> str:
        """Colour text that goes to stdout, if colour is wanted there."""
        return self._paint(text, style, sys.stdout)

    def _paint(self, text: str, style: str, stream: TextIO) -> str:
        if not style or not self.color or self._is_dumb or not _is_terminal(stream):
            return text
        return f"{_STYLES[style]}{text}{_RESET}"

    def print(self, text: str) -> None:
        """Write one line of data."""
        _write(sys.stdout, text + "\n")

    def print_error(self, text: str) -> None:
        """Write one line for people; a closed terminal is ignored."""
        try:
            _write(sys.stderr, text + "\n")
            sys.stderr.flush()
        except OSError:
            pass


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _write(stream: TextIO, text: str) -> None:
    """Write, spelling out what the stream's encoding lacks."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def escape_control(text: str) -> str:
    """Make control characters harmless, so that no job name or message can steer the terminal."""
    if text.isprintable():
        return text
    shown = (" " if c in "\n\t\r" else c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return "".join(shown)
