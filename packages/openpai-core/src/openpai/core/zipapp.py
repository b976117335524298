"""Reproducible zip applications: archives of modules that Python runs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Callable, Iterable, Iterator

from openpai.core.files import write_file

__all__ = ["module_files", "write_zipapp"]

_MAIN = """\
import sys

if sys.version_info < (3, 8):
    sys.exit("{name}: this Python is %d.%d; 3.8 or newer is needed." % sys.version_info[:2])

from {module} import main

sys.exit(main())
"""
#: The first time that a zip archive can hold: the same modules give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_zipapp(path: Path, name: str, module: str, members: Iterable[tuple[str, bytes]]) -> int:
    """Write an executable archive atomically; return its size in bytes.

    Args:
        path: The file.
        name: The program, as its errors begin.
        module: The module whose ``main()`` runs.
        members: Names and contents of the files, see :func:`module_files`.

    Raises:
        OSError: The file cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # Python sees a folder without __init__.py in an archive only if it has an entry.
        archive.writestr(zipfile.ZipInfo("openpai/", _TIME), b"")
        main = _MAIN.format(name=name, module=module).encode()
        for file, content in sorted([("__main__.py", main), *members]):
            info = zipfile.ZipInfo(file, _TIME)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    content = b"#!/usr/bin/env python3\n" + buffer.getvalue()
    write_file(path, content, mode=0o755)
    return len(content)


def module_files(
    package: Path, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, bytes]]:
    """Yield the modules and data files of a package of ours, as members of an archive.

    Args:
        package: The folder of the package, such as ``…/openpai/core``.
        wanted: Takes a path below it, such as ``rest/session.py``; whether to include the file.
    """
    for path in package.rglob("*"):
        name = path.relative_to(package).as_posix()
        if path.suffix in (".py", ".json") and wanted(name):
            yield f"openpai/{package.name}/{name}", path.read_bytes()
