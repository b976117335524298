"""Whatever a storage lists, nothing leaves its folder, every walk ends, and refusals are named."""

from __future__ import annotations

import io
import posixpath
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ContextManager, Dict, Iterator

import pytest
from hypothesis import given, settings, strategies as st

from openpai.core.errors import RefusedNamesError, StorageError
from openpai.core.file_names import Accepted, is_file_name
from openpai.core.storage.base import Entry, Storage
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.paths import below, normalize
from openpai.core.storage.transfer.transfer import (
    Failed,
    Options,
    Transfer,
    TransferError,
    download,
    local_place,
    upload,
)

#: Name → what is below it, or ``None`` for a file.
Tree = Dict[str, Any]

ODD = ["", ".", "..", "/", "/etc", "a/b", "../x", "../../x", "a/../../x", "a/", "\0", "a\0b", "./a"]
NAMES = st.one_of(
    st.sampled_from([*ODD, "a", "b", "...", "a\\b", "C:"]), st.text("./\0ab", max_size=5)
)
TREES = st.recursive(
    st.dictionaries(NAMES, st.none(), max_size=4),
    lambda below: st.dictionaries(NAMES, st.one_of(st.none(), below), max_size=4),
    max_leaves=12,
)


class Listed(Storage):
    """A storage that lists whatever a tree says, and whose files all hold ``x``.

    As a server would, it takes ``..`` in a path for the folder above, so a path of an odd name is
    one of a folder or file that exists.
    """

    name = "team"

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def _at(self, path: str) -> Tree | None:
        found: Any = self.tree
        for name in filter(None, normalize(path).split("/")):
            if not isinstance(found, dict) or name not in found:
                raise FileNotFoundError(path)
            found = found[name]
        return found

    def stat(self, path: str) -> Entry:
        """Describe what the tree has there."""
        is_dir = self._at(path) is not None
        return Entry(normalize(path), is_dir, 0 if is_dir else 1)

    def _list(self, path: str) -> Iterator[Entry]:
        for name, tree in sorted((self._at(path) or {}).items()):
            yield Entry(below(path, name), tree is not None, 0 if tree is not None else 1)

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file."""
        assert self._at(path) is None
        return io.BytesIO(b"x"[offset:])

    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> ContextManager[BinaryIO]:
        """Refuse."""
        raise PermissionError(path)

    def mkdir(self, path: str) -> None:
        """Refuse."""
        raise PermissionError(path)

    def rename(self, source: str, target: str) -> None:
        """Refuse."""
        raise PermissionError(source)

    def delete(self, path: str, recursive: bool = False) -> None:
        """Refuse."""
        raise PermissionError(path)


def _good(tree: Tree, path: str = "") -> Iterator[str]:
    """Yield the files and, with a slash at the end, the folders that are to be taken."""
    for name, inside in tree.items():
        if is_file_name(name):
            yield f"{path}{name}" + ("" if inside is None else "/")
            yield from _good(inside or {}, f"{path}{name}/")


def _refused(tree: Tree) -> int:
    return sum(
        1 if not is_file_name(name) else _refused(inside or {}) for name, inside in tree.items()
    )


def _seen(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_file_names_are_told_from_paths() -> None:
    """Only what means a place or another folder is refused; what POSIX allows is not."""
    assert [name for name in ODD if is_file_name(name)] == []
    assert all(map(is_file_name, ["...", "a\\b", "C:", " ", "\n", "-", "~", ".opai", "\udc80"]))


@given(TREES)
@settings(deadline=None)
def test_walk_yields_file_names_only(tree: Tree) -> None:
    """A walk ends, has every good path, and then tells of each name that it refused."""
    walk = Accepted(Listed(tree).walk("/"))
    paths = {entry.path[1:] + ("/" if entry.is_dir else "") for entry in walk}
    assert paths == set(_good(tree))
    told = sum(map(len, walk.error.names.values())) if walk.error else 0
    assert told == _refused(tree)


@pytest.mark.parametrize("exists", [True, False])
@given(tree=TREES)
@settings(deadline=None, max_examples=40)
def test_download_stays_in_target(exists: bool, tree: Tree) -> None:
    """Of any listing, what can be a file arrives below the target; beside it nothing changes."""
    with tempfile.TemporaryDirectory() as folder:
        box = Path(folder)
        (box / "home" / "a").mkdir(parents=True)
        (box / "home" / "b").write_text("mine")
        target = box / "home" / "data"
        if exists:
            target.mkdir()
        before = _seen(box) - {"home/data"}
        options = Options(retries=0, journal=box / "home" / "a" / "journal")
        failed = []
        try:
            download(Listed(tree), "/", target, options=options)
        except TransferError as error:
            failed = error.failed
        arrived = {path.relative_to(target).as_posix() for path in target.rglob("*")}
        assert {path for path in arrived if (target / path).is_file()} == {
            path for path in _good(tree) if not path.endswith("/")
        }
        assert _seen(box) - {"home/data"} - {f"home/data/{path}" for path in arrived} == before
        assert (box / "home" / "b").read_text() == "mine"
        names = [name for item in failed for names in item.error.names.values() for name in names]
        assert len(names) == _refused(tree)


@given(TREES)
@settings(deadline=None, max_examples=40)
def test_sync_deletes_nothing_beside_refused_names(tree: Tree) -> None:
    """Where the source's listing is not whole, nothing of the target is taken for surplus."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "data")
        target.mkdir()
        (target / "surplus").write_text("x")
        options = Options(retries=0, delete=True, journal=Path(folder, "journal"))
        transfer = Transfer(Listed(tree), "/", *local_place(target), options)
        if _refused(tree):
            with pytest.raises(TransferError):
                transfer.run()
        else:
            transfer.run()
        assert (target / "surplus").exists() == bool(_refused(tree))


