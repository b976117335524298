"""What the integration tests share."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all tests below this folder: their servers are processes."""
    item.add_marker(pytest.mark.process)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def needs(root) -> Callable[[str], str]:
    """``needs("sshd")`` is where a program that ``tests/tools/machine.py`` brings lives.

    ``needs("node_modules/azurite")`` is the folder of a package from npm, and
    ``needs("nni/python")`` the interpreter that has NNI. What is missing skips the test, and fails
    it where everything must be there.
    """
    machine = runpy.run_path(str(root / "tests" / "tools" / "machine.py"))

    def where(part: str) -> str:
        places = {"node_modules": machine["node_folder"](), "nni": machine["nni_folder"]()}
        kind, _, rest = part.partition("/")
        path = places.get(kind, Path()) / (f"bin/{rest}" if kind == "nni" else part)
        found = str(path) if kind in places and path.exists() else machine["find"](part)
        if found is None:
            reason = f"{part} is not on this machine; run: python tests/tools/machine.py"
            required = {"CI", "OPENPAI_TESTS_REQUIRE_PARTS"} & set(os.environ)
            pytest.fail(reason) if required else pytest.skip(reason)
        return found

    return where


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, where mounting is allowed."""
    import subprocess

    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def attach(clean_home: Path) -> Callable[..., None]:
    """``attach(spec, "password")`` attaches a storage with its secrets, as ``opai`` does."""

    def act(spec, *secrets: str) -> None:
        from dataclasses import replace

        from openpai.core.config.storages import attach_storage

        data = dict(spec.data)
        kept = {key: data.pop(key) for key in secrets}
        attach_storage(replace(spec, data=data), kept)

    return act


@pytest.fixture
def clean_home(tmp_path, monkeypatch) -> Path:
    """A configuration folder of the test's own, and no settings from outside."""
    for name in os.environ:
        if name.startswith(("OPENPAI_", "PAI_", "FC_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("OPENPAI_HOME", str(home))
    return home


@pytest.fixture
def opai(clean_home, tmp_path):
    """Call ``opai`` as a user does: a process of its own, in an empty folder."""
    import shutil
    import subprocess
    import sys

    program = shutil.which("opai", path=str(Path(sys.executable).parent))
    assert program is not None
    folder = tmp_path / "work"
    folder.mkdir()

    def call(*words: str, code: int | None = 0, **options) -> subprocess.CompletedProcess[str]:
        """Run ``opai WORDS``; the exit code must be ``code`` (None: any)."""
        options.setdefault("cwd", folder)
        options.setdefault("timeout", 300)
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        found = subprocess.run(
            [program, *words],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        shown = f"$ opai {' '.join(words)}\n{found.stdout}{found.stderr}"
        assert "Traceback" not in found.stderr, shown
        assert code is None or found.returncode == code, f"exit code {found.returncode}: {shown}"
        return found

    call.folder = folder
    yield call
    if (clean_home / "local").exists():
        call("local", "down", "--stop-jobs", code=None)


@pytest.fixture
def local_cluster(opai):
    """A local cluster that ``opai local up`` started; what ``opai local status`` says of it."""
    import json

    opai("local", "up", "--gpus", "1")
    return json.loads(opai("local", "status", "-o", "json").stdout)
