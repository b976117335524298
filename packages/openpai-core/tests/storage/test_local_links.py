"""A folder as a storage: links stay inside, special files do no harm."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from openpai.core.errors import StorageError
from openpai.core.storage.local import LocalStorage


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder with a file beside the storage."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    return folder


@pytest.mark.parametrize("path", ["/out/secret", "/out", "/file"])
def test_links_out_of_storage_are_refused(storage: LocalStorage, outside: Path, path: str) -> None:
    """Nothing outside is described, read or written through a link."""
    (storage.root / "out").symlink_to(outside)
    (storage.root / "file").symlink_to(outside / "secret")
    for act in (storage.stat, storage.open_read, storage.mkdir, lambda p: list(storage.list(p))):
        with pytest.raises(PermissionError, match="leads out of the storage"):
            act(path)
    with pytest.raises(PermissionError), storage.open_write(path):
        pass
    assert (outside / "secret").read_text() == "secret"


def test_write_below_link_out_of_storage_is_refused(storage: LocalStorage, outside: Path) -> None:
    """Neither new files nor moves get out through a link."""
    (storage.root / "out").symlink_to(outside)
    (storage.root / "file").write_text("mine")
    with pytest.raises(PermissionError), storage.open_write("/out/new"):
        pass
    with pytest.raises(PermissionError):
        storage.rename("/file", "/out/new")
    with pytest.raises(PermissionError):
        storage.rename("/out/secret", "/got")
    with pytest.raises(PermissionError):
        storage.delete("/out/secret")
    assert [item.name for item in outside.iterdir()] == ["secret"]


def test_delete_removes_link_itself(storage: LocalStorage, outside: Path) -> None:
    """Deleting a link, or a folder that holds one, leaves what it leads to."""
    (storage.root / "out").symlink_to(outside)
    (storage.root / "d").mkdir()
    (storage.root / "d" / "out").symlink_to(outside)
    storage.delete("/out")
    storage.delete("/d", recursive=True)
    assert list(storage.list("/")) == []
    assert (outside / "secret").exists()


def test_rename_moves_link_itself(storage: LocalStorage) -> None:
    """Moving a link leaves what it leads to in its place."""
    (storage.root / "file").write_text("x")
    (storage.root / "link").symlink_to("file")
    storage.rename("/link", "/moved")
    assert (storage.root / "moved").is_symlink()
    assert (storage.root / "file").exists()


def test_links_inside_storage_are_followed(storage: LocalStorage) -> None:
    """A link is described as what it leads to, if that is inside."""
    (storage.root / "d").mkdir()
    (storage.root / "d" / "file").write_text("12345")
    (storage.root / "link").symlink_to("d")
    assert [(entry.path, entry.size) for entry in storage.walk("/link")] == [("/link/file", 5)]


def test_list_shows_broken_links(storage: LocalStorage, outside: Path) -> None:
    """Links to nowhere, outwards and in circles are listed as empty files and hinder nothing."""
    for name, target in (("broken", "none"), ("circle", "circle"), ("out", outside)):
        (storage.root / name).symlink_to(target)
    (storage.root / "z").write_text("z")
    found = [(entry.name, entry.is_dir, entry.size) for entry in storage.list("/")]
    assert found == [
        ("broken", False, 0),
        ("circle", False, 0),
        ("out", False, 0),
        ("z", False, 1),
    ]


def test_walk_with_link_cycle_ends(storage: LocalStorage) -> None:
    """Links that lead back up, also by way of each other, make no endless walk."""
    for name in ("a", "b"):
        (storage.root / name).mkdir()
    (storage.root / "a" / "up").symlink_to("..")
    (storage.root / "a" / "to-b").symlink_to("../b")
    (storage.root / "b" / "to-a").symlink_to("../a")
    found = [entry.path for entry in storage.walk("/")]
    assert "/a/to-b/to-a" in found
    assert len(found) < 20


def test_link_above_root_is_followed(tmp_path: Path) -> None:
    """The storage itself may be reached through a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert LocalStorage(tmp_path / "link").stat("/file").size == 1


def test_pipe_is_not_opened(storage: LocalStorage) -> None:
    """Opening it would block."""
    os.mkfifo(storage.root / "pipe")
    with pytest.raises(OSError, match="Not a regular file") as caught:
        storage.open_read("/pipe")
    assert caught.value.errno == errno.EINVAL


def test_read_only_storage_refuses_changes(tmp_path: Path) -> None:
    """A storage that the cluster calls read-only is not changed, whatever the folder allows."""
    (tmp_path / "file").write_text("x")
    storage = LocalStorage(tmp_path, "main", read_only=True)
    for act in (storage.mkdir, storage.delete, lambda path: storage.rename("/file", path)):
        with pytest.raises(PermissionError, match="Read-only storage: 'main:/file'"):
            act("/file")
    with pytest.raises(PermissionError), storage.open_write("/new"):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_messages_name_user_paths(storage: LocalStorage) -> None:
    """A named storage speaks of NAME:/PATH, a local one of the path on this machine."""
    with pytest.raises(FileNotFoundError, match="'main:/a/b'"):
        storage.stat("a/b")
    with pytest.raises(FileNotFoundError, match=str(storage.root / "a")):
        LocalStorage(storage.root).stat("a")


def test_nul_in_path_is_refused(storage: LocalStorage) -> None:
    """A path with a NUL character is refused in a sentence."""
    with pytest.raises(StorageError, match="NUL"):
        storage.stat("/a\0b")


def test_new_file_mode_follows_umask(storage: LocalStorage) -> None:
    """A new file gets the mode that any new file gets, not that of a private temporary file."""
    (storage.root / "plain").touch()
    with storage.open_write("/new"):
        pass
    assert storage.stat("/new").mode == storage.stat("/plain").mode


@pytest.mark.parametrize(
    "path",
    [
        *("/d/file (deleted)", "/to-file", "/to-folder/new", "/to-nothing", "/none"),
        *("/none/below", "/d/e/new", "/to-nothing/below"),
    ],
)
def test_write_through_link_reaches_realpath(tmp_path: Path, path: str) -> None:
    """Links to files, folders, nothing, and through missing folders."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "file (deleted)").write_text("x")
    for name, target in {
        "to-file": "d/file (deleted)",
        "to-folder": "d/e",
        "to-nothing": "d/none",
    }.items():
        (tmp_path / name).symlink_to(target)
    real = Path(os.path.realpath(tmp_path / path[1:]))
    with LocalStorage(tmp_path).open_write(path) as stream:
        stream.write(b"written")
    assert real.read_bytes() == b"written"
    assert not real.is_symlink()
