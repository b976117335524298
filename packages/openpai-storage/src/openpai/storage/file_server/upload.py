"""A file of a file server that is written in parts.

As in :mod:`openpai.core.storage.local_upload`: the parts go to their places in a partial file,
followed by one byte per part that marks it as complete. The file is cut to its size
and renamed at the end.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import BinaryIO, Callable

from openpai.core.errors import OpenPaiError
from openpai.core.storage import Upload, with_path_in_errors
from openpai.storage.file_server.streams import AHEAD, BLOCK, RemoteFile

__all__ = ["PART", "RemoteUpload"]

#: Bytes of a part: few enough to send little twice, many enough to cost no time.
PART = 8 << 20


class RemoteUpload(Upload):
    """See the module.

    Args:
        token: The name of the partial file.
        size: Bytes of the whole file.
        file: The partial file, open for reading and writing.
        place: Gives the partial file its final name; it is closed by then.
        remove: Removes the partial file.
        where: The file, named for people.
    """

    part_size = PART

    def __init__(
        self,
        token: str,
        size: int,
        file: RemoteFile,
        *,
        place: Callable[[], None],
        remove: Callable[[], None],
        where: str,
    ) -> None:
        self.token = token
        self.size = size
        self._file = file
        self._place = place
        self._remove = remove
        self._where = where
        self._open = True

    def prepare(self) -> None:
        """Give a new partial file its length."""
        self._file.resize(self.size + self.parts)

    @property
    def fits(self) -> bool:
        """Whether the partial file, as it was opened, is one of a file of this size."""
        return self._file.size in (self.size, self.size + self.parts)

    def written(self) -> set[int]:
        """Return the indexes of the parts that are whole."""
        if self._file.size == self.size:  # as a commit leaves it that failed at the last step
            return set(range(self.parts))
        with with_path_in_errors(self._where):
            marks = self._file.ask(self.size, self.parts)()
        return {index for index, mark in enumerate(marks) if mark}

    def write(self, index: int, data: BinaryIO) -> None:
        """Write one part to its place."""
        at, left = self.part(index)
        sent: deque[Callable[[], None]] = deque()
        while left:
            chunk = data.read(min(left, BLOCK))
            if not chunk:
                raise self._wrong_length(index)
            with with_path_in_errors(self._where):
                sent.append(self._file.send(at, chunk))
                while len(sent) > AHEAD:
                    sent.popleft()()
            at += len(chunk)
            left -= len(chunk)
        if data.read(1):
            raise self._wrong_length(index)
        with with_path_in_errors(self._where):
            while sent:
                sent.popleft()()
            self._file.send(self.size + index, b"\1")()

    def commit(self) -> None:
        """Rename the partial file."""
        self._refuse_gaps(self.written())
        with with_path_in_errors(self._where):
            self._file.resize(self.size)
            self._file.size = self.size
            self.close()
            self._place()

    def abort(self) -> None:
        """Remove the partial file."""
        with suppress(OSError, OpenPaiError):
            self.close()
        with with_path_in_errors(self._where), suppress(FileNotFoundError):
            self._remove()

    def close(self) -> None:
        """Close the partial file."""
        if self._open:
            self._open = False
            self._file.close()
