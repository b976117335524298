"""Helpers of the conformance tests."""

from __future__ import annotations

import threading
from typing import Callable

from openpai.core.storage import Storage

__all__ = ["BrokenOffError", "break_off", "read", "together", "write"]


class BrokenOffError(Exception):
    """Raised to stop the writing in :func:`break_off`."""


def write(storage: Storage, path: str, content: bytes = b"content") -> None:
    """Put a file with this content at ``path``."""
    with storage.open_write(path) as stream:
        stream.write(content)


def break_off(storage: Storage, path: str) -> None:
    """Begin to write a file and fail.

    Raises:
        BrokenOffError: Always.
    """
    with storage.open_write(path) as stream:
        stream.write(b"half")
        raise BrokenOffError


def read(storage: Storage, path: str) -> bytes:
    """Return the content of a file."""
    with storage.open_read(path) as stream:
        return stream.read()


def together(acts: list[Callable[[], None]]) -> None:
    """Run functions at once in threads; raise the first error."""
    errors: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
