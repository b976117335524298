"""Follow a job: exit codes, how it ended, and what ends the following early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from openpai.cli.exceptions import ConnectionLost, FollowInterrupted, FollowTimeout
from openpai.core.errors import OpenPaiError, WaitTimeout
from openpai.core.units import format_duration

if TYPE_CHECKING:
    from openpai.cli.ui import Console
    from openpai.core.client import RemoteJob
    from openpai.core.rest import JobDetail

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_LOST",
    "EXIT_TIMEOUT",
    "end_sentence",
    "exit_code_of",
    "following",
    "following_job",
    "next_command_lines",
    "next_commands",
    "running_time",
]

EXIT_TIMEOUT = 124
EXIT_LOST = 125
EXIT_INTERRUPTED = 130
EXIT_STOPPED = 143


@contextmanager
def following(
    name: str, status_command: str, running: str, next_commands: Callable[[], Iterable[str]]
) -> Iterator[None]:
    """Translate what ends the block before the job does.

    Args:
        name: What is followed.
        status_command: The command that shows its state.
        running: What is still running after Ctrl-C, as the end of a sentence.
        next_commands: Called for the next commands after Ctrl-C.

    Raises:
        FollowInterrupted: The user pressed Ctrl-C.
        FollowTimeout: The time to wait is over.
        ConnectionLost: The cluster does not answer any more.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise FollowInterrupted(f"Stopped following; {running}.", next_commands()) from None
    except WaitTimeout as error:
        raise FollowTimeout(error.message, error.hint) from None
    except OpenPaiError as error:
        raise ConnectionLost(
            f"connection lost while following {name}: {error.message}",
            f"Its state is unknown. See: {status_command}",
        ) from None


@contextmanager
def following_job(console: Console, job: RemoteJob) -> Iterator[None]:
    """Guard the block that follows a job; see :func:`following`."""
    with following(
        job.key,
        f"opai job status {job.key}",
        f"job {job.key} is still running",
        lambda: next_commands(console, job),
    ):
        yield


def next_commands(console: Console, job: RemoteJob) -> Iterator[str]:
    """Yield the next commands for a job."""
    commands = {"follow": "job logs -f", "status": "job status", "stop": "job stop"}
    return next_command_lines(console, commands, job.cluster.alias, job.key)


def next_command_lines(
    console: Console, commands: dict[str, str], alias: str, name: str
) -> Iterator[str]:
    """Yield a line for each command: what it does, and the command line.

    Args:
        console: Paints what it does.
        commands: What it does → the command without ``opai``.
        alias: The cluster's alias, or an empty text.
        name: The job or sweep.
    """
    target = f"-a {alias} {name}" if alias else name
    for label, command in commands.items():
        yield f"  {console.paint(f'{label:<7}', 'dim')} opai {command} {target}"


def running_time(launched: datetime | None, completed: datetime | None) -> timedelta | None:
    """Return how long something ran, or has been running."""
    if launched is None:
        return None
    return max((completed or datetime.now(timezone.utc)) - launched, timedelta(0))


def exit_code_of(detail: JobDetail) -> int:
    """Return the exit code for a command that followed this job to its end.

    0 for SUCCEEDED, 143 for STOPPED, else the user's own code; codes that no process can have,
    such as the platform's negative ones, become 1.
    """
    if detail.state == "SUCCEEDED":
        return 0
    if detail.state == "STOPPED":
        return EXIT_STOPPED
    code = detail.exit_code
    return code if code is not None and 0 < code < 256 else 1


def end_sentence(detail: JobDetail) -> str:
    """Return a sentence: ``alice~train FAILED with exit code 3 after 2m 5s.``."""
    span = running_time(detail.launched_time, detail.completed_time)
    after = " before it started"
    if span is not None:
        after = f" after {format_duration(span.total_seconds())}"
    code = f" with exit code {detail.exit_code}" if detail.state == "FAILED" else ""
    return f"{detail.key} {detail.state}{code}{after}."
