"""Rules of ``.gitignore`` files, as git matches them byte for byte.

Git itself is not used, so that a folder gives the same files with and without git, inside and
outside of a work tree; the tests compare with ``git check-ignore``. As in git, a pattern without a
slash matches names at any depth, one with a slash is relative to the folder of its file, the last
match wins, and nothing below an excluded folder can be included again.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Pattern, Sequence

__all__ = ["Rule", "matching_rule", "parse_rules", "read_rules"]

_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))),
    "punct": string.punctuation,
    "space": " \t\n\v\f\r",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}


@dataclass(frozen=True)
class Rule:
    """One line of an ignore file.

    Attributes:
        origin: Name of its file, such as ``.gitignore``.
        folder: The folder of that file, ``""`` or with a slash at its end.
        pattern: Matches the name, or the path below ``folder``.
        keeps: Whether it includes matching files again (``!``).
        folders_only: Whether it matches folders only (a slash at the end).
        by_name: Whether it matches the name, at any depth below ``folder``.
    """

    origin: str
    folder: bytes
    pattern: Pattern[bytes]
    keeps: bool
    folders_only: bool
    by_name: bool

    def matches(self, path: bytes, is_dir: bool) -> bool:
        """Whether the rule matches a path."""
        if (self.folders_only and not is_dir) or not path.startswith(self.folder):
            return False
        text = path.rpartition(b"/")[2] if self.by_name else path[len(self.folder) :]
        return self.pattern.fullmatch(text) is not None


def matching_rule(rules: Sequence[Rule], path: bytes, is_dir: bool) -> Rule | None:
    """Return the last rule that matches a path, or ``None``."""
    return next((rule for rule in reversed(rules) if rule.matches(path, is_dir)), None)


def read_rules(file: Path, folder: bytes) -> list[Rule]:
    """Read the ignore file of ``folder``; a missing one, or a link, has no rules.

    Raises:
        OSError: It exists and cannot be read.
    """
    if file.is_symlink() or not file.is_file():
        return []
    return list(parse_rules(file.read_bytes(), file.name, folder))


def parse_rules(content: bytes, origin: str, folder: bytes = b"") -> Iterator[Rule]:
    """Yield the rules of an ignore file, without those that can never match."""
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    for raw in content.split(b"\n"):
        line = raw[:-1] if raw.endswith(b"\r") else raw
        if line.startswith(b"#"):
            continue
        line = _without_trailing_spaces(line.partition(b"\0")[0])
        keeps = line.startswith(b"!")
        line = line[keeps:]
        folders_only = line.endswith(b"/")
        line = line[: len(line) - folders_only]
        pattern = _translate(line[line.startswith(b"/") :])
        if line and pattern is not None:
            yield Rule(origin, folder, pattern, keeps, folders_only, by_name=b"/" not in line)


def _without_trailing_spaces(line: bytes) -> bytes:
    kept = re.match(rb"(?:[^ \\]|\\.| +(?=[^ ])|\\$)*", line, re.DOTALL)
    return kept.group() if kept else line


def _translate(glob: bytes) -> Pattern[bytes] | None:
    """Return a regular expression for a pattern; ``None`` for one that can never match."""
    parts: list[bytes] = []
    special = re.search(rb"[*?[\\]", glob)
    at = 0
    while at < len(glob):
        char = glob[at : at + 1]
        if char == b"*":
            part, at = _stars(glob, at, first=special is not None and at == special.start())
        elif char == b"?":
            part, at = b"[^/]", at + 1
        elif char == b"[":
            found = _set(glob, at + 1)
            if found is None:
                return None
            part, at = found
        else:
            escaped = char == b"\\"
            part, at = re.escape(glob[at + escaped : at + escaped + 1]), at + escaped + 1
            if escaped and not part:
                return None
        parts.append(part)
    return re.compile(b"".join(parts), re.DOTALL)


def _stars(glob: bytes, at: int, *, first: bool) -> tuple[bytes, int]:
    """Translate the asterisks at ``at``; return the expression and the position after them.

    Git matches the text before the first special character separately, so that ``**`` there spans
    folders after any text.
    """
    end = at
    while glob[end : end + 1] == b"*":
        end += 1
    opens = first or glob[at - 1 : at] == b"/"
    if end - at == 1 or not opens:
        return b"[^/]*", end
    if glob[end : end + 1] == b"/":
        return b"(?:.*/)?", end + 1
    if end == len(glob) or glob[end : end + 2] == b"\\/":
        return b".*", end
    return b"[^/]*", end


def _set(glob: bytes, at: int) -> tuple[bytes, int] | None:
    """Translate the set that begins before ``at``; ``None`` if it is not closed."""
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    previous = None
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        step = _member(glob, at, previous)
        if step is None:
            return None
        found, previous, at = step
        members |= found
    chosen = (set(range(256)) - members if negated else members) - {ord("/")}
    escaped = b"".join(b"\\x%02x" % number for number in sorted(chosen))
    return (b"[" + escaped + b"]" if chosen else b"(?!)"), at + 1


def _member(glob: bytes, at: int, previous: int | None) -> tuple[set[int], int | None, int] | None:
    """Read a member of a set: its bytes, the byte that may begin a range, the next position."""
    if glob[at : at + 2] == b"[:":
        end = glob.find(b"]", at + 2)
        if end < 0:
            return None
        if end > at + 2 and glob[end - 1 : end] == b":":
            known = _CLASSES.get(glob[at + 2 : end - 1].decode("latin-1"))
            return None if known is None else (set(known.encode()), None, end + 1)
    ranged = glob[at : at + 1] == b"-" and previous and glob[at + 1 : at + 2] not in (b"", b"]")
    at += bool(ranged)
    at += glob[at : at + 1] == b"\\"
    if at >= len(glob):
        return None
    if ranged and previous:
        return set(range(previous, glob[at] + 1)), None, at + 1
    return {glob[at]}, glob[at], at + 1
