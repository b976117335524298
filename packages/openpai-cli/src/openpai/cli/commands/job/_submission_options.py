"""The options of commands that submit jobs, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, timeout_option
from openpai.core.cli import cluster_option, complete_remote_paths, format_option

if TYPE_CHECKING:
    from openpai.core.client import Extras

__all__ = [
    "JOB_FILE",
    "SubmitOptions",
    "extras_options",
    "is_random",
    "job_name",
    "parse_extras",
    "parse_submit_options",
    "submission_options",
    "update_option",
]

F = TypeVar("F", bound=Callable[..., Any])

JOB_FILE = click.Path(exists=True, path_type=Path, dir_okay=False, allow_dash=True)
LOCAL_FILE = click.Path(path_type=Path, dir_okay=False)
LOCAL_PATH = click.Path(path_type=Path)

_EXTRAS_OPTIONS = (
    click.option(
        "-w",
        "--workspace",
        metavar="[NAME:]/PATH",
        shell_complete=complete_remote_paths,
        help="Folder for code and outputs, on a storage.",
    ),
    click.option("--src", "--sources", "sources", multiple=True, type=LOCAL_PATH, help="Its code."),
    click.option("--output", "outputs", multiple=True, metavar="GLOB", help="Files to save."),
    click.option("--pip", "--pip-installs", "requirements", multiple=True, help="A package."),
)
_OPTIONS = (
    click.option(
        "-j",
        "--name",
        "--job-name",
        "name",
        help="Job name; each $ becomes random letters.  [default: generated]",
    ),
    click.option(
        "--vc", "--virtual-cluster", "virtual_cluster", help="Virtual cluster to submit to."
    ),
    *_EXTRAS_OPTIONS,
    click.option("--tag", "tags", multiple=True, help="Tag to add to the job (repeatable)."),
    click.option(
        "--dry-run", "--preview", "dry_run", is_flag=True, help="Show the job; submit nothing."
    ),
    click.option("--write", type=LOCAL_FILE, help="Also write the job to this file."),
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


UPDATE_HELP = "Set a value of the job (repeatable); KEY is a path such as a:b or a.b[0]."
update_option = click.option(
    "-u", "--update", "updates", multiple=True, metavar="KEY=VALUE", help=UPDATE_HELP
)


def submission_options(function: F) -> F:
    """The options of every command that submits a job."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def extras_options(function: F) -> F:
    """The options of what a submission adds to a job: code, outputs, packages."""
    for option in reversed(_EXTRAS_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class SubmitOptions:
    """What the user wants done with a job beyond its description; names as the options'."""

    alias: str | None
    format_: str
    dry_run: bool
    write: Path | None
    wait: bool
    follow: bool
    timeout: float | None
    tags: tuple[str, ...]
    strict: bool = True
    random_name: bool = False

    def check(self) -> None:
        """Refuse what contradicts itself.

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
    """Take the options that :class:`SubmitOptions` names out of all that a command got."""
    names = [field.name for field in fields(SubmitOptions) if field.name in options]
    wishes = SubmitOptions(**{name: options.pop(name) for name in names}, **more)
    wishes.check()
    return wishes


def parse_extras(app: CliApp, options: dict[str, Any], *, with_defaults: bool = True) -> Extras:
    """Take what a submission adds to a job out of all options; layered defaults fill the gaps."""
    from openpai.core.client import Extras

    def default(key: str) -> Any:
        return app.default(key) if with_defaults else None

    return Extras(
        sources=options.pop("sources") or [Path(path) for path in default("sources") or ()],
        outputs=options.pop("outputs"),
        requirements=options.pop("requirements") or default("pip-installs") or (),
        workspace=options.pop("workspace") or default("workspace"),
    )


def job_name(wanted: str | None) -> str | None:
    """Return the name that was asked for, each ``$`` in it replaced by ten random letters."""
    from openpai.core.protocol import random_letters

    return wanted and "".join(random_letters(10) if c == "$" else c for c in wanted)


def is_random(wanted: str | None) -> bool:
    """Whether the name that :func:`job_name` makes of this has random letters."""
    return not wanted or "$" in wanted
