"""Write the figures of a sweep to a file: a page, a drawing, or a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from openpai.cli._command import UsageProblem
from openpai.cli._plot import Panel, bounds

__all__ = ["SUFFIXES", "check_file", "write_plot"]

SUFFIXES = (".html", ".svg", ".png")

_WIDTH, _ROW, _TOP, _LABEL, _RIGHT = 720, 22, 40, 240, 80
_SCATTER_HEIGHT, _MARGIN = 260, 60
# Readable on light and dark ground, and by people who do not see all colours.
_STYLE = """
svg { font: 13px system-ui, sans-serif; max-width: 100%; display: block; margin: 1.5em 0 }
svg text { fill: currentColor } svg .mark { fill: #2a78b8 } svg .axis { stroke: currentColor }
svg .title { font-weight: bold }
"""
_PAGE_STYLE = """
:root { color-scheme: light dark } body { font: 15px system-ui, sans-serif; margin: 2em }
table { border-collapse: collapse } td, th { padding: .25em .8em; text-align: left;
border-bottom: 1px solid #8884 }
"""


def check_file(path: Path) -> None:
    """Refuse what cannot be written, before anything is asked of a cluster.

    Raises:
        UsageProblem: The name says nothing of the kind, or what draws pictures is missing.
    """
    if path.suffix not in SUFFIXES:
        raise UsageProblem(
            f"'{path}' says nothing of its kind.", f"Name it with {', '.join(SUFFIXES)}."
        )
    if path.suffix == ".png":
        from importlib.util import find_spec

        if find_spec("matplotlib") is None:
            raise UsageProblem(
                "PNG pictures are drawn by matplotlib, which is not installed.",
                "Run: pip install 'openpai-cli[plots]', or write .html or .svg.",
            )


def write_plot(
    path: Path, title: str, panels: Sequence[Panel], table: Sequence[Sequence[str]]
) -> None:
    """Write the panels; a page has the table, too.

    Args:
        path: Where to; its suffix says what.
        title: What the page is called.
        panels: The pictures.
        table: The header and the rows.

    Raises:
        OSError: The file cannot be written.
    """
    if path.suffix == ".png":
        _write_png(path, title, panels)
    elif path.suffix == ".svg":
        path.write_text(_drawing(panels), encoding="utf-8")
    else:
        path.write_text(_page(title, panels, table), encoding="utf-8")


def _page(title: str, panels: Sequence[Panel], table: Sequence[Sequence[str]]) -> str:
    """Return a page that needs nothing else."""
    drawn = "\n".join(_svg([*_panel(panel)], _height(panel)) for panel in panels)
    head, *rows = table or [[]]
    cells = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    cells += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    lines = "\n".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{_PAGE_STYLE}{_STYLE}</style>\n<h1>{escape(title)}</h1>\n{drawn}\n"
        f"<table>\n{lines}\n</table>\n</html>\n"
    )


def _drawing(panels: Sequence[Panel]) -> str:
    """Return all panels below each other as one drawing."""
    parts, top = [f"<style>{_STYLE}</style>"], 0
    for panel in panels:
        parts.append(f'<g transform="translate(0 {top})">{"".join(_panel(panel))}</g>')
        top += _height(panel)
    return _svg(parts, top)


def _svg(parts: list[str], height: int) -> str:
    space = 'xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {space} viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}">{"".join(parts)}</svg>\n'


def _height(panel: Panel) -> int:
    if panel.parameter:
        return _SCATTER_HEIGHT + _TOP + _MARGIN
    return _TOP + _ROW * len(panel.values) + 10


def _panel(panel: Panel) -> Iterator[str]:
    yield f'<text class="title" x="0" y="20">{escape(panel.title)}</text>'
    yield from _scatter(panel) if panel.parameter else _bars(panel)


def _bars(panel: Panel) -> Iterator[str]:
    low, high = bounds([value for _, value in panel.values], with_zero=True)
    room = _WIDTH - _LABEL - _RIGHT
    zero = _LABEL + room * (0 - low) / (high - low)
    for number, (label, value) in enumerate(panel.values):
        y = _TOP + _ROW * number
        end = _LABEL + room * (value - low) / (high - low)
        left, wide = min(zero, end), max(abs(end - zero), 1.0)
        yield f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(str(label))}</text>'
        yield f'<rect class="mark" x="{left:.1f}" y="{y + 3}" width="{wide:.1f}" height="14"/>'
        yield f'<text x="{max(left + wide, zero) + 6:.1f}" y="{y + 14}">{value:.6g}</text>'


def _scatter(panel: Panel) -> Iterator[str]:
    """Yield dots; an axis whose values lie decades apart is logarithmic."""
    import math

    xs = [float(x) for x, _ in panel.values]
    ys = [y for _, y in panel.values]
    logarithmic = min(xs) > 0 and max(xs) / min(xs) >= 100
    places = [math.log10(x) if logarithmic else x for x in xs]
    (left, right), (low, high) = bounds(places), bounds(ys)
    bottom = _TOP + _SCATTER_HEIGHT
    wide = _WIDTH - 2 * _MARGIN
    yield f'<path class="axis" fill="none" d="M{_MARGIN} {_TOP}V{bottom}H{_WIDTH - _MARGIN}"/>'
    for figure, y in ((high, _TOP + 5), (low, bottom)):
        yield f'<text x="{_MARGIN - 8}" y="{y}" text-anchor="end">{figure:.4g}</text>'
    for x, place in sorted(set(zip(xs, places, strict=True))):
        at = _MARGIN + wide * (place - left) / (right - left)
        yield f'<text x="{at:.1f}" y="{bottom + 20}" text-anchor="middle">{x:g}</text>'
    yield (
        f'<text x="{_WIDTH / 2:.0f}" y="{bottom + 42}" text-anchor="middle">'
        f"{escape(str(panel.parameter))}{' (logarithmic)' if logarithmic else ''}</text>"
    )
    for place, value in zip(places, ys, strict=True):
        at = _MARGIN + wide * (place - left) / (right - left)
        up = bottom - _SCATTER_HEIGHT * (value - low) / (high - low)
        yield f'<circle class="mark" cx="{at:.1f}" cy="{up:.1f}" r="5"/>'


def _write_png(path: Path, title: str, panels: Sequence[Panel]) -> None:
    from importlib import import_module

    canvas = import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
    heights = [_height(panel) / 100 for panel in panels] or [1.0]
    figure = import_module("matplotlib.figure").Figure(
        figsize=(_WIDTH / 100, sum(heights) + 0.6), layout="constrained"
    )
    canvas(figure)
    figure.suptitle(title)
    axes = figure.subplots(max(len(panels), 1), 1, squeeze=False, height_ratios=heights)
    for place, panel in zip(axes[:, 0], panels, strict=False):
        values = [value for _, value in panel.values]
        if panel.parameter:
            xs = [float(x) for x, _ in panel.values]
            place.scatter(xs, values)
            place.set_xlabel(panel.parameter)
            if min(xs) > 0 and max(xs) / min(xs) >= 100:
                place.set_xscale("log")
        else:
            place.barh([str(label) for label, _ in panel.values], values)
            place.invert_yaxis()
        place.set_title(panel.title)
    figure.savefig(path, dpi=120)
