"""Results of jobs: one row per job, and metrics from files or logs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Union

from openpai.core.client import RemoteJob, select_jobs
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
    """The result of one job.

    Attributes:
        name: The job's name.
        state: The job's state now.
        exit_code: The user's exit code (else the platform's); ``None`` before its end.
        parameters: Its parameters.
        submitted: The time of its submission.
        seconds: Seconds from its first start to its end; ``None`` before.
        retries: Number of retries.
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
    """Return one row for each of the user's jobs that match, ordered by name.

    Args:
        cluster: The cluster.
        prefix: The prefix of their names.
        tag: A tag of them; with a prefix, both must match.
        concurrency: Maximum number of concurrent requests.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    found = sorted(select_jobs(cluster, prefix, tag), key=lambda job: job.name)
    return results_of(cluster, found, concurrency=concurrency)


def results_of(
    cluster: Cluster, jobs: Iterable[JobSummary], *, concurrency: int = 8
) -> list[Result]:
    """Return one row for each job, in the same order.

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
        # The list has the platform's code only; 0 is the user's, too.
        exit_code=remote.exit_code() if job.app_exit_code else job.app_exit_code,
        parameters=parameters if isinstance(parameters, dict) else {},
        submitted=job.submission_time,
        seconds=(ended - began).total_seconds() if began and ended else None,
        retries=job.retries,
        tags=tuple(job.tags),
    )


@dataclass(frozen=True)
class FileMetric:
    """A value in a JSON file of a job's outputs; of a file with an object per line, in the last.

    Attributes:
        file: The file's path in the job's output folder.
        name: The value's key, or a path of keys and indices such as ``epochs.-1.acc``.
    """

    file: str
    name: str

    @classmethod
    def parse(cls, text: str) -> FileMetric:
        """Read ``FILE:KEY``.

        Raises:
            OpenPaiError: The text has another format.
        """
        file, _, key = text.rpartition(":")
        if not file or not key:
            raise OpenPaiError(f"Invalid metric '{text}'.", "Write FILE:KEY.")
        return cls(file, key)

    def read(self, job: RemoteJob) -> Any:
        """Return the value; ``None`` if the job has no such output.

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
    """The last match of a pattern in a job's logs.

    Attributes:
        name: The metric's name.
        pattern: A regular expression; its first group, if any, is the value.
    """

    name: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> LogMetric:
        """Read ``NAME=PATTERN``.

        Raises:
            OpenPaiError: The text has another format, or the regular expression is invalid.
        """
        name, _, pattern = text.partition("=")
        if not name or not pattern:
            raise OpenPaiError(f"Invalid metric '{text}'.", "Write NAME=PATTERN.")
        try:
            return cls(name, re.compile(pattern))
        except re.error as error:
            raise OpenPaiError(f"Invalid regular expression '{pattern}': {error}.") from None

    def read(self, job: RemoteJob) -> Any:
        """Return the last match in the logs of the job's tasks; ``None`` without one.

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
    """Return the value of a JSON file, or of its last line."""
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
    """Return the value at a key or a path of keys and indices."""
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
