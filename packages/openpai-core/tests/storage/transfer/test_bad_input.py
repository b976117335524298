"""What cannot be copied is told in a sentence, file by file, and harms nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ContextManager, Iterator

import pytest

from openpai.core.errors import StorageLoginError
from openpai.core.storage.base import Entry
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.temp_files import is_partial
from openpai.core.storage.transfer.transfer import (
    Failed,
    Options,
    Transfer,
    TransferError,
    download,
    upload,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the journal in a folder of the test."""
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return three files."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_text(name)
    return folder


class Full(LocalStorage):
    """A folder that refuses some files as a file system does."""

    refused = "b"
    number = errno.ENOSPC

    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> ContextManager[BinaryIO]:
        """Refuse files of one name."""
        if path.endswith(self.refused):
            raise OSError(self.number, os.strerror(self.number), self.where(path))
        return super().open_write(path, mode=mode, modified=modified)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EDQUOT, "Disk quota exceeded"),
        (errno.EACCES, "Permission denied"),
        (errno.EROFS, "Read-only file system"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_bad_file_is_refused_alone(
    storage: LocalStorage, tree: Path, number: int, reason: str
) -> None:
    """The file is named with the reason, tried once, and the others arrive."""
    target = Full(storage.root, "main")
    target.number = number
    failed: list[Failed] = []
    with pytest.raises(TransferError, match="1 of 3"):
        Transfer(*_place(tree), target, "/t").run(on_failed=failed.append)
    assert [(item.path, item.reason) for item in failed] == [("b", reason)]
    assert sorted(path.name for path in (storage.root / "t").iterdir()) == ["a", "c"]


def _place(folder: Path) -> tuple[LocalStorage, str]:
    return LocalStorage(folder), "/"


def test_too_long_name_is_refused(storage: LocalStorage, tmp_path: Path) -> None:
    """A path that the real file system does not take fails alone."""
    deep = tmp_path / "deep"
    deep.mkdir()
    (deep / ("n" * 250)).write_text("x")
    (deep / "short").write_text("x")
    upload(storage, deep / "short", "/short")
    with pytest.raises(OSError, match="File name too long"):
        upload(storage, deep / "short", "/" + "x" * 300)
    assert [path.name for path in storage.root.iterdir()] == ["short"]


def test_names_differing_in_case_fail_on_case_insensitive_storage(
    storage: LocalStorage, tmp_path: Path
) -> None:
    """The first name is copied, the second is reported."""
    folder = tmp_path / "cases"
    (folder / "D").mkdir(parents=True)
    (folder / "d").mkdir()
    for name in ("A", "a", "D/x", "d/y"):
        (folder / name).write_text(name)
    storage.case_sensitive = False
    failed: list[Failed] = []
    with pytest.raises(TransferError, match="2 of 4"):
        Transfer(*_place(folder), storage, "/t").run(on_failed=failed.append)
    assert sorted(item.path for item in failed) == ["a", "d"]
    assert all("differs in case only" in item.reason for item in failed)
    assert (storage.root / "t" / "A").read_text() == "A"


def test_unsorted_listing_fails(storage: LocalStorage, tree: Path) -> None:
    """Wrong pairs could delete what is wanted, so such a folder fails as a whole."""

    class Shuffled(LocalStorage):
        def list(self, path: str) -> Iterator[Entry]:
            return reversed([*super().list(path)])

    upload(storage, tree, "/t")
    (storage.root / "t" / "extra").write_text("x")
    with pytest.raises(TransferError, match="not listed in order"):
        Transfer(Shuffled(tree), "/", storage, "/t", Options(delete=True)).run()
    assert (storage.root / "t" / "extra").exists()


def test_unreadable_folder_fails_alone(tmp_path: Path, storage: LocalStorage) -> None:
    """A folder that may not be listed fails alone."""

    class Closed(LocalStorage):
        def list(self, path: str) -> Iterator[Entry]:
            if path == "/closed":
                raise PermissionError(errno.EACCES, "Permission denied", self.where(path))
            return super().list(path)

    for name in ("closed", "open"):
        (tmp_path / "s" / name).mkdir(parents=True)
        (tmp_path / "s" / name / "file").write_text("x")
    with pytest.raises(TransferError, match="closed: Permission denied"):
        Transfer(Closed(tmp_path / "s"), "/", storage, "/t").run()
    assert [path.name for path in (storage.root / "t").iterdir()] == ["open"]


@pytest.mark.process
def test_partial_files_of_dead_processes_are_removed(storage: LocalStorage, tree: Path) -> None:
    """What a dead process left behind is removed; what may still be written is not."""
    target = storage.root / "t"
    target.mkdir()
    with storage.open_write("/t/x") as stream:
        stream.write(b"mine")
        alive = next(path.name for path in target.iterdir())
    dead = alive.replace(f"-{os.getpid():x}-", f"-{_dead_process():x}-")
    other = ".opai-0123456789ab.partial"
    for name in (alive, dead, other, ".opai-parts-00.partial"):
        (target / name).write_text("half")
    old = datetime(2020, 1, 1).timestamp()
    os.utime(target / ".opai-parts-00.partial", (old, old))
    upload(storage, tree, "/t")
    left = sorted(path.name for path in target.iterdir() if is_partial(path.name))
    assert left == sorted([alive, other])


def _dead_process() -> int:
    with subprocess.Popen(["true"]) as process:
        return process.pid


def test_download_over_folder_raises(storage: LocalStorage, tree: Path, tmp_path: Path) -> None:
    """A folder of this machine is not replaced by a file."""
    upload(storage, tree / "a", "/x")
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        download(storage, "/x", tmp_path / "x", overwrite=True)
    assert (tmp_path / "x").is_dir()


def test_source_deleted_during_copy_raises(storage: LocalStorage, tree: Path) -> None:
    """A file that is deleted between the listing and the copying fails alone."""

    class Going(LocalStorage):
        def list(self, path: str) -> Iterator[Entry]:
            for entry in [*super().list(path)]:
                if entry.name == "b":
                    (self.root / "b").unlink()
                yield entry

    with pytest.raises(TransferError, match=r"1 of 3.*b: No such file"):
        Transfer(Going(tree), "/", storage, "/t").run()


def test_listing_resumes_after_cut(storage: LocalStorage, tree: Path) -> None:
    """A connection that is cut in the middle of a listing costs nothing but time."""
    cuts = [1, 2, 0]

    class Cut(LocalStorage):
        def list(self, path: str) -> Iterator[Entry]:
            left = cuts.pop() if cuts else 100
            for number, entry in enumerate(super().list(path)):
                if number == left:
                    raise ConnectionResetError(errno.ECONNRESET, "reset")
                yield entry

    copied = Transfer(Cut(tree), "/", storage, "/t").run()
    assert [item.path for item in copied] == ["a", "b", "c"]
    assert not cuts


def test_expired_login_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """After a token has expired, no other file is tried, and the error says so."""
    asked: list[str] = []

    class Expiring(LocalStorage):
        def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
            asked.append(path)
            if len(asked) > 5:
                raise StorageLoginError("The token has expired.", "Get a new one.")
            return super().open_read(path, offset, length)

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / str(number)).write_text("x")
    transfer = Transfer(Expiring(folder), "/", storage, "/t", Options(threads=4))
    with pytest.raises(TransferError, match=r"expired.*The rest was not tried") as caught:
        transfer.run()
    assert caught.value.gave_up
    assert len(caught.value.copied) == 5
    assert len(asked) == len(set(asked)) <= 5 + 4


