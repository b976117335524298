"""The record of a sweep on this machine: its job, points and limit, to resume its submission.

The state of its jobs is read from the cluster each time.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.config import read_yaml, update_yaml
from openpai.core.errors import ConfigError, ConflictError
from openpai.core.files import file_lock
from openpai.core.paths import home
from openpai.core.sweeps.parameters import names_of

__all__ = ["SweepRecord", "record_path", "recorded_sweeps"]


@dataclass(frozen=True)
class SweepRecord:
    """The planned jobs of a sweep.

    Attributes:
        name: The sweep's name.
        uri: The cluster's address.
        user: The owner of the jobs.
        job: The job as YAML, with its secrets; the file is private.
        points: The parameters of each job.
        max_parallel: Maximum number of active jobs; ``None`` for no limit.
        stopped: Whether the submission was stopped.
        tags: Tags of each job besides the sweep's own.
    """

    name: str
    uri: str
    user: str
    job: str
    points: Sequence[Mapping[str, Any]] = field(default_factory=list)
    max_parallel: int | None = None
    stopped: bool = False
    tags: Sequence[str] = ()

    @classmethod
    def load(cls, uri: str, user: str, name: str) -> SweepRecord | None:
        """Return the record of a sweep; ``None`` if there is none.

        Raises:
            ConfigError: The file cannot be read.
        """
        return _read(record_path(uri, user, name))

    @property
    def path(self) -> Path:
        """The file of the record."""
        return record_path(self.uri, self.user, self.name)

    @property
    def names(self) -> dict[str, Mapping[str, Any]]:
        """Name of each point's first job → its parameters."""
        return dict(zip(names_of(self.name, self.points), self.points))

    def save(self) -> SweepRecord:
        """Store the record, with the points of an earlier one.

        Raises:
            ConfigError: The file cannot be written.
        """

        def merge(before: dict[str, Any]) -> dict[str, Any]:
            points = [*before.get("points", ()), *self.points]
            points = _distinct(points, self.points)
            return {**asdict(self), "points": points, "tags": list(self.tags)}

        return _record(update_yaml(self.path, dict, merge, mode=0o600))

    def mark_stopped(self, stopped: bool) -> None:
        """Store whether the submission is stopped.

        Raises:
            ConfigError: The file cannot be written.
        """
        update_yaml(self.path, dict, lambda kept: {**kept, "stopped": stopped}, mode=0o600)

    def is_stopped(self) -> bool:
        """Whether this or another process has stopped the submission.

        Raises:
            ConfigError: The file cannot be read.
        """
        kept = _read(self.path)
        return kept is None or kept.stopped

    @contextmanager
    def submitting(self) -> Iterator[None]:
        """Hold the lock for submissions of this sweep.

        Raises:
            ConflictError: Another process of this machine holds it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.path.with_suffix(".submitting"), wait=False))
            except OSError:
                raise ConflictError(
                    f"Another process is submitting the sweep '{self.name}'.",
                    status=409,
                    hint=f"Show its progress: opai sweep status {self.name}",
                ) from None
            yield

    def is_being_submitted(self) -> bool:
        """Whether a process of this machine is submitting its jobs."""
        try:
            with self.submitting():
                return False
        except ConflictError:
            return True


def record_path(uri: str, user: str, name: str) -> Path:
    """Return the file of a sweep: ``~/.openpai/sweeps/<cluster>/<user>~<name>.yaml``."""
    cluster = re.sub(r"[^A-Za-z0-9.-]+", "_", re.sub(r"^https?://", "", uri)).strip("_")
    return home() / "sweeps" / cluster / f"{user}~{name}.yaml"


def recorded_sweeps(uri: str, user: str) -> list[SweepRecord]:
    """Return the records of a cluster's sweeps, by name.

    Raises:
        ConfigError: A file cannot be read.
    """
    folder = record_path(uri, user, "x").parent
    found = (_read(path) for path in sorted(folder.glob(f"{user}~*.yaml")))
    return [record for record in found if record is not None]


def _read(path: Path) -> SweepRecord | None:
    content = read_yaml(path, dict)
    if not content:
        return None
    try:
        return _record(content)
    except (TypeError, KeyError):
        raise ConfigError(f"{path} is not a sweep record.", "Move it away.") from None


def _record(content: Mapping[str, Any]) -> SweepRecord:
    known = {item.name for item in fields(SweepRecord)}
    record = SweepRecord(**{key: value for key, value in content.items() if key in known})
    return replace(record, points=list(record.points))


def _distinct(points: Sequence[Any], newest: Sequence[Any]) -> list[Any]:
    """Return every point once, or as often as it is in the newest list."""
    found: list[Any] = []
    for point in points:
        if found.count(point) < max(1, sum(other == point for other in newest)):
            found.append(point)
    return found
