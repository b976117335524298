"""One file: is it there, send it, in one go or in parts, and make sure of it."""

from __future__ import annotations

import io
import threading
import time
from contextlib import closing, suppress
from datetime import datetime, timezone
from itertools import zip_longest
from typing import Any, BinaryIO, Callable, Generator, Iterator, cast

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.retry import Stopped
from openpai.core.storage.base import Entry, Storage, entry_of
from openpai.core.storage.checksums import Checksum, Hasher, hasher
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.paths import with_path_in_errors
from openpai.core.storage.transfer.bandwidth import Limiter
from openpai.core.storage.transfer.checkpoint import CheckpointEntry
from openpai.core.storage.transfer.multipart import MultipartChecksum, Parts
from openpai.core.storage.transfer.planner import same_time
from openpai.core.storage.upload import Upload

__all__ = ["ChangedError", "Copier"]

#: Maximum size in bytes of files that are compared by content if their times do not decide.
COMPARED = 16 << 20

#: A file changed so few seconds ago could change again and keep its time: clocks tick this slowly.
TICK = 0.02


class ChangedError(StorageError):
    """The source changed while it was read, or what arrived is not what was sent."""


class Copier:
    """Copies single files from one storage to another; threads share one.

    Args:
        source: The storage to read.
        target: The storage to write.
        limiter: Counts the bytes against the limit.
        on_bytes: Called with each number of bytes that were dealt with.
        stopped: Ends everything with :class:`Stopped`.
    """

    def __init__(
        self,
        source: Storage,
        target: Storage,
        limiter: Limiter,
        on_bytes: Callable[[int], None],
        stopped: threading.Event,
    ) -> None:
        self.source = source
        self.target = target
        self._limiter = limiter
        self._on_bytes = on_bytes
        self._stopped = stopped
        # The algorithm of the storage's checksums, once it is known; None: not of use here.
        self._algorithms: dict[Storage, str | None] = {}

    def is_there(self, source: Entry, found: Entry, *, overwrite: bool) -> bool:
        """Whether the target has this very file, of the same size.

        Checksums decide if both are known; else the contents, which means reading the
        target. Where the times differ, ``overwrite`` does without that.
        """
        same = self._same_checksum(source, found)
        if same is not None:
            return same
        if self.target.keeps_times and same_time(source, found):
            return source.size > COMPARED or self._same_content(source, found)
        return not overwrite and self._same_content(source, found)

    def is_same(self, source: Entry, found: Entry) -> bool:
        """Whether two files of the same size have the same content, whatever that costs."""
        same = self._same_checksum(source, found)
        return self._same_content(source, found) if same is None else same

    def _same_checksum(self, source: Entry, found: Entry) -> bool | None:
        """Whether two files have the same checksum; ``None`` where that is unknown."""
        ours = self._checksum_of(self.source, source.path)
        theirs = self._checksum_of(self.target, found.path)
        if theirs and not ours:
            ours = self._computed(self.source, source.path, theirs.algorithm)
        elif ours and not theirs:
            theirs = self._computed(self.target, found.path, ours.algorithm)
        if ours and theirs and ours.algorithm == theirs.algorithm:
            return ours == theirs
        return None

    def send(self, source: Entry, target: str) -> None:
        """Copy a file in one go.

        Raises:
            ChangedError: The source changed meanwhile, or what arrived is not what was sent.
            OSError, OpenPaiError: It could not be read or written.
        """
        wait_for_tick(self.source, source)
        read_from, write_to = self.source.where(source.path), self.target.where(target)
        with self.source.open_read(source.path) as reader:
            seen = entry_of(reader)
            expected = self._checksum_of(self.source, source.path, seen)
            algorithm = expected.algorithm if expected else self._algorithms.get(self.target)
            digest = hasher(algorithm) if algorithm else None
            metered = MeteredReader(self, reader, source.size, read_from)
            try:
                with self.target.open_write(
                    target, mode=source.mode, modified=source.modified
                ) as writer:
                    self._pump(metered, writer, write_to, digest)
                    self.check_unchanged(source, seen)
                    sent = Checksum(algorithm, digest.hexdigest()) if algorithm and digest else None
                    if expected and sent and sent != expected:
                        raise ChangedError(f"{read_from} did not arrive whole.", "Copy it again.")
                self.verify(source, target, expected, sent, entry_of(writer))
            except BaseException:
                self._on_bytes(-metered.count)
                raise

    def _pump(
        self, reader: MeteredReader, writer: BinaryIO, where: str, digest: Hasher | None
    ) -> None:
        for chunk in iter(lambda: reader.read(self._limiter.chunk), b""):
            if digest:
                digest.update(chunk)
            with with_path_in_errors(where):
                writer.write(chunk)

    def send_parts(self, parts: Parts, row: list[int]) -> None:
        """Copy parts that follow each other, which are taken off the list as they are written."""
        if not row:  # all were written before something failed
            return
        source, upload = parts.entry, parts.upload
        where = self.source.where(source.path)
        begin = upload.part(row[0])[0]
        length = sum(upload.part(row[-1])) - begin
        since = time.monotonic()
        with self.source.open_read(source.path, begin, length) as reader:
            while row:
                length = upload.part(row[0])[1]
                metered = MeteredReader(self, reader, length, where, ends=len(row) == 1)
                try:
                    upload.write(row[0], cast(BinaryIO, metered))
                except BaseException:
                    self._on_bytes(-metered.count)
                    raise
                now = time.monotonic()
                parts.wrote(row.pop(0), now - since)
                since = now

    def digest_of(self, parts: Parts) -> tuple[Checksum | None, MultipartChecksum | None]:
        """Return the checksum of a file from its storage, and the hasher of its content.

        That is from what is written, where it can be read before it is committed, else from a
        source on this machine: the checksum that the storage will report, if it is known.
        """
        upload, path = parts.upload, parts.entry.path
        expected = self._checksum_of(self.source, path)
        content: Iterator[bytes] | None
        content, algorithm = upload.content(), expected.algorithm if expected else ""
        if content is None and isinstance(self.source, LocalStorage):
            content, algorithm = self._content(self.source, path), upload.algorithm
        if content is None or not algorithm or not hasher(algorithm):
            return expected, None
        return expected, MultipartChecksum(upload, content, algorithm, self._check)

    def finish(self, parts: Parts, target: str) -> None:
        """Commit an upload whose parts are all there.

        Raises:
            ChangedError: The source changed meanwhile, or what arrived is not what was sent.
            OSError, OpenPaiError: The storage refuses.
        """
        source, expected = parts.entry, parts.expected
        sent = parts.digest.checksum() if parts.digest else None
        self.check_unchanged(source)
        if expected and sent and sent.algorithm == expected.algorithm and sent != expected:
            raise ChangedError(
                f"{self.source.where(source.path)} did not arrive whole.", "Copy it again."
            )
        parts.upload.commit()
        self.verify(source, target, expected, sent)

    def check_unchanged(self, before: Entry, after: Entry | None = None) -> None:
        """Check that a source has not changed since the transfer began to read it.

        Args:
            before: As it was.
            after: As the answer with its content described it, if that did.

        Raises:
            ChangedError: It has changed.
        """
        after = after or self.source.stat(before.path)
        if (after.size, after.modified) != (before.size, before.modified):
            where = self.source.where(before.path)
            raise ChangedError(f"{where} changed while it was read.", "Copy it again.")

    def verify(
        self,
        source: Entry,
        target: str,
        expected: Checksum | None,
        sent: Checksum | None,
        found: Entry | None = None,
    ) -> None:
        """Compare the file at the target with what was sent: the checksum, else the size.

        Args:
            source: What was sent.
            target: Where it is now.
            expected: The checksum from the source's storage, if it has one.
            sent: The checksum computed from the bytes that were sent, if any.
            found: The file at the target, as the answer to the write described it, if that did.

        Raises:
            ChangedError: They differ; the file is not at the target any more.
        """
        where = self.target.where(target)
        arrived = self.has_arrived(source, target, expected, sent, found=found)
        if arrived is None:
            size = (found or self.target.stat(target)).size
            if size != source.size:
                raise ChangedError(f"{where} has {size} bytes instead of {source.size}.")
        elif not arrived:
            with suppress(OSError, OpenPaiError):
                self.target.delete(target)
            raise ChangedError(f"{where} did not arrive as it was sent.", "Copy it again.")

    def has_arrived(
        self,
        source: Entry,
        target: str,
        *known: Checksum | None,
        found: Entry | None = None,
    ) -> bool | None:
        """Whether the target's checksum is the source's; ``None`` where that is unknown.

        Args:
            source: What was sent.
            target: Where it is now.
            known: Checksums of the source, if any are.
            found: The file at the target, if it is known.
        """
        theirs = self._checksum_of(self.target, target, found)
        if theirs is None:
            return None
        algorithm = theirs.algorithm
        same = (checksum for checksum in known if checksum and checksum.algorithm == algorithm)
        ours = next(same, None) or self._computed(self.source, source.path, algorithm)
        return None if ours is None else ours == theirs

    def begin(self, source: Entry, target: str, slot: CheckpointEntry) -> Upload | None:
        """Begin to send a file in parts, or resume; ``None`` if the target does not support it."""
        wait_for_tick(self.source, source)
        upload = self.target.begin_upload(
            target,
            source.size,
            token=slot.token(source),
            mode=source.mode,
            modified=source.modified,
        )
        if upload:
            slot.note(upload.token, source)
        return upload

    def moved(self, count: int) -> None:
        """Count bytes, wait as the limit asks, and end where the transfer was stopped."""
        self._on_bytes(count)
        self._limiter.take(count)
        self._check()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def _checksum_of(
        self, storage: Storage, path: str, entry: Entry | None = None
    ) -> Checksum | None:
        """Return a file's checksum from its entry or the storage, unless known to be useless."""
        if self._algorithms.get(storage, "") is None:
            return None
        found = (entry.checksum if entry else None) or storage.checksum(path)
        other = self.target if storage is self.source else self.source
        if found:
            useful = hasher(found.algorithm) or type(storage) is type(other)
            self._algorithms[storage] = found.algorithm if useful else None
        return found

    def _computed(self, storage: Storage, path: str, algorithm: str) -> Checksum | None:
        """Compute a checksum by reading a file of this machine; ``None`` if it is not one."""
        digest = hasher(algorithm)
        if digest is None or not isinstance(storage, LocalStorage):
            return None
        for chunk in self._content(storage, path):
            self._check()
            digest.update(chunk)
        return Checksum(algorithm, digest.hexdigest())

    def _content(self, storage: Storage, path: str) -> Generator[bytes, None, None]:
        with storage.open_read(path) as stream:
            yield from _read(stream, storage.where(path))

    def _same_content(self, source: Entry, found: Entry) -> bool:
        ours = self._content(self.source, source.path)
        theirs = self._content(self.target, found.path)
        with closing(ours), closing(theirs):
            for a, b in zip_longest(ours, theirs):
                self._check()
                if a != b:
                    return False
        return True


