"""Ignore files mean what git takes them to mean."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from openpai.core.code.sources import pack_sources
from openpai.core.errors import ConfigError

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("git") is None, reason="git says what is right"),
]

NAMES = ["a", "b", "ab", "a.b", "B", "é", "#a", "!b", "a b", "]", "-", "\\", "b "]
PIECES = [
    *("a", "b", "ab", ".", "B", "é", "#", "!", " ", "\\", "]", "-", "^", ":", "\t", "\r"),
    *("*", "**", "***", "?", "/", "/**/", "**/", "/**", "\\/", "\\*", "\\ "),
    *("[a-b]", "[!a]", "[^b]", "[]-]", "[]a]", "[", "[[:alpha:]]", "[[:no:]]", "[a-\\b]", "[a-"),
    *("[[:punct:]b]", "[:a]", "[[:a]", "[\\]]", "[!/]"),
]
LINES = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
FILES = st.lists(LINES, max_size=4).map("\n".join)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a work tree with a file of each name in each of some folders."""
    root = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    folders = ("", "d/", "d/a/", "d/ab/b/", "a.b x/")
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for name in NAMES:
            if not (root / folder / name).exists():
                (root / folder / name).write_bytes(b"")
    return root


def git_takes(root: Path) -> set[str]:
    """Return the files that git does not ignore."""
    names = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    ]
    done = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "-z", "--stdin"],
        input="\0".join(names).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return set(names) - set(done.stdout.decode().split("\0"))


def we_take(root: Path) -> set[str]:
    """Return the files that would be packed."""
    try:
        with pack_sources(["."], root) as archive:
            return set(archive.files)
    except ConfigError:
        return set()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=FILES, inner=FILES)
@example(top="d/**\n!d/a/", inner="")
@example(top="*\n!*/\n!a", inner="")
@example(top="/*\n!/d", inner="b")
@example(top="a**/b\n**b/a", inner="!b")
@example(top="d/*\n!d/ab", inner="ab/\n/a")
@example(top="\ufeffa\r\nb  \nb\\ \n#a\n\\#a\n\\!b", inner="!a")
def test_ignore_rules_match_git(tree: Path, top: str, inner: str) -> None:
    """The same files are taken as ``git check-ignore`` lets through."""
    (tree / ".gitignore").write_bytes(top.encode())
    (tree / "d" / ".gitignore").write_bytes(inner.encode())
    assert we_take(tree) == git_takes(tree)
