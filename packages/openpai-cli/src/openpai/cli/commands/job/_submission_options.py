"""Options of the commands that submit jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import timeout_option
from openpai.core.cli import LOCAL_FILE, cluster_option, format_option, spec_options
from openpai.core.protocol import JobSpec

__all__ = [
    "JOB_FILE",
    "SubmitOptions",
    "no_strict_option",
    "parse_submit_options",
    "submission_options",
    "submit_options",
    "update_option",
]

F = TypeVar("F", bound=Callable[..., Any])

JOB_FILE = click.Path(exists=True, path_type=Path, dir_okay=False, allow_dash=True)

#: Fields of :class:`JobSpec` that apply to a job that exists already, as a file or on a cluster.
_SUBMISSION_FIELDS = (
    *("name", "virtual_cluster", "workspace", "sources", "outputs", "requirements", "tags"),
)

_SUBMIT_OPTIONS = (
    click.option(
        "--dry-run",
        "--preview",
        "dry_run",
        is_flag=True,
        help="Show the job; submit nothing.",
    ),
    click.option("--write", type=LOCAL_FILE, metavar="FILE", help="Also write the job to FILE."),
    click.option(
        "--wait", is_flag=True, help="Wait until the job has ended; exit with its exit code."
    ),
    click.option(
        "-f",
        "--follow",
        is_flag=True,
        help="Print the job's log until it has ended; exit with its exit code.",
    ),
    timeout_option,
    cluster_option,
    format_option,
)

update_option = click.option(
    "-u",
    "--update",
    "updates",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a value of the job (repeatable); KEY is a path such as a:b or a.b[0].",
)

no_strict_option = click.option(
    "--no-strict", is_flag=True, help="Report only what the server would reject."
)


def submit_options(function: F) -> F:
    """Add the options for what is done with the job: :class:`SubmitOptions`."""
    for option in reversed(_SUBMIT_OPTIONS):
        function = option(function)
    return function


def submission_options(function: F) -> F:
    """Add the options of commands that submit a job that exists already."""
    return spec_options(JobSpec, *_SUBMISSION_FIELDS)(submit_options(function))


@dataclass(frozen=True)
class SubmitOptions:
    """Options of a submission besides the job's description.

    Attributes:
        strict: How the job is validated.
        random_name: Whether no other job can have the job's name.
    """

    alias: str | None
    format_: str
    dry_run: bool
    write: Path | None
    wait: bool
    follow: bool
    timeout: float | None
    strict: bool = True
    random_name: bool = False

    def check(self) -> None:
        """Reject contradictory options.

        Raises:
            UsageError: ``--follow`` with a machine format, or ``--timeout`` without waiting.
        """
        if self.follow and self.format_ != "table":
            raise UsageError(
                f"--follow writes the log to stdout, so it cannot write {self.format_} there.",
                "Use --wait instead of --follow.",
            )
        if self.timeout is not None and not self.wait:
            raise UsageError("--timeout limits --wait, which is not given.", "Add --wait.")


def parse_submit_options(options: dict[str, Any], **more: Any) -> SubmitOptions:
    """Move the fields of :class:`SubmitOptions` out of the options of a command."""
    names = [field.name for field in fields(SubmitOptions) if field.name in options]
    result = SubmitOptions(**{name: options.pop(name) for name in names}, **more)
    result.check()
    return result
