"""Checkpoints: unfinished multipart uploads, to resume after a crash.

A file of the state folder for each such file, named by source and target, holds the token of its
upload and what the source was. It is locked while a process is at it, so that two that send the
same file do not write the same parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from openpai.core.files import lock_handle
from openpai.core.paths import home
from openpai.core.storage.base import Entry

__all__ = ["CheckpointEntry", "Journal"]

#: Seconds after which an unfinished upload is forgotten.
FORGOTTEN = 7 * 86400


class CheckpointEntry:
    """The journal's place for one file.

    Args:
        path: Where it lies; ``None``: nothing can be kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stream: BinaryIO | None = None

    def token(self, source: Entry) -> str | None:
        """Return the token of an upload of this very source, or ``None``."""
        if self._path is None:
            return None
        if self._stream is None:
            try:
                self._stream = _locked(self._path, os.O_RDWR)
            except FileNotFoundError:
                return None
            except OSError:  # another process is at it
                self._path = None
                return None
        self._stream.seek(0)
        try:
            noted = json.loads(self._stream.read())
        except ValueError:
            return None
        same = source.modified is not None and _identity(source).items() <= noted.items()
        return str(noted["token"]) if same and "token" in noted else None

    def note(self, token: str, source: Entry) -> None:
        """Keep the token of an upload of this source."""
        if self._path is None:
            return
        content = json.dumps({**_identity(source), "token": token}).encode()
        try:
            self._stream = self._stream or _locked(self._path, os.O_RDWR | os.O_CREAT)
            self._stream.seek(0)
            self._stream.truncate()
            self._stream.write(content)
            self._stream.flush()
        except OSError:
            self.close()

    def clear(self) -> None:
        """Forget the upload: it was committed, or given up."""
        if self._path is not None and self._stream is not None:
            with suppress(OSError):
                self._path.unlink()
        self.close()

    def close(self) -> None:
        """Release the lock."""
        if self._stream is not None:
            self._stream.close()
        self._path = self._stream = None


class Journal:
    """The slots of the state folder.

    Args:
        folder: Where they lie; ``~/.openpai/transfers`` by default. Where nothing can be written
            there, nothing is kept, and what was half sent is sent again.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or home() / "transfers"
        self._tidied = False

    def slot(self, source: str, target: str) -> CheckpointEntry:
        """Return the place for the file that goes from ``source`` to ``target``, as named."""
        name = hashlib.sha256(os.fsencode(f"{source}\0{target}")).hexdigest()[:32]
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._tidy()
        except OSError:
            return CheckpointEntry(None)
        return CheckpointEntry(self._folder / f"{name}.json")

    def _tidy(self) -> None:
        if self._tidied:
            return
        self._tidied = True
        for path in self._folder.glob("*.json"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > FORGOTTEN:
                    path.unlink()


def _locked(path: Path, flags: int) -> BinaryIO:
    """Open and lock a file; OSError where another process has it, or just removed it."""
    number = os.open(path, flags | os.O_CLOEXEC, 0o600)
    stream: BinaryIO = os.fdopen(number, "r+b")
    try:
        if not lock_handle(number, timeout=0):
            raise BlockingIOError(path)
        if os.fstat(number).st_ino != path.stat().st_ino:
            raise FileNotFoundError(path)
    except OSError:
        stream.close()
        raise
    return stream


def _identity(source: Entry) -> dict[str, Any]:
    modified: datetime | None = source.modified
    return {"size": source.size, "modified": modified and modified.isoformat()}
