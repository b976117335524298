"""Make one file of the runtime, to be carried where there is no package index.

The file is a program (a zip archive that Python runs). An image may hold it, named by
``$OPENPAI_RUNTIME``; or it lies in the workspace, where the bootstrap of jobs looks for it.
"""

from __future__ import annotations

import io
import os
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Iterator

from openpai.core.errors import OpenPaiError

__all__ = ["carry"]

_MAIN = """\
import sys

if sys.version_info < (3, 8):
    sys.exit("[openpai-runtime] This Python is too old: 3.8 or newer is needed.")
from openpai.runtime.cli.main import main

raise SystemExit(main())
"""
_DISTRIBUTIONS = ("openpai-core", "openpai-runtime")
_ABOUT = ("METADATA", "entry_points.txt")
_NOT_NEEDED = ("openpai/core/local/", "openpai/core/rest/")  # a task is no cluster, and asks none
_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same code makes the same file


def carry(target: Path) -> int:
    """Write the file, whole or not at all; return its size in bytes.

    Raises:
        OpenPaiError: The runtime is not installed as a distribution.
        OSError: The file cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_members()):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(b"#!/usr/bin/env python3\n" + buffer.getvalue())
        part.chmod(0o755)
        part.replace(target)
    finally:
        if part.exists():
            part.unlink()
    return target.stat().st_size


def _members() -> Iterator[tuple[str, bytes]]:
    import openpai.core
    import openpai.runtime

    yield "__main__.py", _MAIN.encode()
    yield "openpai/", b""  # Python sees packages without __init__.py in archives by this only
    for package in (openpai.core, openpai.runtime):
        root = Path(package.__path__[0])
        for path in root.rglob("*"):
            name = f"openpai/{root.name}/{path.relative_to(root).as_posix()}"
            if path.suffix in (".py", ".json") and not name.startswith(_NOT_NEEDED):
                yield name, path.read_bytes()
    for distribution in _DISTRIBUTIONS:
        try:
            found = metadata.distribution(distribution)
        except metadata.PackageNotFoundError:
            raise OpenPaiError(f"{distribution} is not installed here.", "Install it.") from None
        folder = f"{distribution.replace('-', '_')}-{found.version}.dist-info"
        for name in _ABOUT:
            text = found.read_text(name)
            if text:
                yield f"{folder}/{name}", text.encode()
