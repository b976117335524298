"""Points of a sweep and its jobs: one job with many sets of parameters.

::

    points = grid(lr=[0.1, 0.01], batch=[32, 64])
    jobs = sweep_jobs(Job.from_file("train.yaml"), points)     # train_lr-0p1_batch-32, …
    for outcome in cluster.submit_all(jobs, tag="first-try"):
        print(outcome.name, outcome.status)

Names are made from the parameters, so that submitting a sweep again completes it. :class:`Sweep`
(:mod:`openpai.core.sweeps.sweep`) also limits the number of active jobs.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, NamedTuple, Sequence, Union

from openpai.core.errors import OpenPaiError

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.client import Extras
    from openpai.core.protocol import Job

__all__ = [
    "SWEEPS_GROUP",
    "Point",
    "SweepPlan",
    "grid",
    "names_of",
    "point_name",
    "sample",
    "split_try",
    "sweep_jobs",
    "try_name",
    "zipped",
]

#: One set of parameters: name → value.
Point = Mapping[str, Any]
#: The values of a parameter to draw from, or a function that draws one.
Choice = Union[Sequence[Any], Callable[[random.Random], Any]]

#: Group of entry points for sweeps of other files than jobs: suffix → a function that takes the
#: path, the points and options and returns a context manager of a :class:`SweepPlan`.
SWEEPS_GROUP = "openpai.sweeps"


class SweepPlan(NamedTuple):
    """The job and points of a sweep.

    Attributes:
        job: The job, with the parameters of the first point.
        points: The points as this job reads them.
        extras: What the submission adds to it; its files live as long as the context.
        base: The folder to which paths of its sources are relative.
        remarks: Sentences for the submitter.
    """

    job: Job
    points: Sequence[Point]
    extras: Extras | None = None
    base: Path | None = None
    remarks: Sequence[str] = ()


_LONGEST_NAME = 255
_LONGEST_VALUE = 24
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_TRY = re.compile(r"(.+)_try([1-9][0-9]*)")


def grid(**axes: Sequence[Any]) -> list[dict[str, Any]]:
    """Return every combination of the values, the last axis changing fastest."""
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def zipped(**axes: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the points of the first values of all axes, of the second ones, and so on.

    Raises:
        OpenPaiError: The axes are not equally long.
    """
    lengths = {name: len(values) for name, values in axes.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise OpenPaiError(f"The axes of a zip must be equally long; {listed} values.")
    return [dict(zip(axes, values)) for values in zip(*axes.values())]


def sample(count: int, seed: int = 0, **choices: Choice) -> list[dict[str, Any]]:
    """Return random points; the same ones for the same seed.

    Args:
        count: Number of points.
        seed: Random seed.
        **choices: For each parameter its values, or a function of a ``random.Random``, such as
            ``lambda r: 10 ** r.uniform(-4, -1)``.
    """
    source = random.Random(seed)  # noqa: S311 - not a secret

    def draw(choice: Choice) -> Any:
        return choice(source) if callable(choice) else source.choice(choice)

    return [{name: draw(choice) for name, choice in choices.items()} for _ in range(count)]


def sweep_jobs(job: Job, points: Iterable[Point], name: str | None = None) -> list[Job]:
    """Return one job for each point, with its parameters and a name made from them.

    Args:
        job: The job, whose other parameters are kept.
        points: Sets of parameters, as from :func:`grid`, :func:`zipped` or :func:`sample`.
        name: The prefix of the names; ``None`` for the job's name.

    Raises:
        OpenPaiError: The job has no name, or lacks a parameter of a point.
    """
    base = name or job.name
    if not base:
        raise OpenPaiError("A sweep needs a name.", "Give the job one, or the sweep.")
    found = [dict(point) for point in points]
    _check_parameters(job, found)
    names = names_of(base, found)
    return [job.with_parameters(**point).renamed(n) for n, point in zip(names, found)]


def _check_parameters(job: Job, points: Sequence[Point]) -> None:
    """Refuse parameters that the job never uses, which would make all its jobs equal."""
    known = job.document.get("parameters")
    known = known if isinstance(known, dict) else {}
    text = json.dumps(job.document, default=str)
    for key in dict.fromkeys(key for point in points for key in point):
        if key not in known and f"$parameters.{key}" not in text:
            raise OpenPaiError(
                f"The job has no parameter '{key}' (it has: {', '.join(known) or 'none'}).",
                f"Use it in a command as <% $parameters.{key} %>.",
            )


def names_of(base: str, points: Sequence[Point]) -> list[str]:
    """Return a unique name for each point; ambiguous ones get a hash of the values."""
    plain = [point_name(base, point) for point in points]
    counts: dict[str, int] = {}
    for name in plain:
        counts[name.lower()] = counts.get(name.lower(), 0) + 1
    unique = [
        name if counts[name.lower()] == 1 and not _TRY.fullmatch(name) else _hashed(name, point)
        for name, point in zip(plain, points)
    ]
    seen: dict[str, int] = {}
    for place, name in enumerate(unique):  # equal points: a random search may draw one twice
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            unique[place] = f"{name}-{seen[name]}"
    return unique


def point_name(base: str, point: Point) -> str:
    """Return ``train_lr-0p1_batch-32`` for ``train`` and ``{"lr": 0.1, "batch": 32}``.

    PAI allows letters, digits, ``_`` and ``-``, and 255 characters (rest-server/src/config/v2/
    protocol.js); so ``.`` becomes ``p``, and long names end with a hash of the values.
    """
    parts = [f"{_safe(key)}-{_text(value)}" for key, value in point.items()]
    name = "_".join([base, *parts])
    return name if len(name) <= _LONGEST_NAME - 8 else _hashed(name, point)


def try_name(name: str, number: int) -> str:
    """Return the name of a rerun of a point's job: ``train_lr-0p1_try2``."""
    return name if number == 1 else f"{name}_try{number}"


def split_try(name: str) -> tuple[str, int]:
    """Return the first name of a point's job and the number of the try, from 1."""
    match = _TRY.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 1)


def _text(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _safe(str(value).replace(".", "p").replace("+", ""))[:_LONGEST_VALUE]
    text = json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)
    return _safe(text)[:_LONGEST_VALUE].strip("-_") or "x"


def _safe(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text)


def _hashed(name: str, point: Point) -> str:
    text = json.dumps(point, sort_keys=True, default=str)
    return f"{name[: _LONGEST_NAME - 16]}-{hashlib.sha256(text.encode()).hexdigest()[:7]}"
