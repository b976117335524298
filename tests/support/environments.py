"""Python environments for tests: one is made per run, and copied where a test changes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_WHEELS = "import ensurepip, pathlib; print(pathlib.Path(ensurepip.__file__).parent / '_bundled')"


def bare_environment(factory: pytest.TempPathFactory) -> Path:
    """Return a virtual environment that has pip and nothing else: ``bin/python`` is its Python.

    It is made once per run and shared by the workers of pytest-xdist, so only read it.
    """
    from filelock import FileLock

    base = factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = run / "bare-environment", run / "bare-environment.done"
    with FileLock(run / "bare-environment.lock"):
        if not done.exists():
            _make(folder)
            done.touch()
    return folder


def _make(folder: Path) -> None:
    """Make the environment; unpacking the wheel of pip is faster than having it install itself."""
    base = os.path.realpath(sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    bundled = subprocess.run(
        [base, "-I", "-c", _WHEELS], check=True, stdout=subprocess.PIPE, text=True
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    for wheel in Path(bundled.stdout.strip()).glob("pip-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    # This installs nothing, but compiles what an installation needs: tests may forbid that.
    install = ["-m", "pip", "install", "--quiet", "--no-index", "pip"]
    subprocess.run([str(folder / "bin" / "python"), *install], check=True, env={})


def copy_environment(source: Path, folder: Path) -> Path:
    """Copy a virtual environment to a folder that does not exist yet, and return the folder.

    Its scripts and settings name the new folder.
    """
    shutil.copytree(source, folder, symlinks=True)
    old, new = os.fsencode(source), os.fsencode(folder)
    for path in [folder / "pyvenv.cfg", *(folder / "bin").iterdir()]:
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if old in content:
                path.write_bytes(content.replace(old, new))
    return folder
