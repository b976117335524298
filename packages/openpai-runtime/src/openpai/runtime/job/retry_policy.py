"""Retry policy: make PAI restart a failed task, or not, regardless of its exit code.

PAI decides by the exit code of the container's bash (k8s-job-exit-spec/config): it treats 143 as a
platform failure and retries without limit, and 141 as a user failure that is never retried; both
take precedence over patterns in logs. So the runtime exits with one of these; the manifest keeps
the command's own code.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_private
from openpai.core.protocol import Retry
from openpai.runtime.events import Event, matches
from openpai.runtime.log import log

__all__ = ["NO_RETRY", "RETRY", "VERDICT", "RetryDecision", "request_retry"]

RETRY = 143
"""PAI: ContainerSigTermReceived, transient."""

NO_RETRY = 141
"""PAI: ContainerSigPipeReceived, permanent."""

VERDICT = "OPENPAI_VERDICT"
"""The variable that names the file into which ``again`` or ``never`` is written."""


def request_retry(value: str, environ: Mapping[str, str]) -> None:
    """Request that PAI retries this task after a failure (``again``) or does not (``never``).

    No effect outside of a task that uses the runtime.

    Raises:
        OpenPaiError: The file of ``OPENPAI_VERDICT`` cannot be written.
    """
    path = environ.get(VERDICT)
    if path:
        try:
            Path(path).write_text(value, encoding="ascii")
        except OSError as error:
            raise OpenPaiError(f"{path} cannot be written: {error.strerror}.") from None


def _new_file() -> str:
    """Make a private file; importing tempfile would take longer than everything else."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the name cannot be guessed
    path = f"{folder}/openpai-verdict-{os.urandom(8).hex()}"
    write_private(path, "")
    return path


class RetryDecision:
    """Decides on a retry by the job's rules and the requests of its command and callbacks.

    Args:
        rules: ``retry`` of the job's section.
    """

    def __init__(self, rules: Retry | None) -> None:
        self._rules = rules or Retry()
        self._path: str | None = None
        with contextlib.suppress(OSError):  # no writable folder: only the rules count
            self._path = _new_file()

    @property
    def variables(self) -> Mapping[str, str]:
        """Variables with the path of the file for requests."""
        return {VERDICT: self._path} if self._path else {}

    def value(self, failure: Event) -> str:
        """Return ``again``, ``never`` or an empty text; a request takes precedence over rules."""
        said = self._requested()
        if said:
            return said
        for name, condition in (("never", self._rules.never), ("again", self._rules.again)):
            if condition and matches(failure, condition):
                return name
        return ""

    def code(self, failure: Event) -> int:
        """Return and log the exit code for the decision: the command's own without one."""
        code, value = failure.exit_code or 0, self.value(failure)
        if not value:
            return code
        if value == "again" and failure.attempt >= self._rules.limit:
            log(f"It is not to be started again: that was done {failure.attempt} times already.")
            return code
        new, what = (RETRY, "start it again") if value == "again" else (NO_RETRY, "not retry it")
        log(f"The exit code is {new} instead of {code}, so that PAI will {what}.")
        return new

    def close(self) -> None:
        """Remove the file."""
        if self._path:
            with contextlib.suppress(OSError):
                Path(self._path).unlink()

    def _requested(self) -> str:
        try:
            text = Path(self._path or "").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""
        if text in ("", "again", "never"):
            return text
        log(f"'{text[:40]}' in ${VERDICT} means nothing: write again or never.")
        return ""
