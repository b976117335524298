"""Plain technical English: words that lead nowhere for a reader who searches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORDS = re.compile(
    r"\b(?:anew|whoever|for ever|lost sight|is borne|not to be had|so many"
    r"|Patience|Bell|Told|Meanwhile|LostSightError|WaitOverError|UsageProblem)\b"
)
FOLDERS = ("docs", "examples", "benchmarks", "packages/*/src", "packages/*/README.md", "*.md")
ENDINGS = {".md", ".py", ".sh", ".html", ".json", ".toml", ".yaml"}


def texts():
    """Yield each file that people read or that users see the strings of."""
    for pattern in FOLDERS:
        for place in ROOT.glob(pattern):
            files = place.rglob("*") if place.is_dir() else [place]
            yield from (file for file in files if file.suffix in ENDINGS)


def test_texts_use_plain_words():
    """Each with file and line."""
    found = []
    for file in sorted(set(texts())):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if WORDS.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["a file is made anew", "for ever", "class Told:"])
def test_private_words_are_found(text):
    """The pattern notices them."""
    assert WORDS.search(text)
