"""Figures of a sweep as pictures: bars in the terminal, panels for files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Panel", "Point", "bar_chart", "panels", "points_of"]

_WIDEST_LABEL = 40
_NARROWEST_BAR = 8


@dataclass(frozen=True)
class Point:
    """One job with its figures.

    Attributes:
        label: The parameters in which the jobs differ: ``lr=0.1 batch=32``.
        parameters: Parameter → value.
        metrics: Metric → value.
    """

    label: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """One picture: a metric for each job, or over a parameter.

    Attributes:
        metric: What is shown.
        parameter: Over which parameter; ``None``: a bar for each job.
        values: (label or the parameter's value, the metric's value).
    """

    metric: str
    parameter: str | None
    values: Sequence[tuple[Any, float]]

    @property
    def title(self) -> str:
        """Title of the panel."""
        return f"{self.metric} over {self.parameter}" if self.parameter else self.metric


def points_of(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Return a point for each row of ``opai sweep results``."""
    keys = dict.fromkeys(key for row in rows for key in row["parameters"])
    differing = [key for key in keys if len({str(r["parameters"].get(key)) for r in rows}) > 1]

    def label(row: Mapping[str, Any]) -> str:
        parts = [f"{key}={row['parameters'].get(key)}" for key in differing]
        return " ".join(parts) or str(row["name"])

    return [Point(label(row), row["parameters"], row["metrics"]) for row in rows]


def panels(points: Sequence[Point]) -> Iterator[Panel]:
    """Yield for each metric its bars, and its values over each parameter that changes."""
    for metric in dict.fromkeys(key for point in points for key in point.metrics):
        have = [point for point in points if is_number(point.metrics.get(metric))]
        if not have:
            continue
        yield Panel(metric, None, [(point.label, point.metrics[metric]) for point in have])
        for key in dict.fromkeys(key for point in have for key in point.parameters):
            values = [point.parameters.get(key) for point in have]
            if all(map(is_number, values)) and len(set(values)) > 1:
                yield Panel(metric, key, [(p.parameters[key], p.metrics[metric]) for p in have])


def is_number(value: Any) -> bool:
    """Whether a value can be drawn."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis for these values and zero, never the same."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def bar_chart(panel: Panel, width: int, mark: str) -> Iterator[str]:
    """Yield a line for each value: its label, a bar, the figure.

    Args:
        panel: One without a parameter.
        width: Columns of the terminal.
        mark: What bars are made of, one character.
    """
    low, high = _bounds([value for _, value in panel.values])
    figures = [f"{value:.6g}" for _, value in panel.values]
    longest = max(map(len, figures))
    most = max(width - longest - _NARROWEST_BAR - 4, 1)
    widest = min(max(len(str(label)) for label, _ in panel.values), _WIDEST_LABEL, most)
    room = max(width - widest - longest - 4, 1)
    zero = round(room * (0 - low) / (high - low)) if low < 0 else 0
    yield panel.title
    for (label, value), figure in zip(panel.values, figures, strict=True):
        end = round(room * (value - low) / (high - low))
        first, last = min(zero, end), max(zero, end)
        bar = " " * first + mark * max(last - first, 1)
        shown = str(label) if len(str(label)) <= widest else str(label)[: widest - 1] + "…"
        yield f"  {shown:<{widest}} {figure:>{longest}} {bar}"[:width]
