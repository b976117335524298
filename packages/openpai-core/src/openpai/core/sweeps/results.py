"""One row for each job of a sweep: what it was given, how it ended, how long it took."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Union

from openpai.core.client import RemoteJob
from openpai.core.errors import NotFoundError, OpenPaiError

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.rest import JobSummary

__all__ = [
    "FileMetric",
    "LogMetric",
    "Metric",
    "Result",
    "collect_results",
    "results_of",
]


@dataclass(frozen=True)
class Result:
    """One job of a sweep.

    Attributes:
        name: The job's name.
        state: The job's state now.
        exit_code: The user's own exit code (else the platform's); ``None`` while the job goes on.
        parameters: The parameters of its description.
        submitted: When it was submitted.
        seconds: From its first start to its end; ``None`` before.
        retries: How often it was started anew.
        tags: Its tags.
    """

    name: str
    state: str
    exit_code: int | None
    parameters: Mapping[str, Any]
    submitted: datetime | None
    seconds: float | None
    retries: int
    tags: tuple[str, ...] = field(default=())


def collect_results(
    cluster: Cluster, *, prefix: str = "", tag: str = "", concurrency: int = 8
) -> list[Result]:
    """Return one row for each of the user's jobs that fit, in the order of their names.

    Args:
        cluster: Where the jobs are.
        prefix: What their names begin with.
        tag: A tag that they have; with a prefix, both must fit.
        concurrency: How many jobs are asked about at the same time.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    if not prefix and not tag:
        raise OpenPaiError("Which jobs are to be shown?", "Name a prefix or a tag.")
    user = cluster.user
    found = cluster.jobs(user=user, keyword=prefix or None, tags=tag or None)
    mine = sorted((j for j in found if j.name.startswith(prefix)), key=lambda job: job.name)
    return results_of(cluster, mine, concurrency=concurrency)


def results_of(
    cluster: Cluster, jobs: Iterable[JobSummary], *, concurrency: int = 8
) -> list[Result]:
    """Return one row for each of these jobs, in their order.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max(1, concurrency)) as pool:
        return list(pool.map(lambda job: _result(cluster, job), jobs))


def _result(cluster: Cluster, job: JobSummary) -> Result:
    remote = RemoteJob(cluster, f"{job.username}~{job.name}")
    began, ended = job.launched_time, job.completed_time
    parameters = remote.config().document.get("parameters")
    return Result(
        name=job.name,
        state=job.state,
        # The list has the platform's code only; that of a success is the user's, too.
        exit_code=remote.exit_code() if job.app_exit_code else job.app_exit_code,
        parameters=parameters if isinstance(parameters, dict) else {},
        submitted=job.submission_time,
        seconds=(ended - began).total_seconds() if began and ended else None,
        retries=job.retries,
        tags=tuple(job.tags),
    )


@dataclass(frozen=True)
class FileMetric:
    """A value of a JSON file that a job saved; of a file with one object a line, the last one's.

    Attributes:
        file: The file's path in the job's output folder.
        name: The value's key; ``val.acc`` and ``epochs.-1.acc`` lead deeper.
    """

    file: str
    name: str

    @classmethod
    def parse(cls, text: str) -> FileMetric:
        """Read ``FILE:KEY``.

        Raises:
            OpenPaiError: The text names no metric.
        """
        file, _, key = text.rpartition(":")
        if not file or not key:
            raise OpenPaiError(f"'{text}' names no metric.", "Write FILE:KEY.")
        return cls(file, key)

    def read(self, job: RemoteJob) -> Any:
        """Return the value; ``None`` where the job saved no such thing.

        Raises:
            StorageError: The storage cannot be opened from here.
            ConnectionFailed: No answer came.
        """
        try:
            storage, folder = job.outputs()
            with storage, storage.open_read(f"{folder}/{self.file}") as stream:
                return _value(_content(stream.read().decode("utf-8", "replace")), self.name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, NotFoundError):
            return None


@dataclass(frozen=True)
class LogMetric:
    """What a pattern found last in a job's log.

    Attributes:
        name: What the metric is called.
        pattern: A regular expression; its first group, if it has one, is the value.
    """

    name: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> LogMetric:
        """Read ``NAME=PATTERN``.

        Raises:
            OpenPaiError: The text names no metric, or the pattern is no regular expression.
        """
        name, _, pattern = text.partition("=")
        if not name or not pattern:
            raise OpenPaiError(f"'{text}' names no metric.", "Write NAME=PATTERN.")
        try:
            return cls(name, re.compile(pattern))
        except re.error as error:
            raise OpenPaiError(f"'{pattern}' is no regular expression: {error}.") from None

    def read(self, job: RemoteJob) -> Any:
        """Return the last match in what the job's tasks wrote; ``None`` where there is none.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        found = None
        for line in job.logs():
            for match in self.pattern.finditer(line):
                found = match[1] if self.pattern.groups else match[0]
        return None if found is None else _number(found)


Metric = Union[FileMetric, LogMetric]


def _content(text: str) -> Any:
    """Return what a JSON file holds; of one object a line, the last."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return json.loads(lines[-1]) if lines else None
    except ValueError:
        return None


def _value(content: Any, key: str) -> Any:
    """Return what a key, or a path of keys and indices, leads to."""
    if isinstance(content, dict) and key in content:
        return content[key]
    first, dot, rest = key.partition(".")
    if isinstance(content, dict) and first in content:
        return _value(content[first], rest) if dot else content[first]
    if isinstance(content, list) and re.fullmatch(r"-?\d+", first):
        place = int(first)
        if -len(content) <= place < len(content):
            return _value(content[place], rest) if dot else content[place]
    return None


def _number(text: str) -> Any:
    try:
        return float(text) if re.search(r"[.eEn]", text) else int(text)
    except ValueError:
        return text
