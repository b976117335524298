"""Failure patterns: causes of failures by lines of the log.

The patterns are in ``failure_patterns.json``, in order of precedence. Each has a ``name`` for
programs, a ``regex`` searched in a line, its ``meaning`` as a sentence, and an ``advice``. To add
one, add an entry and a real message of it to ``tests/diagnosis/test_patterns.py``.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

from openpai.runtime.log import PREFIX

__all__ = ["Match", "Pattern", "failure_patterns", "match_log"]

_MAX_LINE = 500


class Pattern(NamedTuple):
    """A kind of line.

    Attributes:
        name: A short name for programs.
        regex: Regular expression searched in the line.
        meaning: The cause, as one sentence.
        advice: What to do.
    """

    name: str
    regex: str
    meaning: str
    advice: str


class Match(NamedTuple):
    """A line of a log and the pattern that it matches."""

    line: str
    pattern: Pattern


def failure_patterns() -> Sequence[Pattern]:
    """Read the patterns, in order of precedence."""
    import json
    import pkgutil

    # pkgutil reads from a zip application, too; importlib.resources.files needs Python 3.9.
    content = pkgutil.get_data(__name__, "failure_patterns.json")
    assert content
    return [Pattern(**entry) for entry in json.loads(content.decode())]


def match_log(text: str) -> Match | None:
    """Return the last line of a log that matches a pattern, with the first such pattern.

    Earlier lines do not count: what a program wrote long before its end is not the cause of it.
    """
    compiled = [(re.compile(pattern.regex), pattern) for pattern in failure_patterns()]
    for line in reversed(text.splitlines()):
        if line.startswith(PREFIX):  # the runtime's own messages
            continue
        for regex, pattern in compiled:
            if regex.search(line.strip()):
                return Match(line.strip()[-_MAX_LINE:], pattern)
    return None
