"""``opai local up|down|status|logs|prune``: the cluster on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import format_option, mebibytes
from openpai.core.local.executor import engines

if TYPE_CHECKING:
    from openpai.core.local.daemon import Running

ALIAS = "local"
ENGINES = tuple(engines.ENGINES)
COLUMNS = [
    ("URI", "uri"),
    ("User", "user"),
    ("Process", "pid"),
    ("Jobs going on", "activeJobs"),
    ("Engine", "engine"),
    ("State folder", "folder"),
]


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
    type=click.Choice(ENGINES),
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
    if options.get("engine", ENGINES[0]) == ENGINES[0]:
        app.note("The local cluster is up. Jobs run on this machine; their images are not used.")
    else:
        app.note(f"The local cluster is up. Jobs run in containers of {options['engine']}.")
    if _is_selected():
        app.note("Try it: opai job sub --image python:3.11 --follow echo hello")
    else:
        app.note(f"Use it with -a {ALIAS}, or for everything: opai cluster select {ALIAS}")


@command("down", examples="opai local down\nopai local down --stop-jobs")
@click.option("--stop-jobs", is_flag=True, help="Stop every job first.")
@pass_app
def down(app: CliApp, stop_jobs: bool) -> None:
    """Stop the cluster on this machine.

    Only the server ends: tasks that run go on, and the next 'opai local up' takes them up again.
    """
    from openpai.core.local import daemon

    stopped = daemon.down(stop_jobs=stop_jobs)
    app.note("The local cluster is down.")
    if stopped.active_jobs:
        app.note(f"{stopped.active_jobs} jobs go on; 'opai local up' takes them up again.")


@command("status", examples="opai local status || opai local up")
@format_option
@click.pass_context
@pass_app
def status(app: CliApp, context: click.Context, format_: str) -> None:
    """Show whether it runs, and where.

    The exit code is 1 where it does not.
    """
    from openpai.core.local import daemon

    running = daemon.status()
    if running is None:
        app.note("The local cluster is not up. Start it: opai local up")
        context.exit(1)
    app.emit(_row(running), columns=COLUMNS, format=format_)


@command("logs", examples="opai local logs --tail 20")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@pass_app
def logs(app: CliApp, tail: int | None) -> None:
    """Print the log of its server.

    What jobs write is in 'opai job logs'.
    """
    from collections import deque

    from openpai.core.local import daemon

    lines = daemon.logs()
    for line in lines if tail is None else deque(lines, maxlen=tail):
        app.console.data(line)


@command("prune", examples="opai local prune --older-than 7d")
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="Only what has been over for so long, such as 12h; 0s means all.",
)
@pass_app
def prune(app: CliApp, older_than: str) -> None:
    """Remove jobs that are over, with their logs and working folders.

    It prints their names, which may be used again. What runs is left alone.
    """
    from openpai.core.local.daemon import prune as remove

    try:
        removed = remove(older_than=older_than)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from None
    for name in removed:
        app.console.data(name)
    app.note(f"Removed jobs: {len(removed)}.")


def _storage(text: str) -> tuple[str, str]:
    """Split ``NAME=FOLDER``; a relative folder is one of the current folder."""
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise click.BadParameter(f"'{text}' is not NAME=FOLDER.", param_hint="'--storage'")
    return name, str(Path(folder).expanduser().absolute())


def _own_entry() -> dict[str, Any]:
    """Return what is stored of the cluster 'local'.

    Raises:
        ConfigError: The alias stands for another cluster.
    """
    from openpai.core.config.clusters import load_clusters
    from openpai.core.errors import ConfigError

    entry = load_clusters().get(ALIAS)
    if entry is None:
        return {}
    if not entry.uri.startswith("http://127.0.0.1:"):
        raise ConfigError(
            f"The alias '{ALIAS}' stands for {entry.uri}.",
            f"Add that cluster under another alias, and run: opai cluster delete {ALIAS}",
        )
    return dict(entry.settings)


def _register(running: Running, settings: dict[str, Any]) -> None:
    from openpai.core.config.clusters import ClusterEntry, save_cluster

    entry = ClusterEntry(ALIAS, running.uri, running.user, token=running.token, settings=settings)
    save_cluster(entry)


def _is_selected() -> bool:
    from openpai.core.config.clusters import find_cluster
    from openpai.core.errors import ConfigError

    try:
        return find_cluster().alias == ALIAS
    except ConfigError:
        return False


def _row(running: Running) -> dict[str, Any]:
    return {
        "uri": running.uri,
        "user": running.user,
        "pid": running.pid,
        "activeJobs": running.active_jobs,
        "engine": running.engine,
        "folder": str(running.folder),
    }
