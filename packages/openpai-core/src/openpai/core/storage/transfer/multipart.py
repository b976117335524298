"""A file that is being sent in parts: what is missing of it, and the checksum of what is there."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import Callable, Iterator

from openpai.core.errors import OpenPaiError
from openpai.core.storage.base import Entry
from openpai.core.storage.checksums import Checksum, hasher
from openpai.core.storage.transfer.checkpoint import CheckpointEntry
from openpai.core.storage.transfer.planner import Step
from openpai.core.storage.upload import Upload

__all__ = ["MultipartChecksum", "Parts"]

#: Seconds for which consecutive parts are read from one stream: many sources take longer to open
#: than to read a part.
IN_A_ROW = 1.0


class MultipartChecksum:
    """The checksum of a file, computed while its parts are on their way.

    Whoever has written a part takes it on, through all parts that are there without a gap, unless
    somebody does already.

    Args:
        upload: What is written.
        content: The file in pieces, none of which reaches over the end of a part.
        algorithm: One that :func:`~openpai.core.storage.checksums.hasher` knows.
        check: Called before each piece; may raise.
    """

    def __init__(
        self,
        upload: Upload,
        content: Iterator[bytes],
        algorithm: str,
        check: Callable[[], None],
    ) -> None:
        self.algorithm = algorithm
        digest = hasher(algorithm)
        assert digest
        self._digest = digest
        self._upload = upload
        self._content = content
        self._check = check
        self._busy = threading.Lock()
        self._taken = 0
        self._error: Exception | None = None

    def take(self, parts: int) -> None:
        """Take the first parts, unless another thread has taken them."""
        if self._busy.acquire(blocking=False):
            try:
                self._take(min(parts * self._upload.part_size, self._upload.size))
            except (OSError, OpenPaiError) as error:  # the parts themselves are fine
                self._error = error
            finally:
                self._busy.release()

    def checksum(self) -> Checksum:
        """Return the checksum of the whole file, all of which must be there.

        Raises:
            OSError, OpenPaiError: The file could not be read, now or before.
        """
        with self._busy:
            if self._error:
                raise self._error
            self._take(self._upload.size)
            next(self._content, None)  # so that it closes what it reads
            return Checksum(self.algorithm, self._digest.hexdigest())

    def _take(self, end: int) -> None:
        while self._taken < end:
            self._check()
            piece = next(self._content, b"")
            if not piece:  # the file became shorter: the check of its size reports it
                return
            self._digest.update(piece)
            self._taken += len(piece)


class Parts:
    """See the module. Threads share one.

    Args:
        number: The file's place in the order of the walk.
        step: What is done with it.
        tries: How often that was tried before.
        entry: The file as it was found.
        upload: What it is written to.
        slot: Its entry in the checkpoint.

    Attributes:
        error: Why a part could not be sent; ends all others.
        expected: The checksum from the source's storage.
        digest: Computes the checksum of what is written, or is read.
    """

    def __init__(
        self,
        number: int,
        step: Step,
        tries: int,
        entry: Entry,
        upload: Upload,
        *,
        slot: CheckpointEntry,
    ) -> None:
        self.number = number
        self.step = step
        self.tries = tries
        self.entry = entry
        self.upload = upload
        self.slot = slot
        self.error: Exception | None = None
        self.expected: Checksum | None = None
        self.digest: MultipartChecksum | None = None
        self._lock = threading.Lock()
        self._written: set[int] = set()
        self._missing: deque[int] = deque()
        self._without_gap = 0
        self._most = 1
        self._running = 0

    @property
    def sent(self) -> int:
        """Bytes that are written."""
        return sum(self.upload.part(index)[1] for index in self._written)

    def begin(
        self, threads: int, expected: Checksum | None, digest: MultipartChecksum | None
    ) -> int:
        """Find missing parts; return the number of threads to send them, each of which calls `end`.

        Args:
            threads: Maximum number of threads.
            expected: See above.
            digest: See above.
        """
        self.expected, self.digest = expected, digest
        self._written = self.upload.written()
        self._missing.extend(i for i in range(self.upload.parts) if i not in self._written)
        self._running = min(threads, len(self._missing))
        return self._running

    def end(self) -> bool:
        """End the work of a thread; return whether it was the last one."""
        with self._lock:
            self._running -= 1
            return not self._running

    def take(self) -> list[int]:
        """Take parts that follow each other; none when nothing is left to do."""
        with self._lock:
            row: list[int] = []
            missing = self._missing
            most = 0 if self.error else max(1, min(self._most, len(missing) // 4))
            while missing and len(row) < most and (not row or missing[0] == row[-1] + 1):
                row.append(missing.popleft())
            return row

    def wrote(self, index: int, seconds: float) -> None:
        """Record a written part, and the seconds since the previous one of its row."""
        with self._lock:
            self._written.add(index)
            while self._without_gap in self._written:
                self._without_gap += 1
            self._most = max(1, int(IN_A_ROW / seconds)) if seconds else self.upload.parts
        if self.digest:
            self.digest.take(self._without_gap)

    def close(self) -> None:
        """Give back what is held; what was sent stays, for another run."""
        with suppress(OSError, OpenPaiError):
            self.upload.close()
        self.slot.close()
