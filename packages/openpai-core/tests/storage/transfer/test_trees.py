"""Whole trees go up and come back as they were."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from hypothesis import given, settings, strategies as st

from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import Copied, TransferError, download, upload

Picture = Callable[[Path], dict]

LETTERS = st.one_of(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"], max_codepoint=0x1FFFF),
    st.integers(0x80, 0xFF).map(lambda byte: os.fsdecode(bytes([byte]))),
)
NAMES = (
    st.text(LETTERS, min_size=1, max_size=8)
    .filter(lambda name: name not in (".", "..") and not name.startswith(".opai-"))
    .map(os.fsencode)
)
FILES = st.tuples(st.binary(max_size=50), st.integers(0, 0o777), st.integers(0, 2**33 * 10**6))
TREES = st.recursive(
    st.dictionaries(NAMES, FILES, max_size=3),
    lambda inner: st.dictionaries(NAMES, st.one_of(FILES, inner), max_size=4),
    max_leaves=12,
)
Tree = Dict[bytes, Any]


def plant(folder: Path, tree: Tree) -> None:
    """Make a folder hold a tree."""
    folder.mkdir()
    for name, content in tree.items():
        path = folder / os.fsdecode(name)
        if isinstance(content, dict):
            plant(path, content)
        else:
            data, mode, time = content
            path.write_bytes(data)
            os.utime(path, ns=(time * 1000, time * 1000))
            path.chmod(mode | 0o400)


@settings(deadline=None)
@given(tree=TREES)
def test_upload_and_download_preserve_tree(picture: Picture, tree: Tree) -> None:
    """Names, contents, permission bits, times and empty folders survive the way up and down."""
    with tempfile.TemporaryDirectory() as place:
        there, back, here = Path(place, "there"), Path(place, "back"), Path(place, "here")
        plant(here, tree)
        there.mkdir()
        storage = LocalStorage(there, "main")
        upload(storage, here, "/a/b")
        download(storage, "/a/b", back)
        assert picture(there / "a" / "b") == picture(here)
        assert picture(back) == picture(here)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small tree."""
    root = tmp_path / "tree"
    (root / "d" / "empty").mkdir(parents=True)
    (root / "d" / "file").write_bytes(b"12345")
    (root / "top").write_bytes(b"")
    return root


def test_results_and_progress_are_reported(storage: LocalStorage, tree: Path) -> None:
    """Every file is reported once when it is there, and every byte is counted."""
    seen: list[Copied] = []
    counted: list[int] = []
    copied = upload(storage, tree, "/t", on_file=seen.append, on_bytes=counted.append)
    assert copied == sorted(seen, key=lambda item: item.path)
    assert [(item.target, item.size) for item in copied] == [
        ("main:/t/d/file", 5),
        ("main:/t/top", 0),
    ]
    assert copied[0].source == str(tree / "d" / "file")
    assert sum(counted) == 5


def test_second_upload_sends_nothing(storage: LocalStorage, tree: Path) -> None:
    """A second run finds every file there and says so."""
    upload(storage, tree, "/t")
    before = (storage.root / "t" / "d" / "file").stat().st_ino
    for overwrite in (False, True):
        assert all(item.unchanged for item in upload(storage, tree, "/t", overwrite=overwrite))
    assert (storage.root / "t" / "d" / "file").stat().st_ino == before


def test_second_upload_sends_missing_files(storage: LocalStorage, tree: Path) -> None:
    """A second run after an interruption sends only what is not there."""
    upload(storage, tree, "/t")
    storage.delete("/t/top")
    copied = upload(storage, tree, "/t")
    assert [(item.target, item.unchanged) for item in copied] == [
        ("main:/t/d/file", True),
        ("main:/t/top", False),
    ]


def test_same_content_with_other_time_is_unchanged(storage: LocalStorage, tree: Path) -> None:
    """A file that holds the same content is found to be there, whatever its time."""
    upload(storage, tree, "/t")
    os.utime(storage.root / "t" / "d" / "file", (0, 0))
    assert upload(storage, tree, "/t")[0].unchanged


def test_links_inside_tree_are_copied_as_files(storage: LocalStorage, tree: Path) -> None:
    """A link to a file or folder of the tree becomes a copy of it."""
    (tree / "link").symlink_to("d/file")
    (tree / "d2").symlink_to("d")
    upload(storage, tree, "/t")
    assert (storage.root / "t" / "link").read_bytes() == b"12345"
    assert (storage.root / "t" / "d2" / "file").read_bytes() == b"12345"
    assert not (storage.root / "t" / "link").is_symlink()


def test_links_out_of_tree_fail_alone(storage: LocalStorage, tree: Path, tmp_path: Path) -> None:
    """A link that leads out of the tree is an error of its own; the rest arrives."""
    (tmp_path / "secret").write_text("secret")
    (tree / "a-link").symlink_to(tmp_path / "secret")
    with pytest.raises(TransferError, match=r"1 of 3 were not copied.*a-link.*leads out") as caught:
        upload(storage, tree, "/t")
    assert [Path(item.source).name for item in caught.value.failed] == ["a-link"]
    assert len(caught.value.copied) == 2
    assert not storage.exists("/t/a-link")


def test_download_does_not_follow_target_links(
    storage: LocalStorage, tree: Path, tmp_path: Path
) -> None:
    """A link in the target folder does not lead a download out of it."""
    upload(storage, tree, "/t")
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    (target / "d").symlink_to(elsewhere)
    with pytest.raises(TransferError):
        download(storage, "/t", target)
    assert list(elsewhere.iterdir()) == []
    assert (target / "top").exists()


def test_partial_files_are_skipped(storage: LocalStorage, tree: Path) -> None:
    """What another process is writing, or left behind when it was killed, is not copied."""
    (tree / ".opai-0123456789ab.partial").write_bytes(b"half")
    assert len(upload(storage, tree, "/t")) == 2


def test_single_file_is_copied(storage: LocalStorage, tree: Path, tmp_path: Path) -> None:
    """A file gets exactly the name asked for, with the folders above it."""
    upload(storage, tree / "d" / "file", "/x/y")
    download(storage, "/x/y", tmp_path / "p" / "q")
    assert (tmp_path / "p" / "q").read_bytes() == b"12345"
