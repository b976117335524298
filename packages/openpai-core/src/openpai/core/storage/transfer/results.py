"""Results of a transfer: per file and in total."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Sequence

from openpai.core.errors import OpenPaiError, StorageError, StorageLoginError
from openpai.core.retry import is_lost

__all__ = ["Copied", "Deleted", "Failed", "Outcomes", "TransferError"]

#: So many failures are kept for the error; all of them are reported as they come.
FAILURES_KEPT = 100_000


@dataclass(frozen=True)
class Copied:
    """One file that is now at the target.

    Attributes:
        source: Where it came from, named for people.
        target: Where it is now, named for people.
        size: Bytes.
        unchanged: Whether it was there already and nothing was sent.
        path: Its path below the root of the transfer; ``""`` for the root itself.
    """

    source: str
    target: str
    size: int
    unchanged: bool = False
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Deleted:
    """One file or folder of the target that the source does not have, and that is gone now.

    Attributes:
        target: Where it was, named for people.
        path: Its path below the root of the transfer.
    """

    target: str
    path: str


@dataclass(frozen=True)
class Failed:
    """One file or folder that could not be copied.

    Attributes:
        source: What was to be copied, named for people.
        target: Where it was to go, named for people.
        error: Why it was not.
        path: Its path below the root of the transfer; ``""`` for the root itself.
    """

    source: str
    target: str
    error: Exception
    path: str = field(default="", compare=False)

    @property
    def where(self) -> str:
        """The file of the error, else the source, on one line."""
        name = str(getattr(self.error, "filename", None) or self.source)
        if name.isprintable():
            return name
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in name)

    @property
    def reason(self) -> str:
        """Reason, in one sentence without a full stop; follows ``where``."""
        error = self.error
        text = error.message if isinstance(error, OpenPaiError) else str(error)
        text = str(getattr(error, "strerror", None) or text).rstrip(".")
        return text[len(self.where) + 1 :] if text.startswith(f"{self.where} ") else text


class TransferError(StorageError):
    """Some files of a tree could not be copied; the others were.

    Attributes:
        failed: What could not be copied, and why.
        copied: What is at the target, as far as it was kept.
        total: The number of both.
        gave_up: Whether there was more, which was not tried.
    """

    def __init__(
        self,
        failed: Sequence[Failed],
        copied: Sequence[Copied],
        total: int | None = None,
        *,
        gave_up: bool = False,
    ) -> None:
        self.failed = tuple(failed)
        self.copied = tuple(copied)
        self.total = len(failed) + len(copied) if total is None else total
        self.gave_up = gave_up
        super().__init__(
            f"{len(failed)} of {self.total} were not copied, the first being "
            f"{failed[0].where}: {failed[0].reason}."
            + (" The rest was not tried." if gave_up else ""),
            _way_out(failed),
        )


def _way_out(failed: Sequence[Failed]) -> str:
    if all(isinstance(item.error, FileExistsError) for item in failed):
        return "Ask for overwrite to replace files that differ."
    hints = {getattr(item.error, "hint", "") for item in failed}
    if len(hints) == 1 and hints != {""}:
        return hints.pop()
    if all(_lasts(item.error) for item in failed):
        return "When that is mended, the same command copies only what is missing."
    return "Run the same command again to copy only what is missing."


def _lasts(error: Exception) -> bool:
    return isinstance(error, (OSError, StorageLoginError)) and not is_lost(error)


class Outcomes:
    """Results by file, in the order of completion; not thread-safe.

    Args:
        on_file: Called with each file that is at the target.
        on_failed: Called with each that is not.
        keep: Whether to keep the files for :meth:`result`.

    Attributes:
        failed: What could not be copied, so far.
    """

    def __init__(
        self,
        on_file: Callable[[Copied], None] | None,
        on_failed: Callable[[Failed], None] | None,
        *,
        keep: bool,
    ) -> None:
        self._on_file = on_file
        self._on_failed = on_failed
        self._keep = keep
        self._count = 0
        self._copied: list[tuple[int, Copied]] = []
        self.failed: list[tuple[int, Failed]] = []

    def report(self, number: int, outcome: Copied | Failed) -> None:
        """Take one outcome; ``number`` is its place in the order of the walk."""
        self._count += 1
        if isinstance(outcome, Failed):
            if self.failed:  # of very many errors the sentences are kept, not all that they hold
                outcome.error.__traceback__ = outcome.error.__context__ = None
            if len(self.failed) < FAILURES_KEPT:
                self.failed.append((number, outcome))
            if self._on_failed:
                self._on_failed(outcome)
            return
        if self._keep:
            self._copied.append((number, outcome))
        if self._on_file:
            self._on_file(outcome)

    def result(self, *, of_tree: bool, gave_up: bool = False) -> list[Copied]:
        """Return what is at the target, in the order of the walk.

        Args:
            of_tree: Whether there may be several files.
            gave_up: Whether some were not tried.

        Raises:
            TransferError: Parts of a tree are not.
            OSError, OpenPaiError: A single file is not.
        """
        copied = [item for _, item in sorted(self._copied, key=_number)]
        failed = [item for _, item in sorted(self.failed, key=_number)]
        if failed and not of_tree:
            raise failed[0].error
        if failed:
            raise TransferError(failed, copied, self._count, gave_up=gave_up)
        return copied


def _number(item: tuple[int, object]) -> int:
    return item[0]
