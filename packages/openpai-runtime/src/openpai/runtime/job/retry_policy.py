"""Ask PAI to start a task again, or never to, whatever it would make of the exit code.

PAI decides by the exit code that the container's bash ends with, which its table maps: 143 it takes
for a fault of the platform and retries without a limit, 141 for one of the user that it never
retries (k8s-job-exit-spec/config; both come before everything that it looks for in logs). So these
are what the runtime ends with; the command's own code stays in the record.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_private
from openpai.core.protocol import Retry
from openpai.runtime.events import Event, meets
from openpai.runtime.log import say

__all__ = ["AGAIN", "NEVER", "VERDICT", "Verdict", "ask"]

AGAIN = 143
"""PAI: ContainerSigTermReceived, transient."""

NEVER = 141
"""PAI: ContainerSigPipeReceived, permanent."""

VERDICT = "OPENPAI_VERDICT"
"""The variable that names the file into which ``again`` or ``never`` is written."""


def ask(word: str, environ: Mapping[str, str]) -> None:
    """Say what is to become of this task after a failure: ``again`` or ``never``.

    Outside of a task that uses the runtime it means nothing.

    Raises:
        OpenPaiError: The wish cannot be written down.
    """
    path = environ.get(VERDICT)
    if path:
        try:
            Path(path).write_text(word, encoding="ascii")
        except OSError as error:
            raise OpenPaiError(f"{path} cannot be written: {error.strerror}.") from None


def _new_file() -> str:
    """Make a file that only this user can read; importing tempfile takes longer than all else."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - with a name that nobody can guess
    path = f"{folder}/openpai-verdict-{os.urandom(8).hex()}"
    write_private(path, "")
    return path


class Verdict:
    """What the job, its command and its callbacks say about another start.

    Args:
        rules: What the job's section says.
    """

    def __init__(self, rules: Retry | None) -> None:
        self._rules = rules or Retry()
        self._path: str | None = None
        with contextlib.suppress(OSError):  # nowhere to write: then only the rules count
            self._path = _new_file()

    @property
    def variables(self) -> Mapping[str, str]:
        """What command and callbacks find the file by."""
        return {VERDICT: self._path} if self._path else {}

    def word(self, failure: Event) -> str:
        """Return ``again``, ``never``, or an empty text; what was written comes before rules."""
        said = self._said()
        if said:
            return said
        for name, condition in (("never", self._rules.never), ("again", self._rules.again)):
            if condition and meets(failure, condition):
                return name
        return ""

    def code(self, failure: Event) -> int:
        """Return the exit code that makes PAI do so, and say it; the command's own without one."""
        code, word = failure.exit_code or 0, self.word(failure)
        if not word:
            return code
        if word == "again" and failure.attempt >= self._rules.limit:
            say(f"It is not to be started again: that was done {failure.attempt} times already.")
            return code
        new, what = (AGAIN, "start it again") if word == "again" else (NEVER, "not retry it")
        say(f"The exit code is {new} instead of {code}, so that PAI will {what}.")
        return new

    def close(self) -> None:
        """Remove the file."""
        if self._path:
            with contextlib.suppress(OSError):
                Path(self._path).unlink()

    def _said(self) -> str:
        try:
            text = Path(self._path or "").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""
        if text in ("", "again", "never"):
            return text
        say(f"'{text[:40]}' in ${VERDICT} means nothing: write again or never.")
        return ""
