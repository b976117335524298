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
from typing import Sequence

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.storage import Storage
from openpai.runtime.job import TaskJob
from openpai.runtime.log import say
from openpai.runtime.outputs.file_index import File, MemoryIndex, open_index
from openpai.runtime.outputs.manifest import Ended, write_manifest

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
        outputs = list(filter(ended.wants, job.outputs))
        # Without outputs only the manifest is written: no database for that.
        self._index = open_index() if outputs or extra else MemoryIndex()
        self._outputs = outputs
        self._problem = ""
        self._first: tuple[str, str] | None = None
        self._refused: list[str] = []
        self._unmatched: list[str] = []
        self._lasting = False

    def run(self, pauses: Sequence[float] = PAUSES) -> bool:
        """Save everything, trying again what failed; return whether all files are there.

        Where there are none, a manifest that cannot be written is said and nothing more.
        """
        self._find()
        some = not self._index.is_empty()
        for pause in (*pauses, None) if some else (None,):
            done = self._round()
            if done or pause is None or self._lasting or self._is_late(pause):
                break
            if pause == pauses[0]:
                say(f"Not saved yet, trying again: {self._first[1] if self._first else ''}")
            time.sleep(pause)
        self._report()
        self._index.close()
        return not (some and self._first)

    def _is_late(self, seconds: float = 0.0) -> bool:
        return self._deadline is not None and time.monotonic() + seconds >= self._deadline

    def _find(self) -> None:
        """Enter what is due, each file once."""
        for output in self._outputs:
            is_glob = any(character in output.path for character in "*?[")
            if not self._add(self._root, output.path, is_glob):
                self._unmatched.append(output.path)
        if self._extra:
            self._add(self._extra, ".", True)

    def _add(self, root: Path, pattern: str, is_glob: bool) -> bool:
        """Enter what a pattern stands for; return whether that is anything."""
        from openpai.runtime.outputs.glob import Matches, find

        place, seen = str(root), [0]

        class Entered(Matches):
            def take(_, path: str, size: int) -> None:  # noqa: N805 - self is the saver's
                seen[0] += 1
                self._index.add(File(is_glob, size, place, path))

        found = find(root, pattern, Entered())
        self._refused += [path for path in found.refused if path not in self._refused]
        return bool(seen[0] or found.refused)

    def _round(self) -> bool:
        """Try everything that is not saved yet; return whether nothing is left to try."""
        self._first = None
        self._problem = ""
        self._lasting = True
        try:
            with self._job.workspace_storage() as storage:
                self._check(storage)
                for file in self._index.open_files():
                    self._save(storage, file)
                if self._ended.event != "interval":
                    self._write_manifest(storage)
        except (OSError, OpenPaiError) as error:
            self._problem = self._why("", error)
        return not self._first

    def _check(self, storage: Storage) -> None:
        """Refuse a storage whose mount went away and left an empty folder behind.

        The output folder was made when the task began, unless the storage was away then already.
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
            # While the command runs nothing is written down, so nothing needs a checksum.
            sha256 = "" if self._ended.event == "interval" else file_sha256(source)
            if source.stat().st_mtime_ns != before:
                raise StorageError(f"{source} changed while it was saved.")
            self._index.save(file, size, sha256)
        except (OSError, OpenPaiError) as error:
            self._index.fail(file, self._why(file.path, error))

    def _why(self, path: str, error: Exception) -> str:
        """Return why something could not be saved, and remember the first."""
        self._lasting = self._lasting and getattr(error, "errno", None) in _LASTING
        why = str(getattr(error, "strerror", None) or error)
        self._first = self._first or (path, why)
        return why

    def _write_manifest(self, storage: Storage) -> None:
        folder = self._job.output
        files = (
            {"path": posixpath.join(folder, one.path), "size": one.size, "sha256": one.note}
            for one in self._index.saved_files()
        )
        lost = ({"path": one.path, "reason": one.note} for one in self._index.open_files())
        outcome = {
            "complete": not self._first,
            "files": files,
            "notSaved": lost,
            "refused": self._refused,
            "unmatched": self._unmatched,
        }
        write_manifest(storage, self._job, self._ended, outcome)

    def _report(self) -> None:
        """Say what was saved and what was not; while the command runs, only what stops it all."""
        if self._ended.event == "interval" and not self._problem:
            return
        lost, count, size = self._index.count()
        if self._first:
            path, why = self._first
            what = f"{lost} of the outputs, the first being {path}" if path else "outputs"
            say(f"Not saved: {what}: {why.rstrip('.')}.")
        if count:
            name = (self._job.section.workspace or "").partition(":")[0]
            where = f"{name}:{posixpath.join(self._output, self._job.output).rstrip('/')}"
            files = "1 file" if count == 1 else f"{count} files"
            say(f"Saved {files} ({size:,} bytes) to {where}.")
        if self._unmatched:
            say(f"Outputs that match nothing: {', '.join(self._unmatched)}.")
        if self._refused:
            links = ", ".join(self._refused[:5])
            say(f"Not saved, being links that lead out of the working directory: {links}.")