def test_refused_names_are_reported(tmp_path: Path) -> None:
    """The error of a transfer says which names of which folder were refused."""
    tree: Tree = {"data": {"..": {"data": {}}, "ok": None, "sub": {"": None, "a/b": None}}}
    failed: list[Failed] = []
    options = Options(journal=tmp_path / "journal")
    place = local_place(tmp_path / "here", is_folder=True)
    transfer = Transfer(Listed(tree), "/data", *place, options)
    with pytest.raises(TransferError, match="2 of 3 were not copied"):
        transfer.run(on_failed=failed.append)
    assert sorted((item.where, item.reason) for item in failed) == [
        ("team:/data", "Refused 1 name that is not a file name: '..'"),
        ("team:/data/sub", "Refused 2 names that are not file names: '', 'a/b'"),
    ]
    assert (tmp_path / "here" / "ok").read_text() == "x"


def test_listing_error_names_folders() -> None:
    """Refusals of several folders are told together, after everything else, with their places."""
    walk = Listed({"..": {}, "sub": {"\x1b[2J/": None}}).walk("/")
    assert next(walk).path == "/sub"
    with pytest.raises(RefusedNamesError) as caught:
        next(walk)
    assert caught.value.message == (
        "Refused 2 names that are not file names: '\\x1b[2J/' in team:/sub, '..' in team:/."
    )
    many = RefusedNamesError({"team:/": ["x/"] * 1000})
    assert many.message.endswith("'x/' and 990 more in team:/.")


def test_target_with_odd_names_takes_uploads(tmp_path: Path) -> None:
    """Odd names beside what is copied matter only where the rest of the target is to be deleted."""

    class Odd(LocalStorage):
        def _list(self, path: str) -> Iterator[Entry]:
            yield from super()._list(path)
            yield Entry(below(path, "x/y"), False, 1)

    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").write_text("x")
    target = Odd(tmp_path / "there", "team")
    assert [item.path for item in upload(target, tmp_path / "here", "/t")] == ["file"]
    options = Options(delete=True, journal=tmp_path / "journal")
    with pytest.raises(TransferError, match="'x/y'"):
        Transfer(*local_place(tmp_path / "here"), target, "/t", options).run()


def test_endless_folders_end(tmp_path: Path) -> None:
    """A server that finds the same folder in each folder is not followed for ever."""

    class Endless(Listed):
        def _at(self, path: str) -> Tree | None:
            return None if path.endswith("file") else {"a": {}, "file": None}

    endless = Endless({})
    with pytest.raises(StorageError, match="lies in more than 512 folders"):
        for _ in endless.walk("/"):
            pass
    options = Options(retries=0, journal=tmp_path / "journal")
    with pytest.raises(TransferError, match="lies in more than 512 folders"):
        download(endless, "/", tmp_path / "data", options=options)
    assert (tmp_path / "data" / "a" / "file").read_text() == "x"


def test_missing_target_is_the_folder(tmp_path: Path) -> None:
    """A folder that is to be made is the storage: a link in it does not lead to its parent."""
    storage, path = local_place(tmp_path / "new", is_folder=True)
    assert (storage.root, path) == (tmp_path / "new", "/")
    assert not (tmp_path / "new").exists()
    storage.mkdir(posixpath.join(path, "sub"))
    assert (tmp_path / "new" / "sub").is_dir()
    assert local_place(tmp_path / "file")[1] == "/file"