class MeteredReader(io.RawIOBase):
    """A stream that counts what is read from it, and ends after ``length`` bytes.

    Args:
        copier: Counts.
        stream: What is read.
        length: Bytes.
        where: What is read, named for people.
        ends: Whether the stream must end there, too.

    Raises:
        ChangedError: By ``read``, where there are fewer or more bytes.
    """

    def __init__(
        self, copier: Copier, stream: BinaryIO, length: int, where: str, *, ends: bool = True
    ) -> None:
        self._copier = copier
        self._stream = stream
        self._left = length
        self._where = where
        self._ends = ends
        self.count = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes: as many as asked for, until the end."""
        if size is None or size < 0:
            size = self._left
        if not (self._left or self._ends):
            return b""
        with with_path_in_errors(self._where):
            data = self._stream.read(min(size, self._left) if self._left else min(size, 1))
        if len(data) > self._left or (len(data) < min(size, self._left)):
            raise ChangedError(f"{self._where} changed while it was read.", "Copy it again.")
        self._left -= len(data)
        self.count += len(data)
        if data:
            self._copier.moved(len(data))
        return data

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def wait_for_tick(storage: Storage, entry: Entry) -> None:
    """Wait until a change from now on would give a file of this machine another time."""
    if entry.modified and isinstance(storage, LocalStorage):
        age = (datetime.now(timezone.utc) - entry.modified).total_seconds()
        if 0 <= age < TICK:
            time.sleep(TICK - age)


def _read(stream: BinaryIO, where: str) -> Iterator[bytes]:
    while True:
        with with_path_in_errors(where):
            chunk = stream.read(1 << 20)
        if not chunk:
            return
        yield chunk
