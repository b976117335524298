"""``opai storage attach|detach``: storages that no cluster lists."""

from __future__ import annotations

import sys
from typing import Any

import click

from openpai.core.cli import current_app
from openpai.storage.cli._options import command

__all__ = ["attach", "detach"]


@command(
    "attach",
    examples="""
    opai storage attach hdfs-main --type hdfs --uri http://namenode:9870 --user alice
    opai storage attach scans --type nfs --mount-path /mnt/scans --read-only
    opai storage attach bucket --type s3 --uri s3://bucket --secret secret_key
    """,
)
@click.argument("name")
@click.option(
    "--type",
    "type_",
    metavar="TYPE",
    required=True,
    help="Type of the storage: hdfs, nfs, samba, sftp, …",
)
@click.option("--uri", help="Address of the storage.")
@click.option("--user", metavar="NAME", help="User name on the server.")
@click.option(
    "--mount-path", metavar="FOLDER", help="Folder where the storage is mounted on this machine."
)
@click.option("--read-only", is_flag=True, help="Forbid changes.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Further setting of this storage type (repeatable).",
)
@click.option(
    "--secret",
    "secret_keys",
    multiple=True,
    metavar="KEY",
    help="Secret setting, prompted for or read from stdin, one a line (repeatable).",
)
@click.pass_context
def attach(
    context: click.Context,
    /,
    *,
    name: str,
    type_: str,
    mount_path: str | None,
    read_only: bool,
    settings: tuple[str, ...],
    secret_keys: tuple[str, ...],
    **address: str | None,
) -> None:
    """Attach a storage that no cluster lists, under NAME.

    docs/storage.md has the keys of each type. Attaching a name again replaces what it was.
    """
    from openpai.core.config import attach_storage
    from openpai.core.entry_points import entry_points
    from openpai.core.errors import ConfigError
    from openpai.core.storage import StorageSpec

    app = current_app(context)
    offered = entry_points("openpai.storage")
    if type_ not in offered:
        raise ConfigError(
            f"Nothing installed opens storages of type '{type_}'.",
            f"Known types: {', '.join(sorted(offered))}.",
        )
    data: dict[str, Any] = {key: value for key, value in address.items() if value}
    for text in settings:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise click.UsageError(f"'--set {text}' is not KEY=VALUE.")
        data[key] = value
    secrets = {key: _ask(name, key) for key in secret_keys}
    place = attach_storage(StorageSpec(name, type_, data, read_only, mount_path), secrets)
    app.note(f"Attached {name}." + (f" Its secrets are stored in {place}." if secrets else ""))


def _ask(name: str, key: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"{key} of {name}", hide_input=True, err=True))
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise click.UsageError(f"Nothing on stdin for --secret {key}.")
    return text


@command(
    "detach",
    examples="""
    opai storage detach scans
    """,
)
@click.argument("name")
@click.pass_context
def detach(context: click.Context, /, *, name: str) -> None:
    """Detach a storage and delete its secrets; its files stay."""
    from openpai.core.config import detach_storage

    detach_storage(name)
    current_app(context).note(f"Detached {name}.")
