"""``opai local up|down|status|logs|prune``: the cluster on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openpai.cli.commands.local._registration import ALIAS, _is_selected, _own_entry, _register
from openpai.cli.commands.local.status import COLUMNS, _row
from openpai.cli.framework import CliApp, command, format_option, mebibytes, pass_app
from openpai.core.local import ENGINES


@command(
    "up",
    examples="""
    opai local up
    opai local up --gpus 2 --mem 16g
    opai local up --engine podman
    opai local up --storage team=/data/team
    """,
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Its port.")
@click.option("--cpus", type=click.IntRange(min=1), metavar="N", help="CPUs to give to tasks.")
@click.option("--gpus", type=click.IntRange(min=0), metavar="N", help="GPUs, pretended if need be.")
@click.option("--mem", "memory_mb", type=mebibytes, metavar="SIZE", help="Memory, such as 16g.")
@click.option(
    "--engine",
    type=click.Choice(list(ENGINES)),
    help="What runs the commands of jobs: processes of this machine, or containers.",
)
@click.option(
    "--storage",
    "storages",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A storage beside 'local-storage': a folder of this machine.",
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
    """Start a cluster on this machine.

    It becomes the cluster 'local', listens on this machine only, and runs jobs as processes of
    yours, without their images, unless a container engine is named. Jobs and logs are kept when it
    goes down. Without options it has the CPUs, memory and GPUs of this machine.
    """
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
        app.note(f"Use it with -a {ALIAS}, or for everything: opai cluster select {ALIAS}")


def _storage(text: str) -> tuple[str, str]:
    """Split ``NAME=FOLDER``; a relative folder is one of the current folder."""
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise click.BadParameter(f"'{text}' is not NAME=FOLDER.", param_hint="'--storage'")
    return name, str(Path(folder).expanduser().absolute())
