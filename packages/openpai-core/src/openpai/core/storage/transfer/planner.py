"""Plan a transfer: compare the listings of source and target, folder by folder.

Nothing is held but the folders on the way to where the walk is, so trees may be of any size.
"""

from __future__ import annotations

import errno
import posixpath
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable, Iterator, NamedTuple, Union

from openpai.core.errors import OpenPaiError, RefusedNamesError
from openpai.core.retry import RetryPolicy
from openpai.core.storage.base import Entry, Storage
from openpai.core.storage.paths import normalize
from openpai.core.storage.temp_files import is_partial
from openpai.core.storage.transfer.filters import Selection
from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.results import Failed

__all__ = ["Planner", "Step", "same_time"]

ALIKE = "Another name beside it differs in case only, and the target takes both for the same"

#: A file that was changed so few seconds ago may change again within the same tick of the clock.
JUST_NOW = timedelta(seconds=2)


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        action: ``copy``, ``replace`` (if that was asked for), ``compare`` (the size is the same,
            the time is not), ``unchanged``, ``mkdir`` or ``delete``.
        path: Path below the root; ``""`` for the root itself.
        source: What is to be copied; for ``delete``, what is to be deleted.
        found: What the target has under the name; ``None`` if nothing.
    """

    action: str
    path: str
    source: Entry
    found: Entry | None = None


Planned = Union[Step, Failed]


class _Folder(NamedTuple):
    path: str
    source: Entry | None
    found: Entry | None
    selection: Selection


class Planner:
    """Walks source and target.

    Args:
        source: The storage to read.
        root: The file or folder in it.
        target: The storage to write.
        target_root: The name it gets there.
        options: What is taken, and whether the target's surplus is deleted.
        on_partial: Called with each partial file of the target.
        looks: Whether to look at the target; else it is taken to be empty.
    """

    def __init__(
        self,
        source: Storage,
        root: Entry,
        target: Storage,
        target_root: str,
        options: Options,
        *,
        on_partial: Callable[[Entry], None],
        looks: bool = True,
    ) -> None:
        self._source = source
        self._root = root
        self._target = target
        self._target_root = normalize(target_root)
        self._options = options
        self._on_partial = on_partial
        self._looks = looks
        self._retry = RetryPolicy(options.retries)

    def place(self, path: str) -> str:
        """Return where something goes: the path in the target of a path below the root."""
        return posixpath.join(self._target_root, path) if path else self._target_root

    def source_place(self, path: str) -> str:
        """Return the path in the source of a path below the root."""
        return posixpath.join(self._root.path, path) if path else self._root.path

    def failure(self, path: str, error: Exception) -> Failed:
        """Report a path below the root that could not be copied."""
        where = self._source.where(self.source_place(path)), self._target.where(self.place(path))
        return Failed(*where, error, path)

    def _in_the_way(self, path: str, number: int, reason: str) -> Failed:
        return self.failure(path, OSError(number, reason, self._target.where(self.place(path))))

    def steps(self) -> Iterator[Planned]:
        """Yield what is to be done, each folder before what it holds.

        Raises:
            OSError, OpenPaiError: The target cannot be looked at.
        """
        if self._options.names is None:
            yield from self._tree("", self._root, self._found(self._target_root))
            return
        for name in self._options.names:
            try:
                path = normalize(name)[1:]
                entry = self._source.stat(self.source_place(path))
                found = self._found(self.place(path))
            except (OSError, OpenPaiError) as error:
                yield Failed(name, name, error, name)
            else:
                yield from self._tree(path, entry, found)

    def sources(self) -> Iterator[Entry]:
        """Yield the files of the source that are taken; what cannot be looked at is left out."""
        return (
            step.source
            for step in self.steps()
            if isinstance(step, Step) and step.action not in ("mkdir", "delete")
        )

    def _found(self, path: str) -> Entry | None:
        if not self._looks:
            return None
        try:
            return self._retry.call(lambda: self._target.stat(path))
        except FileNotFoundError:
            return None

    def _tree(self, path: str, entry: Entry, found: Entry | None) -> Iterator[Planned]:
        if not entry.is_dir:
            yield self._file(path, entry, found)
            return
        stack = [self._folder(_Folder(path, entry, found, self._options.selection))]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
            elif isinstance(item, _Folder):
                stack.append(self._folder(item))
            else:
                yield item

    def _folder(self, folder: _Folder) -> Iterator[Planned | _Folder]:
        if folder.source is None:
            yield from self._surplus(folder)
            return
        if folder.found and not folder.found.is_dir:
            yield self._in_the_way(folder.path, errno.ENOTDIR, "A file is where a folder must be")
            return
        empty = True
        try:
            for planned in self._inside(folder, folder.source):
                empty = empty and getattr(planned, "source", None) is None
                yield planned
        except (OSError, OpenPaiError) as error:
            yield self.failure(folder.path, error)
        else:
            if empty and not folder.found and not folder.selection.include:
                yield Step("mkdir", folder.path, folder.source)

    def _inside(self, folder: _Folder, source: Entry) -> Iterator[Planned | _Folder]:
        """Yield what is to be done with what is directly in a folder of the source."""
        below = f"{folder.path}/" if folder.path else ""
        selection = folder.selection.below(folder.path, source, self._source)
        taken = _Names(self._target.case_sensitive)
        refused: list[RefusedNamesError] = []
        for ours, theirs in self._side_by_side(source, folder.found, refused):
            name = ours.name if ours else theirs.name if theirs else ""
            is_dir = (ours or theirs or source).is_dir
            path = below + name
            if is_partial(name):
                if theirs:
                    self._on_partial(theirs)
            elif not selection.takes(path, is_dir=is_dir):
                continue
            elif ours is None:
                if self._options.delete:
                    yield _Folder(path, None, theirs, selection)
            elif taken.has(name):
                yield self._in_the_way(path, errno.EEXIST, ALIKE)
            else:
                yield (
                    _Folder(path, ours, theirs, selection)
                    if is_dir
                    else self._file(path, ours, theirs)
                )
        for error in refused:
            yield self.failure(folder.path, error)

    def _surplus(self, folder: _Folder) -> Iterator[Planned | _Folder]:
        """Yield what is to be deleted, each folder after what it holds."""
        entry = folder.found
        assert entry
        kept = False
        if entry.is_dir:
            try:
                for item in self._target.list(entry.path):
                    path = f"{folder.path}/{item.name}"
                    if is_partial(item.name) or not folder.selection.takes(
                        path, is_dir=item.is_dir
                    ):
                        kept = True
                    else:
                        yield _Folder(path, None, item, folder.selection)
            except (OSError, OpenPaiError) as error:
                yield self.failure(folder.path, error)
                return
        if not (kept or (entry.is_dir and folder.selection.include)):
            yield Step("delete", folder.path, entry)

    def _side_by_side(
        self, source: Entry, found: Entry | None, refused: list[RefusedNamesError]
    ) -> Iterator[tuple[Entry | None, Entry | None]]:
        """Yield the entries of two folders by name, those of the same name together.

        Names that were refused are added to ``refused``; those of the target only where what it
        has beside the source matters.
        """
        theirs_refused = refused if self._options.delete else []
        left = self._named(self._source, source.path, refused)
        right = self._named(self._target, found.path, theirs_refused) if found else iter(())
        ours, theirs = next(left, None), next(right, None)
        while ours or theirs:
            if theirs is None or (ours and ours[0] < theirs[0]):
                yield (ours or _NOBODY)[1], None
                ours = next(left, None)
            elif ours is None or theirs[0] < ours[0]:
                yield None, theirs[1]
                theirs = next(right, None)
            else:
                yield ours[1], theirs[1]
                ours, theirs = next(left, None), next(right, None)

    def _named(
        self, storage: Storage, path: str, refused: list[RefusedNamesError]
    ) -> Iterator[tuple[str, Entry]]:
        """Yield the entries of a folder with their names; continue after transient errors.

        An order that is not by name would make wrong pairs.
        """
        last, tries = "", 0
        while True:
            passed, before = last, ""
            try:
                for entry in storage.list(path):
                    name = entry.name
                    if name <= before:
                        raise OSError(
                            errno.EINVAL, f"The folder is not listed in order at {name!r}"
                        )
                    before = name
                    if name > passed:
                        last = name
                        yield name, entry
            except RefusedNamesError as error:
                refused.append(error)
                return
            except (OSError, OpenPaiError) as error:
                tries += 1
                if not self._retry.after(error, tries):
                    raise
            else:
                return

    def _file(self, path: str, entry: Entry, found: Entry | None) -> Planned:
        if entry.problem:
            where = self._source.where(entry.path)
            return self.failure(path, OSError(errno.EINVAL, entry.problem, where))
        if found is None:
            return Step("copy", path, entry)
        if found.is_dir:
            return self._in_the_way(path, errno.EISDIR, "A folder is where a file must be")
        if found.size != entry.size:
            return Step("replace", path, entry, found)
        same = self._target.keeps_times and same_time(entry, found)
        if not same or _just_now(entry):
            return Step("compare", path, entry, found)
        return Step("unchanged", path, entry, found)


class _Names:
    """The names of a folder, where they must differ by more than case."""

    def __init__(self, case_sensitive: bool) -> None:
        self._known: set[str] | None = None if case_sensitive else set()

    def has(self, name: str) -> bool:
        """Whether a name was there before; it is from now on."""
        if self._known is None:
            return False
        folded, before = name.casefold(), len(self._known)
        self._known.add(folded)
        return len(self._known) == before


_NOBODY = ("", None)


def _just_now(entry: Entry) -> bool:
    return bool(entry.modified) and datetime.now(timezone.utc) - entry.modified < JUST_NOW  # type: ignore[operator]


def same_time(a: Entry, b: Entry) -> bool:
    """Whether two files were last changed at the same time, as finely as both keep it.

    The finest that most storages keep is the millisecond; SFTP keeps whole seconds.
    """
    if a.modified is None or b.modified is None:
        return False
    whole = not (a.modified.microsecond and b.modified.microsecond)
    return abs(a.modified - b.modified) < timedelta(seconds=1 if whole else 0.001)