def test_plan_reports_unreadable_files(storage: LocalStorage, tmp_path: Path) -> None:
    """Links that lead nowhere, out or up, and pipes, each with its reason."""
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "file").write_text("x")
    for name, place in {"nowhere": "none", "out": "/etc", "d/up": "..", "circle": "circle"}.items():
        (tree / name).symlink_to(place)
    (tree / "good").symlink_to("file")
    os.mkfifo(tree / "pipe")
    planned = [*Transfer(LocalStorage(tree), "/", storage, "/t").plan()]
    assert {step.path for step in planned if not isinstance(step, Failed)} == {"file", "good"}
    assert {item.path: item.reason for item in planned if isinstance(item, Failed)} == {
        "circle": os.strerror(errno.ELOOP),
        "d/up": "A link back to a folder above it",
        "nowhere": "A link to nowhere",
        "out": "A link leads out of the storage",
        "pipe": "Not a regular file",
    }


@pytest.mark.parametrize("name", ["new\nline", "caf\udce9", "\x1b[31mred"])
def test_odd_names_are_printed_on_one_line(
    storage: LocalStorage, tmp_path: Path, name: str
) -> None:
    """Line breaks and control characters are escaped."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / name).symlink_to("nowhere")
    with pytest.raises(TransferError, match="nowhere") as caught:
        upload(storage, tmp_path / "tree", "/t")
    assert str(caught.value).isprintable()
    assert caught.value.failed[0].path == name
