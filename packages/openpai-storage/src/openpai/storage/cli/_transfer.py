"""Options, execution and report of the commands that copy files."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, TypeVar

import click

from openpai.core.cli import EXISTING_FILE, FORMATS, App
from openpai.core.units import format_size, parse_size
from openpai.storage.cli._output import files, write_line

if TYPE_CHECKING:
    from openpai.core.storage import Storage
    from openpai.core.storage.transfer import Copied, Deleted, Failed, Options, Transfer

__all__ = [
    "run_transfer",
    "transfer_options",
]

F = TypeVar("F", bound=Callable[..., Any])
COLUMNS = [("TARGET", "target"), ("BYTES", "size"), ("STATUS", "status"), ("ERROR", "error")]
#: Number of failures reported one by one.
MAX_FAILURES = 10_000


def read_rate(_: Any, __: Any, text: str | None) -> float | None:
    """Read bytes per second, such as ``10M``: a number with a unit K, M, G or T (powers of 1024).

    Raises:
        BadParameter: It is something else.
    """
    if text is None:
        return None
    try:
        return parse_size(text)
    except ValueError:
        raise click.BadParameter(
            f"invalid rate '{text}': write bytes per second, such as 500K or 10M"
        ) from None


_NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
_OPTIONS = (
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Include only files matching this pattern (repeatable).",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Exclude files matching this pattern (repeatable).",
    ),
    click.option("--gitignore", is_flag=True, help="Also honour .gitignore files."),
    click.option(
        "--files-from",
        type=EXISTING_FILE,
        metavar="FILE",
        help="Copy only the paths listed in FILE, one a line.",
    ),
    click.option(
        "--failed",
        type=_NEW_FILE,
        metavar="FILE",
        help="Write the paths that failed to FILE, for --files-from.",
    ),
    click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing."),
    click.option(
        "--plan",
        type=_NEW_FILE,
        metavar="FILE",
        help="Write a plan of what would be done to FILE; change nothing.",
    ),
    click.option(
        "--apply",
        type=EXISTING_FILE,
        metavar="FILE",
        help="Execute a plan written by --plan.",
    ),
    click.option(
        "--limit-rate",
        callback=read_rate,
        metavar="RATE",
        help="Maximum bytes per second, such as 500K or 10M.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0),
        default=4,
        show_default=True,
        help="Retries for transient errors.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1, 256),
        default=32,
        show_default=True,
        help="Number of parallel copies (files or parts of files).",
    ),
    click.option(
        "-o",
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        help="Output format, one row for each file (json: one line each).",
    ),
)


def transfer_options(function: F) -> F:
    """Options of every command that copies; the function gets them as ``**asked``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def options_of(asked: dict[str, Any]) -> Options:
    """Turn options of the command line into those of a transfer."""
    from openpai.core.storage.transfer import Options, Selection
    from openpai.storage.cli._file_lists import read_names

    ignore_files = [".gitignore"] * asked["gitignore"] + [".opaiignore"]
    names = asked["files_from"]
    return Options(
        overwrite=asked["overwrite"],
        selection=Selection.of(asked["include"], asked["exclude"], ignore_files),
        names=read_names(names) if names else None,
        delete=asked.get("delete", False),
        max_delete=asked.get("max_delete", 0),
        limit_rate=asked["limit_rate"],
        retries=asked["retries"],
        threads=asked["threads"],
    )


