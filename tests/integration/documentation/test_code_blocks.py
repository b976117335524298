"""Every code block of the documentation runs, page by page, as a reader would run it.

A page is read from top to bottom in an empty folder, by somebody who knows no cluster. ``sh`` is
run by bash (without its ``pip install`` lines: everything is installed), ``python`` by Python; the
prompts of ``console`` must print what the page shows, if it shows anything (``…`` stands for
anything). ``yaml``, ``json`` and ``toml`` must parse, and job files be valid. Comments in Markdown,
which readers do not see, tell what a reader would have or know:

- ``<!-- file: NAME -->`` before a block: it is the content of that file;
- ``<!-- setup … -->`` around shell commands: they run, unseen;
- ``<!-- not run: REASON -->`` before a block: it is not run, for a reason;
- ``<!-- NAME: run by a test -->`` to ``<!-- end of NAME -->``: another test has this part.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(ROOT.glob("docs/**/*.md"))
PART = re.compile(
    r"(?:<!-- (?P<note>file|not run): (?P<word>[^\n]*?) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```$"
    r"|<!-- setup\n(?P<setup>.*?)-->",
    re.DOTALL | re.MULTILINE,
)
ELSEWHERE = re.compile(
    r"<!-- (?P<name>\w+): run by a test -->.*?<!-- (?:/|end of )(?P=name) -->", re.DOTALL
)
SHOWN_ONLY = {"", "text", "diff"}
SECONDS = 300


class Block(NamedTuple):
    """One code block, or what is done unseen."""

    line: int
    note: str
    word: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    text = ELSEWHERE.sub(lambda part: "\n" * part[0].count("\n"), text)
    found = []
    for part in PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["setup"] is not None:
            found.append(Block(line, "", "", "sh", part["setup"]))
            continue
        code = re.sub(f"^{part['indent']}", "", part["text"], flags=re.MULTILINE)
        found.append(Block(line, part["note"] or "", part["word"] or "", part["language"], code))
    return found


class Reader:
    """Somebody who types what a page says.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}

    def call(self, *command: str, codes: range = range(1)) -> str:
        """Run a program and return what it prints; its exit code must be among ``codes``."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode in codes, f"exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def read(self, block: Block) -> None:
        """Do what a block says."""
        if block.note == "file":
            path = self.folder / block.word
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.note == "not run":
            assert len(block.word) > 10, "a block that is not run needs a reason"
        elif block.note != "file":
            getattr(self, f"read_{block.language}")(block.text)

    def read_sh(self, text: str) -> None:
        """Commands; installing is done already."""
        lines = [line for line in text.splitlines() if not line.startswith("pip install ")]
        self.call("bash", "-e", "-o", "pipefail", "-c", "\n".join(lines))

    def read_console(self, text: str) -> None:
        """Prompts, each with what it prints; a page may show what a failure looks like."""
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            wanted = ".*".join(re.escape(part) for part in shown.strip().split("…"))
            codes = range(127) if shown.strip() else range(1)
            printed = self.call("bash", "-o", "pipefail", "-c", command, codes=codes)
            if shown.strip():
                assert re.fullmatch(wanted, printed.strip(), re.DOTALL), printed

    def read_python(self, text: str) -> None:
        """A program."""
        self.call(sys.executable, "-c", text)

    def read_yaml(self, text: str) -> None:
        """A document; a job file must be valid."""
        for document in yaml.safe_load_all(text):
            if isinstance(document, dict) and "protocolVersion" in document:
                from openpai.core import Job

                Job.from_yaml(text).validate()

    def read_json(self, text: str) -> None:
        """A document, or one on each line."""
        try:
            json.loads(text)
        except ValueError:
            for line in text.splitlines():
                json.loads(line)

    def read_toml(self, text: str) -> None:
        """A table."""
        import tomllib

        tomllib.loads(text)


@pytest.fixture
def reader(clean_home, tmp_path):
    """A reader in an empty folder; a local cluster that they started goes down with them."""
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder)
    yield reader
    if (clean_home / "local").exists():
        reader.call("opai", "local", "down", "--stop-jobs", codes=range(7))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_run(page, reader):
    """What the page shows is what happens."""
    for block in blocks(page):
        if block.language in SHOWN_ONLY:
            continue
        try:
            reader.read(block)
        except Exception as error:
            pytest.fail(f"{page.relative_to(ROOT)}:{block.line}: {error}\n\n{block.text}")
