"""How following a job may end before the job does, each with an exit code of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from openpai.cli.exceptions import Left, LostSightError, WaitOverError
from openpai.core.errors import OpenPaiError, WaitTimeout
from openpai.core.units import format_duration

if TYPE_CHECKING:
    from openpai.cli.framework.app import CliApp
    from openpai.core.client import RemoteJob
    from openpai.core.rest import JobDetail

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_LOST",
    "EXIT_STOPPED",
    "EXIT_TIMEOUT",
    "exit_code_of",
    "followed",
    "how_it_ended",
    "in_sight",
]

EXIT_TIMEOUT = 124
EXIT_LOST = 125
EXIT_INTERRUPTED = 130


@contextmanager
def followed(
    name: str, look: str, left: str, ways_back: Callable[[], Iterable[str]]
) -> Iterator[None]:
    """Guard the block that follows something: what ends it early is not the end of that.

    Ctrl-C lets it go on and says how to come back; a connection that stays broken ends the command
    with 125, since nobody knows how it does.

    Args:
        name: What is followed.
        look: The command that looks at it.
        left: What to say when the user leaves.
        ways_back: Called for the next commands then.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Left(left, ways_back()) from None
    except WaitTimeout as error:
        raise WaitOverError(error.message, error.hint) from None
    except OpenPaiError as error:
        raise LostSightError(
            f"lost sight of {name}: {error.message}",
            f"Whether it goes on is not known. Look: {look}",
        ) from None


EXIT_STOPPED = 143


def running_time(launched: datetime | None, completed: datetime | None) -> timedelta | None:
    """Return how long something ran, or has been running."""
    if launched is None:
        return None
    return max((completed or datetime.now(timezone.utc)) - launched, timedelta(0))


def exit_code_of(detail: JobDetail) -> int:
    """Return the exit code for a command that followed this job to its end.

    0 for SUCCEEDED, 143 for STOPPED, else the user's own code; codes that no process can have,
    as the platform's negative ones, become 1.
    """
    if detail.state == "SUCCEEDED":
        return 0
    if detail.state == "STOPPED":
        return EXIT_STOPPED
    code = detail.exit_code
    return code if code is not None and 0 < code < 256 else 1


def how_it_ended(detail: JobDetail) -> str:
    """Return a sentence: ``alice~train FAILED with exit code 3 after 2m 5s.``."""
    span = running_time(detail.launched_time, detail.completed_time)
    after = " before it began"
    if span is not None:
        after = f" after {format_duration(span.total_seconds())}"
    code = f" with exit code {detail.exit_code}" if detail.state == "FAILED" else ""
    return f"{detail.key} {detail.state}{code}{after}."


@contextmanager
def in_sight(app: CliApp, job: RemoteJob) -> Iterator[None]:
    """Guard the block that follows a job; see :func:`~openpai.cli.framework.follow.followed`."""
    left, look = f"You left; {job.key} goes on.", f"opai job status {job.key}"
    with followed(job.key, look, left, lambda: ways_back(app, job)):
        yield


def ways_back(app: CliApp, job: RemoteJob) -> Iterator[str]:
    """Yield the next commands for a job."""
    which = f"-a {job.cluster.alias} {job.key}" if job.cluster.alias else job.key
    for what, words in (("follow", "logs -f"), ("status", "status"), ("stop", "stop")):
        yield f"  {app.console.paint(f'{what:<7}', 'dim')} opai job {words} {which}"
