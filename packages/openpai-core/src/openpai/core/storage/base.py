"""The interface that every kind of storage meets, and the registry that opens one by type.

A storage holds files under POSIX paths that begin with ``/``. Errors about files are Python's own
(``FileNotFoundError``, ``PermissionError``, ``IsADirectoryError``, …); errors about the storage as
a whole are :class:`~openpai.core.errors.StorageError`.

Distributions offer storage types by entry points of the group ``openpai.storage``: the type as the
REST API names it (``nfs``, ``azureBlob``, ``hdfs``, …) → a function that takes a
:class:`StorageSpec` and returns a :class:`Storage`.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import (
    Any,
    BinaryIO,
    Callable,
    ContextManager,
    Iterable,
    Iterator,
    Mapping,
    TypeVar,
)

from openpai.core.entry_points import entry_points
from openpai.core.errors import RefusedNamesError, StorageError
from openpai.core.file_names import Accepted, is_file_name
from openpai.core.storage.checksums import Checksum
from openpai.core.storage.paths import StorageUri, normalize, with_path_in_errors
from openpai.core.storage.upload import Upload

__all__ = ["Entry", "Storage", "StorageSpec", "accept", "entry_of", "open_storage", "with_entry"]


S = TypeVar("S", bound="Storage")

#: Folders below each other that a walk enters: S3 has no more, and no tree of people comes near it.
DEPTH = 512


@dataclass(frozen=True)
class Entry:
    """One file or folder.

    Attributes:
        path: Absolute POSIX path inside the storage.
        is_dir: Whether it is a folder.
        size: Bytes; 0 for a folder.
        modified: When it was last changed, with a time zone; ``None`` where the storage keeps none.
        mode: Unix permission bits; ``None`` where the storage keeps none.
        problem: Why it cannot be read, if the listing shows that; its size is then 0.
        checksum: Of its content, where the answer that described it has one.
    """

    path: str
    is_dir: bool
    size: int
    modified: datetime | None = None
    mode: int | None = None
    problem: str = ""
    checksum: Checksum | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[self.path.rfind("/") + 1 :]


@dataclass(frozen=True)
class StorageSpec:
    """Description of a storage: name, type, address.

    Attributes:
        name: The name the cluster's admin gave it.
        type: The kind, as the REST API names it: ``nfs``, ``samba``, ``azureBlob``, …
        data: The address and, for some kinds, secret keys; never shown by ``repr``.
        read_only: Whether writing is refused.
        mount_path: Where it is mounted on this machine or in this container; ``None`` if unknown.
    """

    name: str
    type: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    read_only: bool = False
    mount_path: str | None = None


class Storage(ABC):
    """Files under POSIX paths. Use it as a context manager, or call :meth:`close`.

    Several threads may use one storage at once.

    Every path argument is passed through :func:`normalize`, so that no path leaves the storage.

    Attributes:
        name: The storage's name, for messages and ``NAME:/PATH``.
        read_only: Whether every change is refused.
        case_sensitive: Whether ``a`` and ``A`` are two files.
        keeps_times: Whether a file's time is the one it was given, not that of its arrival.
    """

    name: str
    read_only: bool = False
    case_sensitive: bool = True
    keeps_times: bool = True

    @abstractmethod
    def stat(self, path: str) -> Entry:
        """Describe one file or folder.

        Raises:
            FileNotFoundError: There is none.
        """

    def list(self, path: str) -> Iterator[Entry]:
        """Yield what is directly in a folder, sorted by name.

        Raises:
            FileNotFoundError: There is no such folder.
            NotADirectoryError: It is a file.
            RefusedNamesError: After everything else: there are names that are not file names.
        """
        path = normalize(path)
        if path.count("/") > DEPTH:
            raise StorageError(f"{self.where(path)} lies in more than {DEPTH} folders.")
        yield from accept(self._list(path), path, self.where)

    @abstractmethod
    def _list(self, path: str) -> Iterator[Entry]:
        """Yield what the storage lists of a folder, sorted by name; the path is normalized.

        The path of an entry is that of the folder, a slash, and the name exactly as it is listed:
        :meth:`list` refuses names that are not file names.
        """

    @abstractmethod
    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file for reading ``length`` bytes from ``offset`` (to the end without a length).

        ``read(n)`` of the stream returns ``n`` bytes unless the end comes first. Where the server's
        answer describes the whole file, :func:`entry_of` returns that description.

        Raises:
            FileNotFoundError: There is none.
            IsADirectoryError: It is a folder.
        """

    @abstractmethod
    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> ContextManager[BinaryIO]:
        """Write a file that appears under its name only when the block ends without an error.

        Missing parent folders are made. An existing file is replaced at that moment and not before;
        after an error it is as it was, and nothing half written is left under its name. Where the
        server's last answer describes the file, :func:`entry_of` returns that after the block.

        Args:
            path: The file.
            mode: Unix permission bits to give it, where the storage keeps them.
            modified: The time of its last change, where the storage lets it be set.

        Raises:
            IsADirectoryError: The path is a folder.
            NotADirectoryError: A parent is a file.
            PermissionError: The storage may not be written.
        """

    @abstractmethod
    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing folder is fine.

        Raises:
            FileExistsError: The path is a file.
            NotADirectoryError: A parent is a file.
            PermissionError: The storage may not be written.
        """

    @abstractmethod
    def rename(self, source: str, target: str) -> None:
        """Move a file or folder; a file takes the place of an existing *file* in one step.

        Missing parent folders of the target are made.

        Raises:
            FileNotFoundError: The source does not exist.
            FileExistsError: The target is a folder, or the source is one and the target exists.
            OSError: A folder would be moved into itself (``errno.EINVAL``).
            PermissionError: The storage may not be written, or the source is its root.
        """

    @abstractmethod
    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file, an empty folder, or with ``recursive`` a whole tree.

        Raises:
            FileNotFoundError: There is none.
            OSError: A folder is not empty (``errno.ENOTEMPTY``) and ``recursive`` is false.
            PermissionError: The storage may not be written, or the path is its root.
        """

    def copy(self, source: str, target: str) -> bool:  # noqa: ARG002 - for those that can
        """Give a file a second name, or a copy, without its content coming here.

        Missing parent folders of the target are made.

        Returns:
            Whether it is there now; ``False`` where the storage cannot do this.

        Raises:
            OSError: As for :meth:`open_write`.
        """
        return False

    def checksum(self, path: str) -> Checksum | None:  # noqa: ARG002 - for those that can
        """Return the checksum of a file, from what the storage holds of it.

        ``None``: the storage keeps none of this file, and could not compute one without sending
        the file here.

        Raises:
            FileNotFoundError: There is none.
            IsADirectoryError: It is a folder.
        """
        return None

    def begin_upload(
        self,
        path: str,  # noqa: ARG002 - these are for storages that can
        size: int,  # noqa: ARG002
        *,
        token: str | None = None,  # noqa: ARG002
        mode: int | None = None,  # noqa: ARG002
        modified: datetime | None = None,  # noqa: ARG002
    ) -> Upload | None:
        """Begin to write a file in parts, or resume one of another process.

        Missing parent folders are made, at the latest by :meth:`Upload.commit`.

        Args:
            path: The file.
            size: Its bytes.
            token: That of an upload of this path and size, to resume; where it is no longer
                good, a new upload begins.
            mode: As for :meth:`open_write`.
            modified: As for :meth:`open_write`.

        Returns:
            The upload; ``None`` where the storage cannot, or would win nothing at this size: the
            file is written by :meth:`open_write` then.

        Raises:
            OSError: As for :meth:`open_write`, here or by :meth:`Upload.commit`.
        """
        return None

    def where(self, path: str) -> str:
        """Name a path for people: ``NAME:/PATH``."""
        return str(StorageUri(self.name, normalize(path)))

    def exists(self, path: str) -> bool:
        """Whether a file or folder has this path."""
        try:
            self.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def walk(self, path: str) -> Iterator[Entry]:
        """Yield everything below a folder, each folder before what it holds.

        Raises:
            RefusedNamesError: After everything else: there are names that are not file names.
        """
        refused: dict[str, tuple[str, ...]] = {}
        folders = [Accepted(self.list(path))]
        while folders:
            entry = next(folders[-1], None)
            if entry is None:
                error = folders.pop().error
                refused.update(error.names if error else {})
                continue
            yield entry
            if entry.is_dir:
                folders.append(Accepted(self.list(entry.path)))
        if refused:
            raise RefusedNamesError(refused)

    @contextmanager
    def _changing(self, path: str) -> Iterator[None]:
        """Guard the block that changes something at a path: refuse it, or name its errors."""
        with with_path_in_errors(self.where(path)):
            if self.read_only:
                raise OSError(errno.EROFS, "Read-only storage")
            yield

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections; the default has none."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


