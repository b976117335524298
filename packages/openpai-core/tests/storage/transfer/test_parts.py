"""Large files go in parts, at once, and go on where a killed process stopped."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.core.storage.checksums import Checksum
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.local_upload import FolderUpload
from openpai.core.storage.transfer import multipart
from openpai.core.storage.transfer.transfer import (
    Options,
    Transfer,
    TransferError,
    download,
    local_place,
    upload,
)

MIB = 1 << 20
KILLED = """
import sys
from pathlib import Path
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import Options, upload
left = int(sys.argv[3])
def count(size):
    global left
    left -= size
    if left < 0:
        print("now", flush=True)
        sys.stdin.read()
upload(LocalStorage(Path(sys.argv[2])), Path(sys.argv[1]), "/t/big", on_bytes=count,
       options=Options(threads=2))
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the journal in a folder of the test."""
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def random_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of several parts, only to be read."""
    path = tmp_path_factory.mktemp("random") / "file"
    path.write_bytes(random.Random(7).getrandbits(8 * (40 * MIB + 5)).to_bytes(40 * MIB + 5, "big"))
    return path


@pytest.fixture
def big(tmp_path: Path, random_file: Path) -> Path:
    """Return a file of several parts."""
    path = tmp_path / "big"
    shutil.copyfile(random_file, path)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


class Watched(LocalStorage):
    """A folder that counts what is read from it, and may break off."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.ranges: list[tuple[int, int | None]] = []
        self.failures: list[Exception] = []
        self.lock = threading.Lock()

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Note the range; fail as long as failures are left."""
        with self.lock:
            self.ranges.append((offset, length))
            if self.failures:
                raise self.failures.pop()
        return super().open_read(path, offset, length)


def test_parts_are_joined(storage: LocalStorage, big: Path, home: Path) -> None:
    """Content, mode and time are those of the source; each part was read once; nothing stays."""
    big.chmod(0o640)
    source = Watched(big.parent)
    seen: list[int] = []
    Transfer(source, "/big", storage, "/x/big").run(on_bytes=seen.append)
    arrived = storage.root / "x" / "big"
    assert arrived.read_bytes() == big.read_bytes()
    assert (arrived.stat().st_mode & 0o777, arrived.stat().st_mtime) == (0o640, 1_000_000_000)
    assert sorted(source.ranges) == sorted({*source.ranges})
    assert len(source.ranges) == 6
    assert sum(seen) == big.stat().st_size
    assert [item.name for item in (storage.root / "x").iterdir()] == ["big"]
    assert list((home / "transfers").iterdir()) == []


