"""The one file that travels with a notebook's job and runs it there.

It is an archive that Python executes: this distribution's modules, and the few of openpai-core that
they need and that need nothing themselves. So the image needs neither, and the notebook runs under
the code of the version that submitted it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Iterator

import openpai.core

__all__ = ["write_bundle"]

#: What ``openpai.notebook`` uses of openpai-core inside a job.
_CORE = (
    "__about__.py",
    "__init__.py",
    "environment.py",
    "errors.py",
    "files.py",
    "lazy_imports.py",
)

_MAIN = """\
import sys

if sys.version_info < (3, 8):
    sys.exit("openpai-notebook: this image's Python is %d.%d; 3.8 or newer is needed."
             % sys.version_info[:2])

from openpai.notebook.execute.main import main

sys.exit(main(sys.argv[1:]))
"""

#: The first time that a zip archive can hold: the same modules give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_bundle(path: Path) -> None:
    """Write the archive to a new file.

    Raises:
        OSError: It cannot be written.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        # Without an entry of its own a folder is no namespace package to Python's importer.
        archive.writestr(zipfile.ZipInfo("openpai/", _TIME), b"")
        for name, data in [("__main__.py", _MAIN.encode()), *_members()]:
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED)


def _members() -> Iterator[tuple[str, bytes]]:
    core = Path(openpai.core.__file__).parent
    for name in _CORE:
        yield f"openpai/core/{name}", (core / name).read_bytes()
    here = Path(__file__).parents[1]
    for file in sorted(here.rglob("*.py")):
        yield f"openpai/notebook/{file.relative_to(here).as_posix()}", file.read_bytes()
