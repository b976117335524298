"""Copy files and trees between storages, or between a storage and this machine.

Every file appears under its name only when it is whole; its size and, where the storage has one,
its checksum are compared after writing; a source that changes while it is read is read again, or
an error, never a mixture. Several files and several parts of a large file are sent at once. What
may pass is tried again. In a tree one file's failure does not stop the rest. Running the same copy
again sends only what is missing, also of a large file.

What is kept: contents, empty folders, and, where the target can, the permission bits and times of
files. Links are followed while they lead to something inside the tree.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Callable, Iterable, Iterator

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.retry import RetryPolicy
from openpai.core.storage.base import Entry, Storage
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.temp_files import is_abandoned
from openpai.core.storage.transfer.executor import IN_ONE_GO, Run
from openpai.core.storage.transfer.filters import Selection
from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.planner import Planned, Planner, Step
from openpai.core.storage.transfer.results import Copied, Deleted, Failed, Outcomes, TransferError

__all__ = [
    "Copied",
    "Deleted",
    "Failed",
    "Options",
    "Progress",
    "Selection",
    "Step",
    "Transfer",
    "TransferError",
    "download",
    "local_place",
    "upload",
]

#: Called with the number of bytes that were just dealt with; negative, where they count no more.
Progress = Callable[[int], None]


class Transfer:
    """A copy of a file or a tree.

    Args:
        source: The storage to read.
        path: A file or a folder in it.
        target: The storage to write.
        target_path: The name that the file or folder gets there; a folder is merged into an
            existing one.
        options: How it shall go.

    Raises:
        FileNotFoundError: The source does not exist.
    """

    def __init__(
        self,
        source: Storage,
        path: str,
        target: Storage,
        target_path: str,
        options: Options = Options(),  # noqa: B008 - it cannot change
    ) -> None:
        self._source = source
        self._target = target
        self._target_path = target_path
        self.options = options
        self._root = RetryPolicy(options.retries).call(lambda: source.stat(path))

    @property
    def files(self) -> int:
        """The number of files found in the source, which is walked for it once."""
        return self._found[0]

    @property
    def size(self) -> int:
        """Bytes of these files."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[int, int]:
        files = size = 0
        for entry in self._planner(self.options, looks=False).sources():
            files += 1
            size += entry.size
        return files, size

    def plan(self) -> Iterator[Planned]:
        """Yield what :meth:`run` would do, as far as listings show it; nothing is written.

        Raises:
            OSError, OpenPaiError: The target cannot be looked at.
        """
        return self._planner(self.options).steps()

    def run(
        self,
        *,
        overwrite: bool | None = None,
        on_file: Callable[[Copied], None] | None = None,
        on_failed: Callable[[Failed], None] | None = None,
        on_deleted: Callable[[Deleted], None] | None = None,
        on_bytes: Progress | None = None,
        steps: Iterable[Planned] | None = None,
        keep: bool = True,
    ) -> list[Copied]:
        """Copy everything. The functions are called one at a time, from several threads.

        Args:
            overwrite: Whether to replace files that exist and differ; as the options say by
                default.
            on_file: Called after each file.
            on_failed: Called for what could not be copied.
            on_deleted: Called for what was deleted.
            on_bytes: Called with each number of bytes copied or found to be there already.
            steps: What to do, such as what :meth:`plan` said; by default everything.
            keep: Whether to return the files; a million of them take much memory.

        Returns:
            The files, in the order of the walk; none if they are not kept.

        Raises:
            TransferError: Parts of a tree could not be copied; the rest was.
            FileExistsError: The single file exists, differs, and ``overwrite`` is false.
            StorageError: The single file changed while it was read, or did not arrive whole; or
                more would be deleted than may be.
            OSError: The single file could not be read or written.
        """
        options = self.options
        if overwrite is not None:
            options = replace(options, overwrite=overwrite)
        outcomes = Outcomes(on_file, on_failed, keep=keep)
        planner = self._planner(options)
        run = Run(
            self._source,
            self._target,
            planner,
            options,
            report=outcomes.report,
            on_bytes=on_bytes or _ignore,
        )
        todo = planner.steps() if steps is None else steps
        if not self._root.is_dir and self._root.size <= IN_ONE_GO:
            for step in todo:
                run.do_one(step)
        else:
            surplus = run.do(todo)
            if surplus and not outcomes.failed:
                _check_surplus(surplus, options)
                run.delete(surplus, on_deleted or _ignore)
        return outcomes.result(of_tree=self._root.is_dir, gave_up=run.gave_up)

    def _planner(self, options: Options, *, looks: bool = True) -> Planner:
        return Planner(
            self._source,
            self._root,
            self._target,
            self._target_path,
            options,
            on_partial=self._tidy,
            looks=looks,
        )

    def _tidy(self, partial: Entry) -> None:
        """Remove a partial file, or a folder of parts, that nobody writes any more."""
        if is_abandoned(partial.name, partial.modified):
            with suppress(OSError, OpenPaiError):
                self._target.delete(partial.path, recursive=partial.is_dir)


def upload(
    storage: Storage,
    local: Path,
    remote: str,
    *,
    overwrite: bool = False,
    on_file: Callable[[Copied], None] | None = None,
    on_bytes: Progress | None = None,
    options: Options = Options(),  # noqa: B008 - it cannot change
) -> list[Copied]:
    """Copy a file or a tree of this machine to ``remote``; see :class:`Transfer`."""
    options = replace(options, overwrite=overwrite or options.overwrite)
    transfer = Transfer(*local_place(local), storage, remote, options)
    return transfer.run(on_file=on_file, on_bytes=on_bytes)


def download(
    storage: Storage,
    remote: str,
    local: Path,
    *,
    overwrite: bool = False,
    on_file: Callable[[Copied], None] | None = None,
    on_bytes: Progress | None = None,
    options: Options = Options(),  # noqa: B008 - it cannot change
) -> list[Copied]:
    """Copy a file or a tree of a storage to ``local`` on this machine; see :class:`Transfer`."""
    options = replace(options, overwrite=overwrite or options.overwrite)
    is_folder = RetryPolicy(options.retries).call(lambda: storage.stat(remote)).is_dir
    transfer = Transfer(storage, remote, *local_place(local, is_folder=is_folder), options)
    return transfer.run(on_file=on_file, on_bytes=on_bytes)


def local_place(local: Path, *, is_folder: bool = False) -> tuple[LocalStorage, str]:
    """Return a place of this machine as (storage, path): the storage ends where the tree does.

    A folder is a storage of its own, so that nothing leads out of it; anything else lies in the
    storage that is its parent folder.

    Args:
        local: The place.
        is_folder: Whether it will be a folder if it does not exist yet.
    """
    real = Path(os.path.realpath(local))
    if real.is_dir() or (is_folder and not real.exists()):
        return LocalStorage(real), "/"
    return LocalStorage(real.parent), "/" + real.name


def _check_surplus(surplus: list[Step], options: Options) -> None:
    if len(surplus) > options.max_delete:
        raise StorageError(
            f"{len(surplus)} files and folders would be deleted, more than "
            f"{options.max_delete}; none was. The copying is done.",
            "Look at them with --dry-run; allow them with --max-delete.",
        )


def _ignore(what: object) -> None:
    pass
