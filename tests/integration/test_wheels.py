"""The five wheels: what is in them, and that each works alone in a bare environment."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheels")

DISTRIBUTIONS = ("core", "storage", "runtime", "notebook", "cli")


@pytest.fixture(scope="module")
def wheels(root, tmp_path_factory) -> Path:
    """A folder with the wheels of all five distributions."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in DISTRIBUTIONS:
        package = root / "packages" / f"openpai-{name}"
        subprocess.run(
            ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(package)],
            check=True,
        )
    return folder


def files_of(wheels: Path, name: str) -> set[str]:
    """The names of the files in one wheel, without its metadata folder."""
    (wheel,) = wheels.glob(f"openpai_{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {file for file in archive.namelist() if ".dist-info/" not in file}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_wheel_holds_exactly_its_sources(wheels, root, name):
    """Nothing is missing, nothing else comes along, and the namespace has no file of its own."""
    source = root / "packages" / f"openpai-{name}" / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files_of(wheels, name) == expected
    assert f"openpai/{name}/py.typed" in expected
    assert "openpai/__init__.py" not in expected


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_wheel_works_alone(wheels, tmp_path, name):
    """Installed with nothing but what its metadata asks for, it imports and knows its version."""
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run(
        ["uv", "venv", "--quiet", "-p", sys.executable, str(tmp_path / "env")], check=True
    )
    subprocess.run(
        [
            *("uv", "pip", "install", "--quiet", "--python", str(python)),
            *("--find-links", str(wheels), f"openpai-{name}"),
        ],
        check=True,
    )
    code = f"from openpai.{name}.__about__ import __version__ as v; import openpai.{name}; print(v)"
    shown = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    (wheel,) = wheels.glob(f"openpai_{name}-*.whl")
    assert shown.stdout.strip() == wheel.name.split("-")[1]
    commands = {"cli": "opai", "runtime": "openpai-runtime"}
    if name in commands:
        subprocess.run([str(python.parent / commands[name]), "--version"], check=True)
