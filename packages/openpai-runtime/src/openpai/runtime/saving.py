"""Save a task's outputs into the job's output folder, and say what was saved.

Every file appears there whole or not at all. What is there already, with the same size and time of
change, is not sent again, so that saving at an interval and trying again cost little. The small
and the named go first, because a task that is being stopped may not have time for all.
"""

from __future__ import annotations

import errno
import posixpath
import time
from pathlib import Path
from typing import NamedTuple, Sequence

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.storage import Storage
from openpai.runtime.job import TaskJob
from openpai.runtime.manifest import Ended, write_manifest
from openpai.runtime.messages import say

__all__ = ["PAUSES", "Saver"]

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait before trying again what a storage refused."""

# Refusals that waiting does not change.
_LASTING = (
    errno.EACCES,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)


class _File(NamedTuple):
    is_glob: bool
    size: int
    root: str
    path: str


class Saver:
    """One round of saving.

    Args:
        job: The task whose outputs are saved; it has a workspace.
        root: The working directory, which the paths of outputs are relative to.
        ended: Why it is done now, which decides what is due.
        extra: A folder of this machine that is saved as a whole, if any.
        deadline: Value of ``time.monotonic()`` after which no further file is begun.
    """

    def __init__(
        self,
        job: TaskJob,
        root: Path,
        ended: Ended,
        *,
        extra: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        assert job.folder
        self._output = job.folder.output
        self._job = job
        self._root = root
        self._ended = ended
        self._extra = extra
        self._deadline = deadline
        self._saved: dict[str, tuple[int, str]] = {}
        self._failed: dict[str, str] = {}
        self._refused: list[str] = []
        self._unmatched: list[str] = []
        self._lasting = False

    def run(self, pauses: Sequence[float] = PAUSES) -> bool:
        """Save everything, trying again what failed; return whether all files are there.

        Where there are none, a manifest that cannot be written is said and nothing more.
        """
        files = self._find()
        for pause in (*pauses, None) if files else (None,):
            done = self._round(files)
            if done or pause is None or self._lasting or self._is_late(pause):
                break
            if pause == pauses[0]:
                say(f"Not saved yet, trying again: {next(iter(self._failed.values()))}")
            time.sleep(pause)
        self._report()
        return not (files and self._failed)

    def _is_late(self, seconds: float = 0.0) -> bool:
        return self._deadline is not None and time.monotonic() + seconds >= self._deadline

    def _find(self) -> list[_File]:
        """Return what is due, each file once, in the order in which it is saved."""
        files: dict[str, _File] = {}
        for output in filter(self._ended.wants, self._job.outputs):
            is_glob = any(character in output.path for character in "*?[")
            if not self._add(files, self._root, output.path, is_glob):
                self._unmatched.append(output.path)
        if self._extra:
            self._add(files, self._extra, ".", True)
        return sorted(files.values())

    def _add(self, files: dict[str, _File], root: Path, pattern: str, is_glob: bool) -> bool:
        from openpai.runtime.matching import find

        found = find(root, pattern)
        for path, size in found.files.items():
            files.setdefault(path, _File(is_glob, size, str(root), path))
        self._refused += [path for path in found.refused if path not in self._refused]
        return bool(found.files or found.refused)

    def _round(self, files: list[_File]) -> bool:
        """Try everything that is not saved yet; return whether nothing is left to try."""
        self._failed.clear()
        self._lasting = True
        try:
            with self._job.workspace_storage() as storage:
                self._check(storage)
                for file in files:
                    if file.path not in self._saved:
                        self._save(storage, file)
                if self._ended.event != "interval":
                    self._write_manifest(storage)
        except (OSError, OpenPaiError) as error:
            self._fail("", error)
        return not self._failed

    def _check(self, storage: Storage) -> None:
        """Refuse a storage whose mount went away and left an empty folder behind.

        The output folder was made when the task began, unless the storage was away then already.
        """
        if self._extra:
            storage.mkdir(self._output)
        elif not storage.exists(self._output):
            raise StorageError(f"{storage.where(self._output)} is not there.")

    def _save(self, storage: Storage, file: _File) -> None:
        from openpai.core.archive import file_sha256  # tasks without outputs do not wait for these
        from openpai.core.transfer import upload

        if self._is_late():
            self._failed[file.path] = "there was no time left"
            return
        source = Path(file.root, file.path)
        try:
            before = source.stat().st_mtime_ns
            target = posixpath.join(self._output, self._job.output, file.path)
            size = upload(storage, source, target, overwrite=True)[0].size
            # While the command runs nothing is written down, so nothing needs a checksum.
            sha256 = "" if self._ended.event == "interval" else file_sha256(source)
            if source.stat().st_mtime_ns != before:
                raise StorageError(f"{source} changed while it was saved.")
            self._saved[file.path] = size, sha256
        except (OSError, OpenPaiError) as error:
            self._fail(file.path, error)

    def _fail(self, target: str, error: Exception) -> None:
        self._lasting = self._lasting and getattr(error, "errno", None) in _LASTING
        self._failed[target] = getattr(error, "strerror", None) or str(error)

    def _write_manifest(self, storage: Storage) -> None:
        outcome = {
            "complete": not self._failed,
            "files": [
                {"path": posixpath.join(self._job.output, path), "size": size, "sha256": sha256}
                for path, (size, sha256) in self._saved.items()
            ],
            "notSaved": [{"path": path, "reason": why} for path, why in self._failed.items()],
            "refused": self._refused,
            "unmatched": self._unmatched,
        }
        write_manifest(storage, self._job, self._ended, outcome)

    def _report(self) -> None:
        """Say what was saved and what was not; while the command runs, only what stops it all."""
        if self._ended.event == "interval" and "" not in self._failed:
            return
        if self._failed:
            path, why = next(iter(self._failed.items()))
            what = (
                f"{len(self._failed)} of the outputs, the first being {path}" if path else "outputs"
            )
            say(f"Not saved: {what}: {why.rstrip('.')}.")
        if self._saved:
            size = sum(size for size, _ in self._saved.values())
            name = (self._job.section.workspace or "").partition(":")[0]
            where = f"{name}:{posixpath.join(self._output, self._job.output).rstrip('/')}"
            files = "1 file" if len(self._saved) == 1 else f"{len(self._saved)} files"
            say(f"Saved {files} ({size:,} bytes) to {where}.")
        if self._unmatched:
            say(f"Outputs that match nothing: {', '.join(self._unmatched)}.")
        if self._refused:
            links = ", ".join(self._refused[:5])
            say(f"Not saved, being links that lead out of the working directory: {links}.")
