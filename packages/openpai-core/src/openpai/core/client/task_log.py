"""Read one stream of one task's log, piece by piece, without losing or doubling a line.

PAI's log manager serves each log as a file that can be read from an offset, under URLs that live
for two minutes. Logs rotate: ``all`` becomes ``all.1`` and starts empty. To detect that, every read
begins a little before the offset and compares the overlap with the bytes already read: no line is
lost or doubled unless a log rotated twice between two reads, which a line in its place reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from openpai.core.errors import NotFoundError, OpenPaiError, ServerError
from openpai.core.rest import LogChunk, TaskAttempt, log_locations, read_chunk

if TYPE_CHECKING:
    from openpai.core.rest import Session

__all__ = ["TaskLog"]

_COMMON_STREAMS = ("all", "stdout", "stderr")
_MAX_BYTES = 1 << 20
_OVERLAP = 256
_LINE_GUESS = 200
_GAP = b"[openpai] output may be missing here: the log rotated twice between two reads"


class _Cursor:
    """Position in a log file, and the last bytes before it."""

    def __init__(self, offset: int = 0, known: bytes = b"") -> None:
        self.offset = offset
        self.known = known[-_OVERLAP:]

    @property
    def start(self) -> int:
        """Start of the next read: before the offset, to compare with known bytes."""
        return self.offset - len(self.known)

    def take(self, data: bytes) -> bytes | None:
        """Return what is new in data read from ``start``; ``None`` if it is another file's."""
        if not data.startswith(self.known):
            return None
        new = data[len(self.known) :]
        self.offset += len(new)
        self.known = (self.known + new)[-_OVERLAP:]
        return new


class TaskLog:
    """Reads one stream of one task attempt, from its beginning, piece by piece.

    Args:
        session: The cluster's session.
        attempt: Which run of which task.
        stream: ``all``, ``stdout``, ``stderr`` or another name that the server lists.
    """

    def __init__(self, session: Session, attempt: TaskAttempt, stream: str) -> None:
        self.session = session
        self.attempt = attempt
        self.stream = stream
        self._locations: dict[str, str] = {}
        self._current = _Cursor()
        self._rotated = _Cursor()
        self._owed = False  # the rest of what was being read must be in the rotated file
        self._partial: list[bytes] = []

    def skip_to_tail(self, count: int) -> None:
        """Begin with the last ``count`` lines of what is there now; for the first read only.

        Raises:
            NotFoundError: The task has no log (yet, or no longer).
            ApiError: The server failed.
            ConnectionFailed: No answer came.
        """
        self._current, missing = self._tail_of(self.stream, count)
        if missing > 0:
            self._rotated, _ = self._tail_of(self.stream + ".1", missing)

    def new_lines(self) -> Iterator[str]:
        """Yield the complete lines that were written since the last call.

        Raises:
            NotFoundError: The task has no log (yet, or no longer).
            ApiError: The server failed.
            ConnectionFailed: No answer came.
        """
        while True:
            data = self._read()
            if not data:
                return
            first, *lines = data.split(b"\n")
            self._partial.append(first)
            for line in lines:
                yield self._finished()
                self._partial.append(line)

    def last_line(self) -> Iterator[str]:
        """Yield what stands after the last line end, once the attempt has ended."""
        if any(self._partial):
            yield self._finished()

    def _finished(self) -> str:
        line = b"".join(self._partial)
        self._partial.clear()
        return line.decode("utf-8", "replace")

    def _read(self) -> bytes:
        """Return new bytes, or nothing at the present end of the log."""
        current = self._piece(self.stream, self._current.start)
        if current.missing:
            return self._rotated_away()
        if self._current.known:
            new = self._current.take(current.data)
            if new is not None:
                return new
            self._rotate()
            return self._read()
        # At the beginning of a file: what rotated away before, or just now, comes first.
        return self._older() or self._current.take(current.data) or b""

    def _rotated_away(self) -> bytes:
        """Return bytes of the rotated file while there is no current one (yet, or any more)."""
        if not self._current.known:
            return self._older()
        self._locations = {}
        before = self._piece(self.stream + ".1", self._current.start).data
        if not before.startswith(self._current.known):
            return b""  # not rotated: the node is out of reach, or the log was removed
        self._rotate()
        return self._older()

    def _rotate(self) -> None:
        """The current file has become the rotated one."""
        self._rotated, self._current, self._owed = self._current, _Cursor(), True

    def _older(self) -> bytes:
        """Return bytes of the rotated file that were not read yet."""
        self._locations = {} if self._owed else self._locations
        name = self.stream + ".1"
        new = self._rotated.take(self._piece(name, self._rotated.start).data)
        if new is None:  # another file has rotated since
            self._rotated = _Cursor()
            gap = b"\n" * any(self._partial) + _GAP + b"\n" if self._owed else b""
            new = gap + (self._rotated.take(self._piece(name, 0).data) or b"")
        self._owed = False
        return new

    def _tail_of(self, stream: str, count: int) -> tuple[_Cursor, int]:
        """Return where the last lines of a file begin, and how many it has too few."""
        size = self._piece(stream, 0, 1).size
        wanted = (count + 1) * _LINE_GUESS
        while True:
            begin = max(size - wanted, 0)
            data = self._range(stream, begin, size)
            place = _begin_of_last(data, count)
            if place:
                return _Cursor(begin + place, data[:place]), 0
            if begin == 0:
                return _Cursor(), count - _count(data)
            wanted *= 4

    def _range(self, stream: str, begin: int, end: int) -> bytes:
        data = b""
        while begin + len(data) < end:
            piece = self._piece(stream, begin + len(data), min(end - begin - len(data), _MAX_BYTES))
            if not piece.data:
                break
            data += piece.data
        return data

    def _piece(self, stream: str, start: int, limit: int = _MAX_BYTES) -> LogChunk:
        """Read from a file, under a new address if the old one has expired."""
        try:
            for _ in range(2):
                if stream not in self._locations:
                    self._locations = log_locations(self.session, self.attempt)
                uri = self._locations.get(stream)
                if uri is None:
                    self._check_name(stream)
                    return LogChunk(b"", missing=True)
                piece = read_chunk(self.session, uri, start, limit)
                if not piece.expired:
                    return piece
                self._locations = {}
        except OpenPaiError:
            self._locations = {}
            raise
        raise ServerError(
            f"The log of {self.attempt.role}-{self.attempt.task_index} was refused with a fresh "
            "address.",
            status=403,
            hint="Are the clocks of the cluster's nodes right?",
        )

    def _check_name(self, stream: str) -> None:
        """A log that every task gets may come yet; another name that is not there is wrong."""
        if stream == self.stream and stream not in _COMMON_STREAMS and self._locations:
            raise NotFoundError(
                f"{self.attempt.role}-{self.attempt.task_index} has no log '{stream}' "
                f"(there are: {', '.join(sorted(self._locations))}).",
                status=404,
            )


def _count(data: bytes) -> int:
    """Return how many lines there are, the last one whether or not it has an end."""
    return data.count(b"\n") + (not data.endswith(b"\n") if data else 0)


def _begin_of_last(data: bytes, count: int) -> int | None:
    """Return where the last lines begin; ``None`` if there may be more before the data."""
    if count == 0:
        return data.rfind(b"\n") + 1 or None
    place = len(data) - data.endswith(b"\n")
    for _ in range(count):
        place = data.rfind(b"\n", 0, max(place, 0))
        if place < 0:
            return None
    return place + 1
