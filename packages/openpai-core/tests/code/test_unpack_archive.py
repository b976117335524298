"""Archives are unpacked without trusting them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Callable, List, Union

import pytest

from openpai.core.code.archive import file_sha256, unpack_archive
from openpai.core.errors import StorageError

Make = Callable[[List[Union[tarfile.TarInfo, str]]], Path]


def member(name: str, type_: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a member of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type_, link
    return info


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes an archive of members; a plain name is a small file."""

    def archive(members: list[tarfile.TarInfo | str]) -> Path:
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for item in members:
                info = member(item) if isinstance(item, str) else item
                info.size = 3 if info.isreg() else 0
                tar.addfile(info, io.BytesIO(b"new"))
        return path

    return archive


@pytest.mark.parametrize(
    "bad",
    [
        member("/absolute"),
        member("../outside"),
        member("a/../../outside"),
        member("a/../b"),
        member("./b"),
        member("link", tarfile.SYMTYPE, "/etc"),
        member("link", tarfile.SYMTYPE, ".."),
        member("d/link", tarfile.SYMTYPE, "../../x"),
        member("d/link", tarfile.SYMTYPE, "a/../b"),
        member("hard", tarfile.LNKTYPE, "good"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name}>{info.linkname}",
)
def test_invalid_members_are_refused(make: Make, tmp_path: Path, bad: tarfile.TarInfo) -> None:
    """A member that could touch anything else is refused before the first file is written."""
    with pytest.raises(StorageError, match=r"Invalid archive .*: its member"):
        unpack_archive(make(["good", bad]), tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_file_through_archive_link_is_refused(make: Make, tmp_path: Path) -> None:
    """A member below a link is refused, in whatever order they come."""
    link = member("d", tarfile.SYMTYPE, "e")
    for members in ([link, "d/file"], ["d/file", link]):
        with pytest.raises(StorageError, match="'d/file' would be written outside"):
            unpack_archive(make(members), tmp_path / "got")


def test_combined_links_out_are_refused(make: Make, tmp_path: Path) -> None:
    """Links that are harmless one by one and lead out together are refused."""
    up = member("a/b/up", tarfile.SYMTYPE, "../..")
    out = member("out", tarfile.SYMTYPE, "a/b/up/../x")
    with pytest.raises(StorageError, match="'out' leads out of the folder"):
        unpack_archive(make([up, out]), tmp_path / "got")


def test_file_through_folder_link_is_refused(make: Make, tmp_path: Path) -> None:
    """A link that the target folder has is not followed."""
    (tmp_path / "got").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "got" / "d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="is a link instead of a folder"):
        unpack_archive(make(["d/file"]), tmp_path / "got")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_existing_files_are_replaced(make: Make, tmp_path: Path) -> None:
    """Files and links of the same name are replaced themselves; others stay."""
    target = tmp_path / "got"
    target.mkdir()
    (tmp_path / "precious").write_text("old")
    (target / "file").symlink_to(tmp_path / "precious")
    (target / "other").write_text("other")
    unpack_archive(make(["file"]), target)
    assert (target / "file").read_text() == "new"
    assert (target / "other").read_text() == "other"
    assert (tmp_path / "precious").read_text() == "old"


def test_checksum_is_verified_first(make: Make, tmp_path: Path) -> None:
    """An archive that is not the expected one is not unpacked."""
    path = make(["file"])
    unpack_archive(path, tmp_path / "good", file_sha256(path).upper())
    assert (tmp_path / "good" / "file").exists()
    with pytest.raises(StorageError, match=r"The SHA-256 of .* is not 00"):
        unpack_archive(path, tmp_path / "bad", "0" * 64)
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_archive_is_refused(make: Make, tmp_path: Path, share: float) -> None:
    """An archive that was cut short is refused in a sentence, with nothing written."""
    path = make([f"file{number}" for number in range(50)])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StorageError, match="is not a complete archive"):
        unpack_archive(path, tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_damaged_archive_is_refused(make: Make, tmp_path: Path) -> None:
    """A flipped byte is noticed even where no checksum was given."""
    path = make(["file"])
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StorageError, match="is not a complete archive"):
        unpack_archive(path, tmp_path / "got")


def test_missing_archive_raises(tmp_path: Path) -> None:
    """An archive that does not exist is named."""
    with pytest.raises(FileNotFoundError, match=r"none\.tar\.gz"):
        unpack_archive(tmp_path / "none.tar.gz", tmp_path / "got")
