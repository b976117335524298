"""The runtime's own words: lines on stderr that say who is speaking."""

from __future__ import annotations

import contextlib
import os

__all__ = ["PREFIX", "say"]

PREFIX = "[openpai-runtime]"


def say(text: str) -> None:
    """Write each line of a text to stderr, in one piece so that it never mixes with others'."""
    lines = "".join(f"{PREFIX} {line}\n" for line in text.splitlines())
    with contextlib.suppress(OSError):  # stderr may be closed: what matters goes on
        os.write(2, lines.encode("utf-8", "backslashreplace"))