#: The extra with what a type needs, where it has another name than the type.
_EXTRAS = {"azureBlob": "azure", "azureFile": "smb", "samba": "smb"}


def with_entry(stream: BinaryIO, entry: Entry | None) -> BinaryIO:
    """Attach to a stream how the server described its file in the same answer."""
    stream.entry = entry  # type: ignore[attr-defined]
    return stream


def entry_of(stream: BinaryIO) -> Entry | None:
    """Return how the server described the file of a stream, if it did."""
    return getattr(stream, "entry", None)


def accept(entries: Iterable[Entry], folder: str, where: Callable[[str], str]) -> Iterator[Entry]:
    """Yield the entries of a folder whose names are file names; the others are refused at the end.

    Args:
        entries: What a storage lists of the folder.
        folder: The folder's path, normalized.
        where: Names a path for people.

    Raises:
        RefusedNamesError: After everything else: there were others.
    """
    prefix = folder if folder == "/" else f"{folder}/"
    begin = len(prefix)
    refused = []
    for entry in entries:
        if entry.path.startswith(prefix) and is_file_name(entry.path[begin:]):
            yield entry
        else:
            refused.append(entry.path[begin:] if entry.path.startswith(prefix) else entry.path)
    if refused:
        raise RefusedNamesError({where(folder): refused})


def open_storage(spec: StorageSpec) -> Storage:
    """Open a storage with whatever installed distribution knows its type.

    Raises:
        StorageError: No installed distribution knows the type, or the storage refuses.
    """
    offered = entry_points("openpai.storage")
    if spec.type not in offered:
        known = ", ".join(sorted(offered)) or "none"
        raise StorageError(
            f"Nothing installed opens '{spec.name}', a storage of type '{spec.type}' "
            f"(known: {known}).",
            "Run: pip install openpai-storage",
        )
    try:
        factory: Callable[[StorageSpec], Storage] = offered[spec.type].load()
        return factory(spec)
    except ImportError as error:
        extra = _EXTRAS.get(spec.type, spec.type)
        raise StorageError(
            f"Storage type '{spec.type}' needs a package that is not installed: {error}.",
            f"Run: pip install '{offered[spec.type].distribution}[{extra}]'",
        ) from error
