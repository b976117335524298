"""Archives of code: pack reproducibly, unpack untrusted archives safely.

An archive is a gzipped tar file. Its members are files, folders and symbolic links, sorted by
name; owners and times are left out, and of the permission bits only the executable one is kept.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import posixpath
import stat
import tarfile
import tempfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Iterator, Mapping

from openpai.core.errors import StorageError
from openpai.core.file_names import is_file_name

__all__ = ["Archive", "file_sha256", "pack_archive", "unpack_archive"]

_BROKEN = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError)


@dataclass(frozen=True)
class Archive:
    """An archive in a temporary file, which is removed at the end of a ``with`` block.

    Attributes:
        path: The file, private to its owner.
        sha256: Its checksum in hexadecimal.
        size: Its size in bytes.
        files: Size in bytes of each file in it, by name.
    """

    path: Path
    sha256: str
    size: int
    files: Mapping[str, int]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        with suppress(FileNotFoundError):
            self.path.unlink()


def pack_archive(places: Mapping[str, Path], links: Mapping[str, str]) -> Archive:
    """Pack files, folders and links into a temporary file.

    Args:
        places: Name in the archive → file or folder on this machine (without its content).
        links: Name in the archive → target of the symbolic link of that name.

    Raises:
        StorageError: A file changed while it was packed, or is neither a file nor a folder.
        OSError: A file cannot be read, or the archive cannot be written.
    """
    files: dict[str, int] = {}
    handle, path = tempfile.mkstemp(prefix="openpai-", suffix=".tar.gz")
    try:
        with os.fdopen(handle, "wb") as out, _tar(out) as tar:
            for name in sorted({**places, **links}, key=os.fsencode):
                info = tarfile.TarInfo(name)
                if name in links:
                    info.type, info.linkname = tarfile.SYMTYPE, links[name]
                    tar.addfile(info)
                elif _add(tar, info, places[name]):
                    files[name] = info.size
        return Archive(Path(path), file_sha256(Path(path)), Path(path).stat().st_size, files)
    except BaseException:
        Path(path).unlink()
        raise


@contextmanager
def _tar(out: BinaryIO) -> Iterator[tarfile.TarFile]:
    with gzip.GzipFile(
        filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0
    ) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        yield tar


def _add(tar: tarfile.TarFile, info: tarfile.TarInfo, place: Path) -> bool:
    """Add a file or folder; return whether it is a file."""
    if place.is_dir():
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
        return False
    if not place.is_file():
        raise StorageError(f"{place} is neither a file nor a folder.", "Leave it out.")
    with place.open("rb") as stream:
        before = os.fstat(stream.fileno())
        info.size = before.st_size
        info.mode = 0o755 if before.st_mode & stat.S_IXUSR else 0o644
        try:
            tar.addfile(info, stream)
            whole = True
        except OSError as error:
            if error.errno is not None:
                raise
            whole = False  # it was shorter than its size
        after = os.fstat(stream.fileno())
    if not whole or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise StorageError(f"{place} changed while it was packed.", "Run the command again.")
    return True


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def unpack_archive(path: Path, target: Path, sha256: str = "") -> None:
    """Unpack an archive into a folder; existing files of the same names are replaced.

    All members are checked before the first is written. Nothing is written outside of the folder,
    neither by names nor through links of the archive or of the folder.

    Args:
        path: The archive.
        target: The folder, created if missing.
        sha256: The required checksum; if empty, only the checksum of gzip is verified.

    Raises:
        StorageError: The checksum differs, the archive is incomplete, or a member is neither a
            file, a folder nor a link, or is or leads outside of the folder.
        OSError: A member cannot be written.
    """
    if sha256 and file_sha256(path) != sha256.lower():
        raise StorageError(f"The SHA-256 of {path} is not {sha256}.", "Upload the code again.")
    try:
        if not sha256:
            _read_through(path)
        with tarfile.open(path, "r:gz") as tar:
            members = tar.getmembers()
            _check(path, members)
            for member in members:
                if not member.issym():
                    _unpack(tar, member, target)
            for member in members:
                if member.issym():
                    _clear(target, member.name).symlink_to(member.linkname)
    except _BROKEN as error:
        raise StorageError(f"{path} is not a complete archive: {error}.") from None


def _read_through(path: Path) -> None:
    """Read to the end, where gzip verifies its checksum; tarfile stops before."""
    with gzip.open(path, "rb") as packed:
        while packed.read(1 << 20):
            pass


def _check(path: Path, members: list[tarfile.TarInfo]) -> None:
    links = {member.name for member in members if member.issym()}
    for member in members:
        if not (member.isreg() or member.isdir() or member.issym()):
            wrong = "is neither a file, a folder nor a link"
        elif not _stays_inside(member.name) or any(
            str(parent) in links for parent in PurePosixPath(member.name).parents
        ):
            wrong = "would be written outside of the folder"
        elif member.issym() and not _leads_inside(member):
            wrong = f"leads out of the folder, to '{member.linkname}'"
        else:
            continue
        raise StorageError(f"Invalid archive {path}: its member '{member.name}' {wrong}.")


def _stays_inside(name: str) -> bool:
    return all(map(is_file_name, name.split("/")))


def _leads_inside(member: tarfile.TarInfo) -> bool:
    """Whether the target of a link is inside, also through other links.

    The folder of the link is a real one, so that leading ``..`` are relative to it; further ones
    could be relative to another link's target and are refused.
    """
    text = member.linkname
    place = posixpath.join(posixpath.dirname(member.name), text)
    plain = bool(text) and posixpath.normpath(text) == text and not text.startswith("/")
    return plain and posixpath.normpath(place).split("/", 1)[0] != ".."


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        _folder(target, member.name)
        return
    place = _clear(target, member.name)
    content = tar.extractfile(member)
    assert content is not None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
    with content, os.fdopen(os.open(place, flags, mode), "wb") as out:
        for chunk in iter(lambda: content.read(1 << 20), b""):
            out.write(chunk)


def _clear(target: Path, name: str) -> Path:
    """Return the path of a file or link; create its folder, remove an older file."""
    folder, _, last = name.rpartition("/")
    place = _folder(target, folder) / last
    with suppress(FileNotFoundError):
        place.unlink()
    return place


def _folder(target: Path, name: str) -> Path:
    """Create a folder below ``target`` part by part, without following links."""
    target.mkdir(parents=True, exist_ok=True)
    place = target
    for part in filter(None, name.split("/")):
        place /= part
        if place.is_symlink():
            raise StorageError(f"{place} is a link instead of a folder.", "Move it away.")
        place.mkdir(exist_ok=True)
    return place
