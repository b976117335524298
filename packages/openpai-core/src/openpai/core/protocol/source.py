"""Text of a job: reading it from a file, and the positions of its values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence, Union

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol.job_yaml import YamlError, clean, read_yaml
from openpai.core.protocol.yaml_errors import Place

__all__ = [
    "Source",
    "read_text",
    "same",
    "unshared",
]

Keys = Sequence[Union[str, int]]

_MOST_VALUES = 200_000
_DEEPEST = 120
_MOST_BYTES = 10 * 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Source:
    r"""A YAML text that has been read.

    Attributes:
        text: The text, line breaks as ``\\n``.
        file: Its name, for messages; ``None`` if it has none.
        tree: Its value; never changed.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        """Read a text.

        Raises:
            ProtocolError: It is not YAML to the server; the problem has line and column.
        """
        self.file = file
        self.text = clean(text)
        try:
            self.tree, self.places = read_yaml(text)
        except YamlError as error:
            raise _in_file(error, file) from None

    def locate(self, path: Keys, key: bool = False) -> Place:
        """Return line and column, from 1, of a value or of the key in front of it.

        A value that is not there has the place of the nearest one around it.
        """
        found = Place(1, 1)
        value = self.tree
        for step in path:
            places = self.places.get(id(value), (None, {}))[1]
            if step not in places:
                break
            found = places[step][0] if key else places[step][1]
            value = value[step]
        return found


def _in_file(error: YamlError, file: str | None) -> ProtocolError:
    """Return what to raise for a file that is not YAML."""
    place = f", line {error.line}, column {error.column}" if error.line else ""
    message = f"{file or 'The job'}{place}: {error.reason}."
    return ProtocolError(message, error.problems, error.hint)


def same(one: Any, other: Any, depth: int = 0) -> bool:
    """Whether two values are equal in a job: 1 and 1.0 are, 1 and true are not."""
    if one is other:
        return True
    if depth > _DEEPEST:
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(
            same(value, other[key], depth + 1) for key, value in one.items()
        )
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(same(a, b, depth + 1) for a, b in zip(one, other))
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other) or str(one) == str(other) == "nan"


def unshared(value: Any) -> Any:
    """Return a deep copy in which no two places share a value, as aliases make them do.

    Raises:
        ProtocolError: The aliases make the job too large or endless.
    """
    budget = [_MOST_VALUES]

    def copy(item: Any, depth: int) -> Any:
        budget[0] -= 1
        if budget[0] < 0 or depth > _DEEPEST:
            raise ProtocolError(
                "The aliases (*name) of the file make the job endless or far too large.",
                hint="Write the values out where they are used.",
            )
        if isinstance(item, dict):
            return {key: copy(part, depth + 1) for key, part in item.items()}
        if isinstance(item, (list, tuple)):
            return [copy(part, depth + 1) for part in item]
        return item

    return copy(value, 0)


def read_text(path: str | Path) -> str:
    """Return the text of a job file; ``-`` is standard input.

    Raises:
        ProtocolError: The file is larger than 10 MiB, or not UTF-8 (nor UTF-16 with its mark).
        OSError: The file cannot be read.
    """
    if str(path) == "-":
        import sys

        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise _file_error(path, "is larger than 10 MiB.", "A job has at most 100 KiB.")
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: byte 0x{data[error.start]:02x} in line {line}."
        raise _file_error(path, message, "Save the file as UTF-8.", line) from None


def _file_error(
    path: str | Path, message: str, hint: str, line: int | None = None
) -> ProtocolError:
    problem = Problem("", line, None if line is None else 1, f"The file {message}", hint)
    return ProtocolError(f"{path} {message}", [problem], hint)
