"""``opai local up|down|status|logs|prune``: the cluster on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openpai.cli.commands.local._registration import ALIAS, _is_selected, _own_entry, _register
from openpai.cli.commands.local.status import COLUMNS, _row
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import format_option, mebibytes
from openpai.core.local import ENGINES


@command(
    "up",
    help="""
    It becomes the cluster 'local' and listens on this machine only. Jobs run as your processes,
    without their images, unless --engine names a container engine. Jobs and logs are kept when
    it goes down. By default it offers the CPUs, memory and GPUs of this machine.
    """,
    examples="""
    opai local up
    opai local up --gpus 2 --mem 16g
    opai local up --engine podman
    opai local up --storage team=/data/team
    """,
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port to listen on.  [default: a free one]",
)
@click.option(
    "--cpus",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of CPUs for tasks.  [default: all]",
)
@click.option(
    "--gpus",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of GPUs; simulated if the machine has fewer.",
)
@click.option(
    "--mem",
    "memory_mb",
    type=mebibytes,
    metavar="SIZE",
    help="Memory for tasks, such as 16g.  [default: all]",
)
@click.option(
    "--engine",
    type=click.Choice(list(ENGINES)),
    help="Run jobs as processes or in containers.  [default: process]",
)
@click.option(
    "--storage",
    "storages",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Folder to offer as a further storage (repeatable).",
)
@format_option
@pass_app
def up(
    app: CliApp,
    /,
    *,
    port: int,
    storages: tuple[str, ...],
    format_: str,
    **given: int | str | None,
) -> None:
    from openpai.core.local import daemon

    settings = _own_entry()
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if storages:
        options["storages"] = dict(_storage(text) for text in storages)
    running = daemon.up(port=port, **options)
    _register(running, settings)
    app.emit(_row(running), columns=COLUMNS, format="name" if format_ == "table" else format_)
    if options.get("engine", "process") == "process":
        app.note("The local cluster is up. Jobs run on this machine; their images are not used.")
    else:
        app.note(f"The local cluster is up. Jobs run in containers of {options['engine']}.")
    if _is_selected():
        app.note("Try it: opai job sub --image python:3.11 --follow echo hello")
    else:
        app.note(f"Use it with -a {ALIAS}, or make it the default: opai cluster select {ALIAS}")


def _storage(text: str) -> tuple[str, str]:
    """Split ``NAME=FOLDER``; a relative folder is one of the current folder."""
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise click.BadParameter(f"'{text}' is not NAME=FOLDER.", param_hint="'--storage'")
    return name, str(Path(folder).expanduser().absolute())