@pytest.mark.process
@pytest.mark.parametrize("seed", range(4))
def test_killed_upload_reads_only_missing_parts(tmp_path: Path, big: Path, seed: int) -> None:
    """After ``kill -9`` only the parts that are missing are read again, and the file is whole."""
    root = tmp_path / "root"
    root.mkdir()
    limit = random.Random(seed).randrange(10 * MIB, 39 * MIB)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(big), str(root), str(limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"now\n"
        process.kill()
    assert not (root / "t" / "big").exists()
    source = Watched(big.parent)
    Transfer(source, "/big", LocalStorage(root), "/t/big").run()
    sent = sum(length or 0 for _, length in source.ranges)
    assert sent <= big.stat().st_size - limit + 3 * 8 * MIB
    assert (root / "t" / "big").read_bytes() == big.read_bytes()
    assert [item.name for item in (root / "t").iterdir()] == ["big"]


def test_changed_source_restarts_upload(tmp_path: Path, big: Path) -> None:
    """Parts of an earlier source are never mixed with those of a later one."""
    root = tmp_path / "root"
    root.mkdir()
    source = Watched(big.parent)
    source.failures = [PermissionError(13, "not now")] * 3
    with pytest.raises(PermissionError):
        Transfer(source, "/big", LocalStorage(root), "/big", Options(threads=1)).run()
    content = bytes(reversed(big.read_bytes()))
    big.write_bytes(content)
    upload(LocalStorage(root), big, "/big")
    assert (root / "big").read_bytes() == content


def test_transient_failure_is_repeated(storage: LocalStorage, big: Path) -> None:
    """A cut connection costs a part, not the file."""
    source = Watched(big.parent)
    source.failures = [ConnectionFailed("cut"), ConnectionResetError(104, "reset")]
    Transfer(source, "/big", storage, "/big").run()
    assert (storage.root / "big").read_bytes() == big.read_bytes()
    assert len(source.ranges) == 8


def test_repeated_failure_raises(storage: LocalStorage, big: Path) -> None:
    """The transfer ends with the reason and can be resumed."""
    source = Watched(big.parent)
    source.failures = [ConnectionFailed("no answer")] * 1000
    with pytest.raises(ConnectionFailed):
        Transfer(source, "/big", storage, "/big", Options(retries=1)).run()
    assert not storage.exists("/big")


def test_unreachable_storage_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """When nothing answers any more, thousands of files are not tried one by one."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / str(number)).write_text("x")
    source = Watched(folder)
    source.failures = [ConnectionFailed("no answer")] * 100_000
    with pytest.raises(TransferError, match="no answer") as caught:
        Transfer(source, "/", storage, "/t", Options(retries=0)).run()
    assert 8 <= len(caught.value.failed) < 100


def test_sparse_file_stays_sparse(storage: LocalStorage, tmp_path: Path) -> None:
    """Zeros that take no space at the source take none at the target."""
    path = tmp_path / "sparse"
    with path.open("wb") as stream:
        stream.truncate(64 * MIB)
        stream.seek(33 * MIB)
        stream.write(b"something")
    upload(storage, path, "/sparse")
    arrived = storage.root / "sparse"
    assert arrived.read_bytes() == path.read_bytes()
    assert arrived.stat().st_blocks * 512 < 8 * MIB


class Sums(Watched):
    """A folder that knows checksums, and once hands out something else than it has."""

    wrong = 0

    def checksum(self, path: str) -> Checksum:
        """Return the MD5."""
        content = (self.root / path[1:]).read_bytes()
        return Checksum("md5", hashlib.new("md5", content).hexdigest())

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Turn over one byte."""
        stream = super().open_read(path, offset, length)
        if not self.wrong:
            return stream
        self.wrong -= 1
        with stream:
            data = bytearray(stream.read())
        data[len(data) // 2] ^= 1
        return io.BytesIO(bytes(data))


@pytest.mark.parametrize("size", [10, 20 * MIB])
@pytest.mark.parametrize("wrong", [1, 1000])
def test_corrupted_byte_is_detected(
    storage: LocalStorage, tmp_path: Path, size: int, wrong: int
) -> None:
    """What differs from the source's checksum never appears under the file's name."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "file").write_bytes(bytes(size))
    source = Sums(tmp_path / "s")
    source.wrong = wrong
    if wrong == 1:
        Transfer(source, "/file", storage, "/file").run()
        assert (storage.root / "file").read_bytes() == bytes(size)
    else:
        with pytest.raises(StorageError, match="did not arrive whole"):
            Transfer(source, "/file", storage, "/file").run()
        assert list(storage.list("/")) == []


def test_consecutive_parts_are_read_at_once(
    storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where parts come quickly, the source is opened for several of them at once, none twice."""
    monkeypatch.setattr(multipart, "IN_A_ROW", 600.0)  # quickly, however loaded the machine is
    (tmp_path / "s").mkdir()
    size = 64 * 8 * MIB + 3
    with (tmp_path / "s" / "file").open("wb") as stream:
        stream.truncate(size)
    source = Watched(tmp_path / "s")
    Transfer(source, "/file", storage, "/file").run()
    ranges = sorted((offset, offset + (length or 0)) for offset, length in source.ranges)
    assert [begin for begin, _ in ranges] == [0, *(end for _, end in ranges[:-1])]
    assert ranges[-1][1] == storage.stat("/file").size == size
    assert len(ranges) < 40


class ReportedChecksumStorage(LocalStorage):
    """A folder with checksums of one algorithm; it may corrupt what it receives."""

    def __init__(self, root: Path, algorithm: str, *, spoils: bool = False) -> None:
        super().__init__(root)
        self.algorithm = algorithm
        self.spoils = spoils

    def checksum(self, path: str) -> Checksum:
        """Return the MD5."""
        return Checksum("md5", hashlib.new("md5", self._real(path).read_bytes()).hexdigest())

    def begin_upload(self, path: str, size: int, **options: Any) -> FolderUpload | None:
        """Begin an upload that cannot be read before its end."""
        upload = super().begin_upload(path, size, **options)
        if upload:
            upload.algorithm = self.algorithm
            upload.content = lambda: None  # type: ignore[method-assign,assignment]
            if self.spoils:
                upload.write(0, io.BytesIO(b"\1" * upload.part_size))
        return upload


@pytest.mark.parametrize(
    ("algorithm", "during", "afterwards"), [("md5", 1, 0), ("", 0, 1), ("sha256", 1, 1)]
)
def test_known_checksum_is_computed_while_copying(
    tmp_path: Path, big: Path, algorithm: str, during: int, afterwards: int
) -> None:
    """A file is read again at the end only if the storage has another checksum."""
    source = Watched(big.parent)
    (tmp_path / "t").mkdir()
    target = ReportedChecksumStorage(tmp_path / "t", algorithm)
    Transfer(source, "/big", target, "/big", Options(threads=1)).run()
    last = max(i for i, (_, length) in enumerate(source.ranges) if length is not None)
    whole = [i for i, (_, length) in enumerate(source.ranges) if length is None]
    assert [i < last for i in whole] == [True] * during + [False] * afterwards
    assert (tmp_path / "t" / "big").read_bytes() == big.read_bytes()


@pytest.mark.parametrize("algorithm", ["md5", ""])
def test_corrupted_part_is_detected(tmp_path: Path, big: Path, algorithm: str) -> None:
    """What the target's checksum does not confirm does not count as copied, and does not stay."""
    (tmp_path / "t").mkdir()
    target = ReportedChecksumStorage(tmp_path / "t", algorithm, spoils=True)
    with pytest.raises(StorageError, match="did not arrive as it was sent"):
        Transfer(*local_place(big), target, "/big", Options(retries=1)).run()
    assert list(target.list("/")) == []


def test_rate_limit_is_kept(storage: LocalStorage, tmp_path: Path) -> None:
    """With a limit a file takes at least the time that the limit gives it."""
    (tmp_path / "file").write_bytes(bytes(600_000))
    begun = time.monotonic()
    upload(storage, tmp_path / "file", "/file", options=Options(limit_rate=1_000_000))
    assert time.monotonic() - begun > 0.3


def test_interrupt_leaves_no_file(storage: LocalStorage, big: Path) -> None:
    """What the caller raises in the middle ends the transfer, and nothing is half there."""

    def stop(size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload(storage, big, "/big", on_bytes=stop)
    assert not storage.exists("/big")


def test_download_uses_parts(storage: LocalStorage, big: Path, tmp_path: Path) -> None:
    """Downloads are made of parts as uploads are."""
    upload(storage, big, "/big")
    download(storage, "/big", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
