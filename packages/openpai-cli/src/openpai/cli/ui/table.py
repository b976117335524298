"""Draw aligned columns, narrowed to the terminal where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["NOTHING", "Cell", "draw_record", "draw_table"]

#: Shown where there is no value.
NOTHING = "-"

_GAP = "  "
_NARROWEST = 8
_ELLIPSIS = "…"

Paint = Callable[[str, str], str]


class Cell(NamedTuple):
    """One value as it is shown.

    Attributes:
        text: What is shown.
        style: A colour, or an empty text.
        is_number: Whether it counts or measures; a column of such is aligned to the right.
    """

    text: str
    style: str = ""
    is_number: bool = False


def draw_table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], width: int | None, paint: Paint
) -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        headers: One text for each column.
        rows: Cells of each row, as many as there are headers.
        width: Columns of the terminal: the widest columns are cut, and where that is not enough
            columns are left out from the right. ``None`` keeps everything.
        paint: Colours a text.
    """
    widths = _fit(_natural_widths(headers, rows), width)
    right = [_holds_numbers([row[column] for row in rows]) for column in range(len(headers))]
    for row in [[Cell(header, "bold") for header in headers], *rows]:
        yield _line(row, widths, right, paint)


def draw_record(headers: Sequence[str], cells: Sequence[Cell], paint: Paint) -> Iterator[str]:
    """Yield one thing as lines of ``header  value``."""
    widest = max(map(cell_width, headers), default=0)
    for header, cell in zip(headers, cells, strict=True):
        label = paint(header + " " * (widest - cell_width(header)), "bold")
        yield f"{label}{_GAP}{paint(cell.text, cell.style)}".rstrip()


def cell_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _natural_widths(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        max([cell_width(header), *(cell_width(row[column].text) for row in rows)])
        for column, header in enumerate(headers)
    ]


def _fit(widths: list[int], width: int | None) -> list[int]:
    """Return widths that fit, the widest cut first; fewer of them where even that is too much."""
    if width is None:
        return widths
    shown = list(widths)
    while len(shown) > 1 and _total([min(w, _NARROWEST) for w in shown]) > width:
        shown.pop()
    while _total(shown) > width and max(shown) > 1:
        widest = shown.index(max(shown))
        shown[widest] -= 1
    return shown


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _holds_numbers(cells: Sequence[Cell]) -> bool:
    return any(cell.is_number for cell in cells) and all(
        cell.is_number or cell.text == NOTHING for cell in cells
    )


def _line(row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool], paint: Paint) -> str:
    parts = []
    for cell, width, at_right in zip(row, widths, right, strict=False):
        text, space = _cut(cell.text, width)
        shown = paint(text, cell.style)
        parts.append(space + shown if at_right else shown + space)
    return _GAP.join(parts).rstrip()


def _cut(text: str, width: int) -> tuple[str, str]:
    """Return what fits of a text, and the space that is left."""
    taken = cell_width(text)
    if taken > width:
        while text and cell_width(text) > width - 1:
            text = text[:-1]
        text += _ELLIPSIS
        taken = cell_width(text)
    return text, " " * (width - taken)