def run_transfer(
    app: App,
    doing: str,
    source: tuple[Storage, str],
    target: tuple[Storage, str],
    asked: dict[str, Any],
) -> None:
    """Copy, or show what would be copied, as the options say.

    Raises:
        TransferError: Parts of a tree could not be copied; each was named.
        OSError, OpenPaiError: The single file could not be copied, or a side not be opened.
    """
    from openpai.core.storage.transfer import Transfer
    from openpai.storage.cli._plan_read import read_plan
    from openpai.storage.cli._plan_write import show_plan, write_plan

    if sum(map(bool, (asked["dry_run"], asked["plan"], asked["apply"]))) > 1:
        raise click.UsageError("Use one of --dry-run, --plan and --apply.")
    transfer = Transfer(*source, *target, options_of(asked))
    if asked["dry_run"]:
        show_plan(app, transfer, asked["format_"])
    elif asked["plan"]:
        count = write_plan(asked["plan"], transfer, source, target)
        app.note(f"{asked['plan']} has {count} steps; do them with --apply {asked['plan']}.")
    else:
        steps = read_plan(asked["apply"], source, target) if asked["apply"] else None
        _run(app, doing, transfer, asked, steps)


def _run(
    app: App, doing: str, transfer: Transfer, asked: dict[str, Any], steps: Iterable[Any] | None
) -> None:
    from openpai.core.storage.transfer import TransferError
    from openpai.storage.cli._file_lists import write_names

    report = TransferReport(app, asked["format_"])
    is_live = steps is None and sys.stderr.isatty()  # progress is visible only then
    what = f"{doing} {files(transfer.files)}" if is_live else doing
    try:
        with app.progress(what, transfer.size if is_live else None) as advance:
            transfer.run(
                on_file=report.copied,
                on_failed=report.failed,
                on_deleted=report.deleted,
                on_bytes=advance,
                steps=steps,
                keep=False,
            )
    except TransferError as error:
        report.gave_up = error.gave_up
        raise
    except KeyboardInterrupt:
        app.note("Interrupted. Run the same command again to send only what is missing.")
        raise
    finally:
        if asked["failed"]:
            write_names(asked["failed"], report.to_do())
        report.end()


@dataclass
class TransferReport:
    """Reports each file, and a summary."""

    app: App
    format: str | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    count: int = 0
    size: int = 0
    unchanged: int = 0
    gone: int = 0
    gave_up: bool = False

    def to_do(self) -> list[str]:
        """Return the paths of what failed; the root, where the rest was not tried."""
        return [""] if self.gave_up else self.paths

    def copied(self, item: Copied) -> None:
        """Report a file that is at the target."""
        if item.unchanged:
            self.unchanged += 1
        else:
            self.count += 1
            self.size += item.size
        status = "unchanged" if item.unchanged else "copied"
        self._row(item.target, item.source, item.size, status)

    def failed(self, item: Failed) -> None:
        """Report a file that could not be copied."""
        self.paths.append(item.path)
        if not self.format and len(self.failures) < MAX_FAILURES:
            self.failures.append(f"{item.where}: {item.reason}")
        self._row(item.target, item.source, None, "failed", item.reason)

    def deleted(self, item: Deleted) -> None:
        """Report a deleted file."""
        self.gone += 1
        self._row(item.target, None, None, "deleted")

    def end(self) -> None:
        """Write the rows of the forms that are written as a whole, and the summary."""
        if self.format in ("table", "yaml"):
            self.app.emit(self.rows, columns=COLUMNS, format=self.format)
        elif not self.format:
            for line in self.failures:
                self.app.note(line)
            if len(self.paths) > MAX_FAILURES:
                self.app.note(
                    f"… and {len(self.paths) - MAX_FAILURES} more; --failed FILE lists them all."
                )
        self.app.note(
            f"{files(self.count)} copied ({format_size(self.size)})"
            + (f", {files(self.unchanged)} unchanged" if self.unchanged else "")
            + (f", {self.gone} deleted" if self.gone else "")
            + (f", {len(self.paths)} failed" if self.paths else "")
            + "."
        )

    def _row(
        self,
        target: str,
        source: str | None,
        size: int | None,
        status: str,
        error: str | None = None,
    ) -> None:
        if not self.format:
            return
        row = {"target": target, "source": source, "size": size, "status": status, "error": error}
        if self.format == "json":
            write_line(row)
        elif self.format == "name":
            click.echo(target)
        else:
            self.rows.append(row)
