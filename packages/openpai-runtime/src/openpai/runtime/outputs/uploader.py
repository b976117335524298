"""Upload a task's outputs into the job's output folder.

Each file is written atomically. Files with an unchanged size and modification time are skipped, so
that saving at an interval and retries cost little. Named and small files come first, because a task
that is stopped may not have time for all.
"""

from __future__ import annotations

import errno
import posixpath
import time
from pathlib import Path
from typing import Sequence

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.storage import Storage
from openpai.runtime.job import TaskJob
from openpai.runtime.log import log
from openpai.runtime.outputs.file_index import File, MemoryIndex, open_index
from openpai.runtime.outputs.manifest import TaskResult, write_manifest

__all__ = ["PAUSES", "OutputUploader"]

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait before each retry."""

# Errors that a retry does not solve.
_PERMANENT = (
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


class OutputUploader:
    """Uploads the outputs of a task once.

    Args:
        job: The task, whose job has a workspace.
        root: The working directory, to which paths of outputs are relative.
        result: The result of the task, which decides which outputs are saved.
        extra: A local folder that is saved as a whole, if any.
        deadline: Value of ``time.monotonic()`` after which no other file is started.
    """

    def __init__(
        self,
        job: TaskJob,
        root: Path,
        result: TaskResult,
        *,
        extra: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        assert job.folder
        self._output = job.folder.output
        self._job = job
        self._root = root
        self._result = result
        self._extra = extra
        self._deadline = deadline
        outputs = list(filter(result.wants, job.outputs))
        # Without outputs only the manifest is written: no database for that.
        self._index = open_index() if outputs or extra else MemoryIndex()
        self._outputs = outputs
        self._problem = ""
        self._first: tuple[str, str] | None = None
        self._refused: list[str] = []
        self._unmatched: list[str] = []
        self._is_permanent = False

    def run(self, pauses: Sequence[float] = PAUSES) -> bool:
        """Save all files, with retries; return whether all are saved.

        Without files, a manifest that cannot be written is only logged.
        """
        self._find()
        has_files = not self._index.is_empty()
        for pause in (*pauses, None) if has_files else (None,):
            done = self._upload_pass()
            if done or pause is None or self._is_permanent or self._is_late(pause):
                break
            if pause == pauses[0]:
                log(f"Not saved yet, trying again: {self._first[1] if self._first else ''}")
            time.sleep(pause)
        self._report()
        self._index.close()
        return not (has_files and self._first)

    def _is_late(self, seconds: float = 0.0) -> bool:
        return self._deadline is not None and time.monotonic() + seconds >= self._deadline

    def _find(self) -> None:
        """Add the files of the outputs to the index."""
        for output in self._outputs:
            is_glob = any(character in output.path for character in "*?[")
            if not self._add(self._root, output.path, is_glob):
                self._unmatched.append(output.path)
        if self._extra:
            self._add(self._extra, ".", True)

    def _add(self, root: Path, pattern: str, is_glob: bool) -> bool:
        """Add the files of a pattern to the index; return whether there are any."""
        from openpai.runtime.outputs.glob import Matches, find

        place, seen = str(root), [0]

        class IndexedMatches(Matches):
            def add(_, path: str, size: int) -> None:  # noqa: N805 - self is the uploader
                seen[0] += 1
                self._index.add(File(is_glob, size, place, path))

        found = find(root, pattern, IndexedMatches())
        self._refused += [path for path in found.refused if path not in self._refused]
        return bool(seen[0] or found.refused)

    def _upload_pass(self) -> bool:
        """Try all files that are not saved; return whether all succeeded."""
        self._first = None
        self._problem = ""
        self._is_permanent = True
        try:
            with self._job.workspace_storage() as storage:
                self._check(storage)
                for file in self._index.open_files():
                    self._save(storage, file)
                if self._result.event != "interval":
                    self._write_manifest(storage)
        except (OSError, OpenPaiError) as error:
            self._problem = self._error_text("", error)
        return not self._first

    def _check(self, storage: Storage) -> None:
        """Raise an error if the storage is no longer mounted and its mount point is empty.

        The output folder was created when the task started, unless the storage was missing then.
        """
        if self._extra:
            storage.mkdir(self._output)
        elif not storage.exists(self._output):
            raise StorageError(f"{storage.where(self._output)} is not there.")

    def _save(self, storage: Storage, file: File) -> None:
        from openpai.core.code import file_sha256
        from openpai.core.storage.transfer import upload

        if self._is_late():
            self._first = self._first or (file.path, "there was no time left")
            self._index.fail(file, "there was no time left")
            return
        source = Path(file.root, file.path)
        try:
            before = source.stat().st_mtime_ns
            target = posixpath.join(self._output, self._job.output, file.path)
            size = upload(storage, source, target, overwrite=True)[0].size
            # Checksums are for the manifest, which is only written at the end.
            sha256 = "" if self._result.event == "interval" else file_sha256(source)
            if source.stat().st_mtime_ns != before:
                raise StorageError(f"{source} changed while it was saved.")
            self._index.save(file, size, sha256)
        except (OSError, OpenPaiError) as error:
            self._index.fail(file, self._error_text(file.path, error))

    def _error_text(self, path: str, error: Exception) -> str:
        """Return the message of an error, and keep the first file."""
        self._is_permanent = self._is_permanent and getattr(error, "errno", None) in _PERMANENT
        why = str(getattr(error, "strerror", None) or error)
        self._first = self._first or (path, why)
        return why

    def _write_manifest(self, storage: Storage) -> None:
        folder = self._job.output
        files = (
            {"path": posixpath.join(folder, file.path), "size": file.size, "sha256": file.note}
            for file in self._index.saved_files()
        )
        lost = ({"path": file.path, "reason": file.note} for file in self._index.open_files())
        outcome = {
            "complete": not self._first,
            "files": files,
            "notSaved": lost,
            "refused": self._refused,
            "unmatched": self._unmatched,
        }
        write_manifest(storage, self._job, self._result, outcome)

    def _report(self) -> None:
        """Log what was saved and what was not; during the command only fatal errors."""
        if self._result.event == "interval" and not self._problem:
            return
        lost, count, size = self._index.count()
        if self._first:
            path, why = self._first
            what = f"{lost} of the outputs, the first being {path}" if path else "outputs"
            log(f"Not saved: {what}: {why.rstrip('.')}.")
        if count:
            name = (self._job.section.workspace or "").partition(":")[0]
            where = f"{name}:{posixpath.join(self._output, self._job.output).rstrip('/')}"
            files = "1 file" if count == 1 else f"{count} files"
            log(f"Saved {files} ({size:,} bytes) to {where}.")
        if self._unmatched:
            log(f"Outputs that match nothing: {', '.join(self._unmatched)}.")
        if self._refused:
            links = ", ".join(self._refused[:5])
            log(f"Not saved, being links that lead out of the working directory: {links}.")
