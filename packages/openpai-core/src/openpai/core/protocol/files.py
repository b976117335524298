"""Job files: read within bounds, whatever they hold."""

from __future__ import annotations

from pathlib import Path

from openpai.core.errors import ProtocolError
from openpai.core.problems import Problem

__all__ = ["read_text"]

_LARGEST = 10 * 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_text(path: str | Path) -> str:
    """Return the text of a job file; ``-`` is standard input.

    Raises:
        ProtocolError: The file is far too large, or no text in UTF-8 (or UTF-16 with its mark).
        OSError: The file cannot be read.
    """
    if str(path) == "-":
        import sys

        data = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _refusal(path, "is larger than 10 MiB.", "A job has at most 100 KiB.")
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is no text in UTF-8: byte 0x{data[error.start]:02x} in line {line}."
        raise _refusal(path, message, "Save the file as UTF-8.", line) from None


def _refusal(path: str | Path, message: str, hint: str, line: int | None = None) -> ProtocolError:
    problem = Problem("", line, None if line is None else 1, f"The file {message}", hint)
    return ProtocolError(f"{path} {message}", [problem], hint)
