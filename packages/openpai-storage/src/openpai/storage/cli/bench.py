"""``opai storage bench``: what a storage can do from here."""

from __future__ import annotations

import os
import posixpath
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import click

from openpai.core.cli import current_app, format_option
from openpai.core.errors import OpenPaiError
from openpai.storage.cli._options import command, resolve, storage_option

if TYPE_CHECKING:
    from openpai.core.storage import Storage

__all__ = ["bench"]

_COLUMNS = [
    ("WHAT", "what"),
    ("SECONDS", "seconds"),
    ("MIB/S", "mibPerSecond"),
    ("FILES/S", "filesPerSecond"),
]


@command(
    "bench",
    examples="""
    opai storage bench team-nfs
    opai storage bench hdfs-main:/tmp --size 1024 --files 2000
    """,
)
@click.argument("place", metavar="NAME[:/PATH]")
@click.option(
    "--size",
    type=click.IntRange(1),
    default=128,
    show_default=True,
    metavar="MIB",
    help="Size of the large file in MiB.",
)
@click.option(
    "--files",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    metavar="N",
    help="Number of small files (20 KB each).",
)
@storage_option
@format_option
@click.pass_context
def bench(
    context: click.Context,
    /,
    *,
    place: str,
    size: int,
    files: int,
    alias: str | None,
    name: str | None,
    format_: str,
) -> None:
    """Benchmark a storage with one large and many small files.

    It writes into a new folder below PATH (by default at the top), and deletes that at the end.
    """
    import tempfile

    app = current_app(context)
    storage, root = resolve(app, alias, name, place if ":" in place else f"{place}:/")
    folder = posixpath.join(root, f"opai-bench-{os.urandom(4).hex()}")
    with storage, tempfile.TemporaryDirectory() as here:
        try:
            rows = _measure(storage, folder, Path(here), size << 20, files)
            app.emit(rows, columns=_COLUMNS, format=format_)
        finally:
            with suppress(OSError, OpenPaiError):
                storage.delete(folder, recursive=True)


def _measure(
    storage: Storage, folder: str, here: Path, size: int, files: int
) -> list[dict[str, Any]]:
    from openpai.core.storage.transfer import download, upload

    _write(here / "large", size)
    (here / "small").mkdir()
    for number in range(files):
        _write(here / "small" / f"{number:06}", 20_000)
    large, small = f"{folder}/large", f"{folder}/small"
    total = 20_000 * files
    return [
        _timed("upload, one file", size, 1, lambda: upload(storage, here / "large", large)),
        _timed(
            "download, one file", size, 1, lambda: download(storage, large, here / "large-back")
        ),
        _timed(
            f"upload, {files} files", total, files, lambda: upload(storage, here / "small", small)
        ),
        _timed(f"list, {files} files", 0, files, lambda: list(storage.list(small))),
        _timed(
            f"download, {files} files",
            total,
            files,
            lambda: download(storage, small, here / "small-back"),
        ),
        _timed(f"delete, {files} files", 0, files, lambda: storage.delete(small, recursive=True)),
    ]


def _write(path: Path, size: int) -> None:
    block = os.urandom(min(size, 1 << 20))
    with path.open("wb") as stream:
        while size > 0:
            stream.write(block[:size])
            size -= len(block)


def _timed(what: str, size: int, files: int, act: Callable[[], object]) -> dict[str, Any]:
    begun = time.monotonic()
    act()
    seconds = max(time.monotonic() - begun, 1e-6)
    return {
        "what": what,
        "seconds": round(seconds, 3),
        "mibPerSecond": round(size / seconds / (1 << 20), 1) if size else None,
        "filesPerSecond": round(files / seconds, 1),
    }
