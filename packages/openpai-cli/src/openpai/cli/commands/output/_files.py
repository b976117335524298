"""Shared by the commands of ``opai output``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.storage import Entry, Storage

__all__ = [
    "RECORDS",
]


#: Where openpai-runtime keeps its own records, in the job's output folder.
RECORDS = ".openpai"


def _top(storage: Storage, folder: str) -> Iterator[Entry]:
    """Yield what the job saved; what the runtime notes for itself is not among it."""
    with suppress(FileNotFoundError):
        yield from (entry for entry in storage.list(folder) if entry.name != RECORDS)


def _files(storage: Storage, folder: str) -> Iterator[Entry]:
    """Yield the files of what the job saved."""
    records = f"{folder}/{RECORDS}"
    for entry in storage.walk(folder) if storage.exists(folder) else ():
        if not entry.is_dir and not f"{entry.path}/".startswith(f"{records}/"):
            yield entry


def _nothing(remote: RemoteJob) -> str:
    """Return why there are no outputs: not yet, or none at all."""
    detail = remote.status()
    if detail.ended:
        return f"{remote.key} {detail.state} and saved no outputs."
    return f"{remote.key} is {detail.state} and has saved no outputs yet."
