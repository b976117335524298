"""Options of a transfer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from openpai.core.storage.transfer.filters import Selection

__all__ = ["Options"]

_ALL = Selection()


@dataclass(frozen=True)
class Options:
    """Options of a transfer.

    Attributes:
        overwrite: Whether to replace files that exist and differ.
        selection: What of the source is taken; all by default.
        names: Only these files and folders, as paths below the root; all by default.
        delete: Whether to delete what the target has and the source does not; what the selection
            leaves out stays.
        max_delete: Maximum number of deletions; with more nothing is deleted.
        limit_rate: Bytes per second, over all files; unlimited by default.
        retries: How often to try again what may pass.
        threads: The number of files or parts that are sent at once.
        journal: Where to store what a later run needs to resume unfinished files;
            ``~/.openpai/transfers`` by default.
    """

    overwrite: bool = False
    selection: Selection = _ALL
    names: Sequence[str] | None = None
    delete: bool = False
    max_delete: int = 1000
    limit_rate: float | None = None
    retries: int = 4
    threads: int = 32
    journal: Path | None = None
