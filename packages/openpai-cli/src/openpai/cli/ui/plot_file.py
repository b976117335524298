"""Write the figures of a sweep to a file: a page, a drawing, or a picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from openpai.cli.exceptions import UsageError
from openpai.cli.ui.plot import Panel

__all__ = ["SUFFIXES", "check_file", "write_plot"]

SUFFIXES = (".html", ".svg", ".png")

# Text stays text, and a dollar a dollar.
_STANDARD = {"svg.fonttype": "none", "text.parse_math": False}
_STYLE = """
body { font: 15px system-ui, sans-serif; margin: 2em } svg { max-width: 100%; height: auto }
table { border-collapse: collapse }
td, th { padding: .25em .8em; text-align: left; border-bottom: 1px solid #8884 }
"""


def check_file(path: Path) -> None:
    """Refuse what cannot be written, before anything is asked of a cluster.

    Raises:
        UsageError: The name says nothing of the kind, or what draws pictures is missing.
    """
    from importlib.util import find_spec

    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"unknown plot format '{path}'", f"Use a file name ending in {', '.join(SUFFIXES)}."
        )
    if find_spec("matplotlib") is None:
        raise UsageError(
            "Plots need matplotlib, which is not installed.",
            "Run: pip install 'openpai-cli[plots]'",
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
    from importlib import import_module

    with import_module("matplotlib").rc_context(_STANDARD):
        figure = _figure(title, panels)
        if path.suffix == ".html":
            drawing = StringIO()
            figure.savefig(drawing, format="svg", metadata={"Date": None})
            page = _page(title, drawing.getvalue().partition("<svg")[2], table)
            path.write_text(page, encoding="utf-8")
        else:
            figure.savefig(path, dpi=120)


def _page(title: str, drawing: str, table: Sequence[Sequence[str]]) -> str:
    """Return a page that needs nothing else."""
    head, *rows = table or [[]]
    cells = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    cells += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    lines = "\n".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n<svg{drawing}\n<table>\n{lines}\n</table>\n</html>\n"
    )


def _figure(title: str, panels: Sequence[Panel]) -> Any:
    """Return matplotlib's figure; an axis whose values lie decades apart is logarithmic."""
    from importlib import import_module

    heights = [3.6 if panel.parameter else 0.5 + 0.22 * len(panel.values) for panel in panels]
    figure = import_module("matplotlib.figure").Figure(
        figsize=(7.2, sum(heights) + 0.6), layout="constrained"
    )
    figure.suptitle(title)
    axes = figure.subplots(max(len(panels), 1), 1, squeeze=False, height_ratios=heights or [1])
    for place, panel in zip(axes[:, 0], panels, strict=False):
        values = [value for _, value in panel.values]
        if panel.parameter:
            xs = [float(x) for x, _ in panel.values]
            place.scatter(xs, values)
            place.set_xlabel(panel.parameter)
            if min(xs) > 0 and max(xs) / min(xs) >= 100:
                place.set_xscale("log")
                ticks = sorted(set(xs))
                place.set_xticks(ticks, labels=[f"{x:g}" for x in ticks])
                place.set_xticks([], minor=True)
        else:
            labels = [str(label) for label, _ in panel.values]
            place.barh(range(len(values)), values, tick_label=labels)
            place.invert_yaxis()
        place.set_title(panel.title)
    return figure
