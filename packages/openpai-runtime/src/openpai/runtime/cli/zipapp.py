"""The runtime as one file, for clusters without a package index.

The file is a zip application. An image may contain it, at ``$OPENPAI_RUNTIME``; or the workspace,
where the bootstrap of jobs looks for it.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Iterator

from openpai.core.errors import OpenPaiError
from openpai.core.zipapp import module_files, write_zipapp

__all__ = ["carry"]

_DISTRIBUTIONS = ("openpai-core", "openpai-runtime")
_ABOUT = ("METADATA", "entry_points.txt")
_NOT_NEEDED = ("local/", "rest/")  # a task uses neither


def carry(target: Path) -> int:
    """Write the file atomically; return its size in bytes.

    Raises:
        OpenPaiError: The runtime is not installed as a distribution.
        OSError: The file cannot be written.
    """
    return write_zipapp(target, "openpai-runtime", "openpai.runtime.cli.main", _members())


def _members() -> Iterator[tuple[str, bytes]]:
    import yaml

    import openpai.core
    import openpai.runtime

    core = Path(openpai.core.__path__[0])
    yield from module_files(core, lambda name: not name.startswith(_NOT_NEEDED))
    yield from module_files(Path(openpai.runtime.__path__[0]))
    for module in Path(yaml.__path__[0]).glob("*.py"):  # for configs in YAML
        yield f"yaml/{module.name}", module.read_bytes()
    yield "yaml/LICENSE", _license("PyYAML").encode()
    for distribution in _DISTRIBUTIONS:
        try:
            found = metadata.distribution(distribution)
        except metadata.PackageNotFoundError:
            raise OpenPaiError(f"{distribution} is not installed.", "Install it.") from None
        folder = f"{distribution.replace('-', '_')}-{found.version}.dist-info"
        for name in _ABOUT:
            text = found.read_text(name)
            if text:
                yield f"{folder}/{name}", text.encode()


def _license(distribution: str) -> str:
    files = metadata.files(distribution) or []
    return next((file.read_text() for file in files if file.name == "LICENSE"), "")
