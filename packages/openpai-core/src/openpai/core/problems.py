"""What is wrong with a job description, and where."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: The JSON pointer of the value.
        line: Its line in the file, from 1; ``None`` where there is no file.
        column: Its column, from 1; ``None`` where there is no file.
        message: One sentence: what is wrong.
        hint: What to do about it, or an empty text.
    """

    path: str
    line: int | None
    column: int | None
    message: str
    hint: str = ""
