"""The command ``opai storage check``."""

from __future__ import annotations

import click

from openpai.core.cli import current_app, format_option
from openpai.core.errors import StorageError
from openpai.storage.cli._options import command, is_remote, resolve_either, storage_option
from openpai.storage.cli._output import files

__all__ = [
    "check",
]


@command(
    "check",
    examples="""
    opai storage check data team-nfs:/data
    opai storage check team-nfs:/data hdfs-main:/data -o json
    """,
)
@click.argument("first")
@click.argument("second")
@click.option("--fast", is_flag=True, help="Compare sizes and times instead of contents.")
@storage_option
@format_option
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    first: str,
    second: str,
    fast: bool,
    alias: str | None,
    name: str | None,
    format_: str,
) -> None:
    """Compare two files or folders; exit with 1 if they differ.

    Contents are compared by checksums where both sides have the same kind or one of them is this
    machine, and read from both sides where not. Paths are as for sync.
    """
    from openpai.storage.cli._compare import differences

    app = current_app(context)
    ours, theirs = (resolve_either(app, alias, name, text) for text in (first, second))
    columns = [("PATH", "path"), ("DIFFERENCE", "difference"), ("ERROR", "error")]
    with ours[0], theirs[0]:
        found = differences(ours, theirs, fast=fast)
        app.emit(found, columns=columns, format=format_)
        if found.count:
            raise StorageError(
                f"{found.count} of {found.total} differ.",
                f"Make them the same with: opai storage sync {first} {second}"
                if is_remote(first) or is_remote(second)
                else "",
            )
        app.note(f"{files(found.total)} compared: the same on both sides.")
