"""A storage of a cluster, and a way to run ``opai storage`` on it."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from openpai.core.storage.base import Storage, StorageSpec, open_storage
from openpai.core.storage.local import LocalStorage


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder where the storage ``main`` is mounted."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    return folder


class OneCluster:
    """A cluster with the storages ``main``, the default one, and ``other``."""

    def __init__(self, root: Path) -> None:
        self.specs = [
            StorageSpec("main", "nfs", {"server": "nas"}, mount_path=str(root)),
            StorageSpec("other", "samba", {"password": "secret"}),
        ]

    def storages(self) -> list[StorageSpec]:
        """Return both."""
        return self.specs

    def storage(self, name: str | None = None) -> Storage:
        """Open one; ``None`` means ``main``."""
        return open_storage(next(spec for spec in self.specs if spec.name == (name or "main")))


class TinyApp:
    """The ``App`` of ``openpai.core.cli.app``, with JSON as its only form."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes: list[str] = []
        self.progressed = 0
        self.formats: list[str] = []

    def cluster(self, alias: str | None) -> OneCluster:
        """Return the one cluster."""
        assert alias in (None, "only")
        return OneCluster(self.root)

    def emit(self, data: Any, *, columns: Any, **form: str) -> None:
        """Print JSON, after a look whether each column is there."""
        rows = data if isinstance(data, dict) else list(data)
        for row in [rows] if isinstance(rows, dict) else rows:
            assert {key for _, key in columns} <= set(row)
        self.formats.append(form["format"])
        print(json.dumps(rows, default=str))

    def note(self, text: str) -> None:
        """Keep the sentence."""
        self.notes.append(text)

    @contextmanager
    def progress(self, description: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Count."""

        def advance(step: int) -> None:
            self.progressed += step

        yield advance

    def confirm(self, question: str) -> bool:
        """Fail: a test never asks."""
        raise AssertionError(question)


@pytest.fixture
def app(root: Path) -> TinyApp:
    """Return the running ``opai``."""
    return TinyApp(root)


@pytest.fixture
def opai(app: TinyApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that runs ``opai storage ARGUMENTS`` and returns click's result.

    An error that the real ``opai`` would explain is raised.
    """
    pytest.importorskip("click", reason="the commands run in opai, which brings click")
    from click.testing import CliRunner

    from openpai.storage.cli import storage

    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(storage, arguments, obj=app)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def unwritable() -> Iterator[LocalStorage]:
    """Return the storage ``main`` in a folder that may not be written, not even by root."""
    as_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "file").write_text("old")
        folder.chmod(0o555)
        storage = open_storage(StorageSpec("main", "nfs", mount_path=place))
        assert isinstance(storage, LocalStorage)
        if as_root:
            os.seteuid(65534)
        try:
            yield storage
        finally:
            if as_root:
                os.seteuid(0)
            folder.chmod(0o755)
