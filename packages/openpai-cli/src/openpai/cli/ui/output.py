"""Write rows as a table, JSON, YAML or names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from openpai.cli.ui.console import Console, escape_control
from openpai.cli.ui.table import NOTHING, Cell, draw_record, draw_table
from openpai.cli.ui.times import ago, iso
from openpai.core.cli import Column, Row
from openpai.core.units import format_duration

__all__ = ["cell_text", "emit", "table_lines"]

#: Rows that are drawn at once; a table's columns fit those of one page.
PAGE = 10_000

_STATE_STYLES = {
    "WAITING": "yellow",
    "RUNNING": "cyan",
    "STOPPING": "magenta",
    "STOPPED": "magenta",
    "SUCCEEDED": "green",
    "FAILED": "red",
}


def emit(
    console: Console,
    data: Row | Iterable[Row],
    *,
    columns: Sequence[Column],
    format: str,  # noqa: A002 - named as the option is
    page_size: int = PAGE,
) -> None:
    """Write one row or many to stdout.

    Rows are written all at once, so that a failing source writes nothing, unless they are more
    than a page; then they are written page by page, so that any number of them takes no memory.

    Args:
        console: Where to write.
        data: One row, or an iterable of rows.
        columns: What a table shows; the first is what ``name`` prints.
        format: One of :data:`FORMATS`.
        page_size: Number of rows in a page.
    """
    pages = [(data, True, True)] if isinstance(data, Mapping) else _pages(data, page_size)
    for rows, first, last in pages:
        for line in _lines(console, rows, columns, format, (first, last)):
            console.print(line)


def _pages(data: Iterable[Row], size: int) -> Iterator[tuple[Sequence[Row], bool, bool]]:
    """Yield the rows by pages, each with whether it is the first and the last one."""
    left = iter(data)
    page, first = list(islice(left, size)), True
    while True:
        following = list(islice(left, size))
        yield page, first, not following
        if not following:
            return
        page, first = following, False


def _lines(
    console: Console,
    rows: Row | Sequence[Row],
    columns: Sequence[Column],
    output: str,
    ends: tuple[bool, bool],
) -> list[str]:
    first, last = ends
    if output == "json":
        return _json(rows, "[" if first else " ", "]" if last else ",")
    if output == "yaml":
        return _yaml(rows)
    if output == "name":
        return _names(rows, columns)
    return table_lines(console, rows, columns)[0 if first else 1 :]


def _names(rows: Row | Sequence[Row], columns: Sequence[Column]) -> list[str]:
    every = [rows] if isinstance(rows, Mapping) else rows
    return [str(row[columns[0][1]]) for row in every]


def _json(rows: Row | Sequence[Row], opening: str, closing: str) -> list[str]:
    """One object over several lines; a list, or a page of one, with one row on each line."""
    from json import dumps

    if isinstance(rows, Mapping):
        return [dumps(rows, default=_plain, ensure_ascii=False, indent=2)]
    shown = [dumps(row, default=_plain, ensure_ascii=False) for row in rows]
    return [opening + ",\n ".join(shown) + closing]


def _yaml(rows: Row | Sequence[Row]) -> list[str]:
    import json

    import yaml

    plain = json.loads(json.dumps(rows, default=_plain))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return [yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True).rstrip("\n")]


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it does."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    return str(value)


def table_lines(
    console: Console, rows: Row | Sequence[Row], columns: Sequence[Column]
) -> list[str]:
    """Return the lines of a table, or of one row as a record."""
    headers = [header for header, _ in columns]
    if isinstance(rows, Mapping):
        cells = [_cell(rows.get(key), console) for _, key in columns]
        return list(draw_record(headers, cells, console.paint_data))
    body = [[_cell(row.get(key), console) for _, key in columns] for row in rows]
    width = console.width if console.is_terminal else None
    return list(draw_table(headers, body, width, console.paint_data)) if body else []


def cell_text(value: Any) -> str:
    """Return what a table shows of a value where nobody looks at a terminal."""
    return _cell(value, None).text


def _cell(value: Any, console: Console | None) -> Cell:
    if value in (None, "", [], ()):
        return Cell(NOTHING)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, (int, float)):
        return Cell(str(value), is_number=True)
    if isinstance(value, datetime):
        return Cell(ago(value) if console and console.is_terminal else iso(value))
    if isinstance(value, timedelta):
        return Cell(format_duration(value.total_seconds()), is_number=True)
    text = escape_control(
        ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    )
    return Cell(text, _STATE_STYLES.get(text, ""))
