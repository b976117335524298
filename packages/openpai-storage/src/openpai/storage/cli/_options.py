"""Options of the storage commands, and the storage of a path on the command line."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Sequence, TypeVar

import click

from openpai.core.cli import App, Command, cluster_option, complete_remote_paths, complete_storages

if TYPE_CHECKING:
    from openpai.core.storage import Storage

__all__ = [
    "OUTPUT",
    "command",
    "complete_remote",
    "for_each_path",
    "is_directory_target",
    "is_folder",
    "is_remote",
    "resolve",
    "resolve_either",
    "storage_option",
]

#: JSON Schema of the output with ``-o json``.
OUTPUT = os.path.join(os.path.dirname(__file__), "output.schema.json")  # noqa: PTH118, PTH120

command = partial(click.command, cls=Command, output=OUTPUT)

F = TypeVar("F", bound=Callable[..., Any])


def storage_option(function: F) -> F:
    """Add ``-a`` and ``-s``."""
    named = click.option(
        "-s",
        "--storage-alias",
        "name",
        metavar="NAME",
        shell_complete=complete_storages,
        help="Storage of paths without NAME:.  [default: your default storage]",
    )
    return cluster_option(named(function))


def complete_remote(context: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a remote path."""
    return complete_remote_paths(context, param, incomplete, context.params.get("name"))


def for_each_path(app: App, paths: Sequence[str], act: Callable[[str], None]) -> None:
    """Do something with each of several paths; what fails with one does not stop the others.

    Raises:
        OSError, OpenPaiError: The only one failed.
        StorageError: Some of several failed; each was named.
    """
    from openpai.core.errors import OpenPaiError, StorageError

    failed = 0
    for path in paths:
        try:
            act(path)
        except BrokenPipeError:
            raise
        except (OSError, OpenPaiError) as error:
            if len(paths) == 1:
                raise
            failed += 1
            reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
            app.note(f"{getattr(error, 'filename', None) or path}: {reason}")
    if failed:
        raise StorageError(f"{failed} of {len(paths)} failed; the others are done.")


def resolve(app: App, alias: str | None, name: str | None, text: str) -> tuple[Storage, str]:
    """Open the storage that a path on the command line speaks of; return it and the path there.

    Args:
        app: The running ``opai``.
        alias: The cluster, or ``None`` for the selected one.
        name: What ``-s`` says, or ``None``.
        text: ``NAME:/PATH`` or ``PATH``.

    Raises:
        UsageError: The path and ``-s`` name different storages.
        StorageError: The path leaves the storage, or the storage cannot be opened.
        OpenPaiError: The cluster or its storage is not known or does not answer.
    """
    from openpai.core.config import attached_storages, with_secrets
    from openpai.core.errors import ConfigError, NotFoundError, StorageError
    from openpai.core.storage import StorageUri, open_storage
    from openpai.storage.mounted import mounted_here

    uri = StorageUri.parse(text)
    if uri.storage and name and uri.storage != name:
        raise click.UsageError(f"'{text}' is on '{uri.storage}', but -s says '{name}'.")
    chosen = uri.storage or name or _default_name()
    attached = attached_storages()
    if chosen in attached:  # reached without a cluster
        return open_storage(with_secrets(attached[chosen])), uri.path
    try:
        cluster = app.cluster(alias)
    except ConfigError as error:
        mounted = {} if alias else mounted_here()
        if chosen in mounted:
            return open_storage(mounted[chosen]), uri.path
        attached = {**attached, **mounted}
        if alias or not attached:
            raise
        known = f"known here are {', '.join(sorted(attached))}, and no cluster is chosen"
        wanted = f"No storage is called '{chosen}'" if chosen else f"'{text}' names no storage"
        raise StorageError(
            f"{wanted}: {known}.", f"Write NAME:/PATH. {error.hint}".rstrip()
        ) from None
    try:
        return cluster.storage(chosen), uri.path
    except NotFoundError as error:
        error.hint = error.hint or "See: opai storage list-storage"
        raise


def resolve_either(
    app: App, alias: str | None, name: str | None, text: str, *, is_folder: bool = False
) -> tuple[Storage, str]:
    """Open a place that may be on a storage or on this machine.

    Args:
        app: The running ``opai``.
        alias: The cluster, or ``None`` for the selected one.
        name: The storage that ``:/PATH`` is on, or ``None`` for the default one.
        text: ``NAME:/PATH``, ``:/PATH``, or a path of this machine.
        is_folder: Whether a path of this machine that does not exist yet will be a folder.

    Raises:
        StorageError, OpenPaiError: As for :func:`resolve`.
    """
    if is_remote(text):
        return resolve(app, alias, name, text)
    from pathlib import Path

    from openpai.core.storage.transfer import local_place

    return local_place(Path(text), is_folder=is_folder)


def is_remote(text: str) -> bool:
    """Whether a path is on a storage: ``NAME:/PATH`` or ``:/PATH``."""
    return ":" in text.partition("/")[0]


def _default_name() -> str | None:
    """Return what ``opai set storage-alias=…`` says, or ``None`` for the cluster's own default."""
    from openpai.core.config import load_defaults

    found: str | None = load_defaults().get("storage-alias")
    return found


def is_directory_target(target: str, source_is_folder: bool, target_is_folder: bool) -> bool:
    """Whether a target is the folder to put things in, rather than the name to give them.

    An existing folder as the target of a folder is the same folder, so that a copy that is run
    again resumes where it stopped.
    """
    nameless = target.replace(":", "/").rpartition("/")[2] in ("", ".", "..")
    return nameless or (target_is_folder and not source_is_folder)


def is_folder(storage: Storage, path: str) -> bool:
    """Whether a storage has a folder of this path."""
    try:
        return storage.stat(path).is_dir
    except (FileNotFoundError, NotADirectoryError):
        return False
