"""Atomic writes of whole files, and file locks between processes."""
# ruff: noqa: PTH101, PTH105, PTH108, PTH110, PTH116, PTH118, PTH123
# (importing pathlib takes as long as everything else that a supervisor's start needs)

from __future__ import annotations

import contextlib
import os
import time
from typing import Iterator, Union

__all__ = ["file_lock", "is_locked", "lock_handle", "write_file", "write_private"]

_Path = Union[str, "os.PathLike[str]"]


def write_private(path: _Path, content: str | bytes) -> None:
    """Write a file that only its owner may read; see :func:`write_file`."""
    write_file(path, content, mode=0o600)


def write_file(path: _Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Write a whole file: a reader sees the old content or the new, also after a crash.

    Args:
        path: The file; its folder must exist.
        content: Text is written as UTF-8.
        mode: Permission bits; ``None`` keeps those of the file that is replaced, else ``0o644``.

    Raises:
        OSError: The file cannot be written; it is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    if mode is None:
        mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644
    folder, name = os.path.split(os.fspath(path))
    temporary = os.path.join(folder, f".{name[:32]}.{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(data)
            os.chmod(temporary, mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def file_lock(path: _Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock that a file stands for; the file is created, and stays.

    Args:
        path: A file for this purpose only; it holds nothing.
        wait: Whether to wait while another process holds the lock.

    Raises:
        BlockingIOError: Another process holds the lock, and ``wait`` is false.
        OSError: The file cannot be created or locked.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(os.fspath(path), timeout=-1 if wait else 0):
            yield
    except Timeout:
        raise BlockingIOError(f"{path} is locked") from None


def lock_handle(handle: int, timeout: float) -> bool:
    """Lock an open file for as long as this process keeps it open (POSIX only).

    Args:
        handle: The descriptor.
        timeout: Seconds to wait for the lock; :func:`is_locked` holds it for an instant, too.

    Returns:
        Whether the file is locked now; false if another process kept it locked.
    """
    import fcntl

    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def is_locked(path: _Path) -> bool:
    """Whether a process holds the lock of a file; false if the file cannot be opened (POSIX)."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
