"""The servers of the other tests, as places for a campaign of faults."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .backends import (
    Backend,
    azure_backend,
    folder_backend,
    hdfs_backend,
    s3_backend,
    sftp_backend,
    smb_backend,
)

#: (backend, kind) → [runs, faults that fired, transfers that had to be run again]
FIGURES: dict[tuple[str, str], list[int]] = {}


@pytest.fixture
def make_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Backend]:
    """Return a function from a type to an empty storage of it."""

    def folder(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        return path

    makers: dict[str, Callable[[], Backend]] = {
        "folder": lambda: folder_backend(folder("root")),
        "s3": lambda: s3_backend(request.getfixturevalue("moto")),
        "sftp": lambda: sftp_backend(request.getfixturevalue("sshd"), folder("sshd")),
        "azureBlob": lambda: azure_backend(request.getfixturevalue("azurite")),
        "samba": lambda: smb_backend(request.getfixturevalue("smbd")),
        "hdfs": lambda: hdfs_backend(request.getfixturevalue("hdfs")),
    }
    return lambda name: makers[name]()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings and keys of the user who runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "openpai"))


@pytest.fixture
def figures() -> Callable[[str, str, int, int], None]:
    """Return a function that counts (backend, kind, faults that fired, runs beyond the first)."""

    def count(backend: str, kind: str, fired: int, again: int) -> None:
        row = FIGURES.setdefault((backend, kind), [0, 0, 0])
        for place, number in enumerate((1, fired, again)):
            row[place] += number

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the campaign came to."""
    if not FIGURES:
        return
    terminalreporter.section("faults")
    terminalreporter.line(f"{'storage':12}{'fault':10}{'trees':>8}{'faults':>8}{'run again':>11}")
    for (backend, kind), (runs, fired, again) in sorted(FIGURES.items()):
        terminalreporter.line(f"{backend:12}{kind:10}{runs:8}{fired:8}{again:11}")
    totals = [sum(row[place] for row in FIGURES.values()) for place in range(3)]
    terminalreporter.line(f"{'all':22}{totals[0]:8}{totals[1]:8}{totals[2]:11}")
