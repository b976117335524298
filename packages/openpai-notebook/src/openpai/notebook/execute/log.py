"""The job's log: what the cells print, as they print it, and how far the notebook is."""

from __future__ import annotations

import re
import sys
import time
from typing import Any, Mapping, TextIO

from openpai.notebook.execute.streams import overwritten

__all__ = ["Log"]

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

#: A line that a progress bar keeps overwriting is shown so often, in seconds.
_BAR_INTERVAL = 10.0

#: So much of a value's text is shown; the notebook holds all of it.
_VALUE_LIMIT = 4000


class Log:
    """Writes to the task's streams; a log that cannot be written ends nothing."""

    def __init__(self, stdout: TextIO = sys.stdout, stderr: TextIO = sys.stderr) -> None:
        self._streams = {"stdout": _Stream(stdout), "stderr": _Stream(stderr)}

    def note(self, text: str) -> None:
        """Print a line about the run, between the output of the cells."""
        self.end_lines()
        self._streams["stdout"].write(f"openpai-notebook: {text}\n")

    def error(self, text: str) -> None:
        """Print on stderr why nothing was run."""
        self._streams["stderr"].write(f"openpai-notebook: {text}\n")

    def end_lines(self) -> None:
        """End the lines that the cells left open."""
        for stream in self._streams.values():
            stream.end_line()

    def output(self, output: Mapping[str, Any]) -> None:
        """Write an output of a cell: printed text, the plain form of a value, or an error."""
        kind = output["output_type"]
        if kind == "stream":
            name = output["name"] if output["name"] in self._streams else "stdout"
            self._streams[name].write(output["text"])
        elif kind == "error":
            traceback = "\n".join(output.get("traceback") or [])
            self._line("stderr", _COLOURS.sub("", traceback or str(output.get("evalue"))))
        else:
            text = (output.get("data") or {}).get("text/plain")
            if isinstance(text, str):
                self._line("stdout", text)

    def _line(self, name: str, text: str) -> None:
        if len(text) > _VALUE_LIMIT and name == "stdout":
            text = text[:_VALUE_LIMIT] + " [the notebook has the rest]"
        self.end_lines()
        self._streams[name].write(text + "\n")


class _Stream:
    """One stream of the task, in which a progress bar takes one line in ten seconds."""

    def __init__(self, file: TextIO) -> None:
        self._file: TextIO | None = file
        self._open = False  # whether the last line written is not ended
        self._bar = ""  # the state of a line that keeps being overwritten
        self._shown = time.monotonic()

    def write(self, text: str) -> None:
        if self._bar or "\r" in text:
            text = overwritten(self._bar + text)
            whole, end, self._bar = text.rpartition("\n")
            text = whole + end
            if self._bar and time.monotonic() - self._shown > _BAR_INTERVAL:
                text += self._bar.rstrip("\r") + "\n"
        self._emit(text)

    def end_line(self) -> None:
        bar, self._bar = self._bar.rstrip("\r"), ""
        self._emit(bar)
        if self._open:
            self._emit("\n")

    def _emit(self, text: str) -> None:
        if not text or self._file is None:
            return
        self._open = not text.endswith("\n")
        self._shown = time.monotonic()
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            self._file = None
