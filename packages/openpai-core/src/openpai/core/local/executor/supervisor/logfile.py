"""A log that never grows beyond bounds: one file and one older file, as PAI's multilog keeps."""
# ruff: noqa: PTH105
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os

__all__ = ["LogFile"]


class LogFile:
    """Bytes appended to a file; a full file becomes ``<name>.1``, and what was there is dropped.

    Args:
        path: The file.
        limit: Bytes after which it is full.

    Attributes:
        error: Why bytes could not be written, such as a full disk; empty if all could. The bytes
            are dropped: a task must not die of its log.
    """

    def __init__(self, path: str, limit: int) -> None:
        self.error = ""
        self._path = path
        self._limit = limit
        self._size = 0
        self._file = -1
        self._open()

    def _open(self) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            self._size = os.fstat(self._file).st_size
        except OSError as error:
            self.error = error.strerror or str(error)

    def write(self, data: bytes) -> None:
        """Append bytes; the file is changed over first when they no longer fit."""
        try:
            if self._size and self._size + len(data) > self._limit:
                self._change_over()
            while data:
                written = os.write(self._file, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self.error = error.strerror or str(error)

    def change_over(self) -> None:
        """Begin a new file before the old one is full."""
        try:
            self._change_over()
        except OSError as error:
            self.error = error.strerror or str(error)

    def _change_over(self) -> None:
        os.replace(self._path, self._path + ".1")
        self.close()
        self._open()

    def close(self) -> None:
        """Close the file; it may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
