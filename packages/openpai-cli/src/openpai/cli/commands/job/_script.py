"""Python scripts with inline metadata (PEP 723) as jobs."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openpai.cli.exceptions import UsageError

if TYPE_CHECKING:
    from openpai.core.protocol import JobSpec

__all__ = ["as_script", "requirements_of"]

_BLOCK = re.compile(r"(?m)^# /// script\s*$\s(?P<content>(^#(| .*)$\s)+)^# ///\s*$")


def as_script(words: tuple[str, ...], spec: JobSpec) -> tuple[tuple[str, ...], JobSpec]:
    """Return command and spec of a Python script of this folder: ``train.py ARGUMENTS…``.

    The script is run by ``python3`` and uploaded as code; its packages are required. Any other
    command is returned unchanged.

    Raises:
        UsageError: The script's block of metadata is invalid.
    """
    path = Path(words[0])
    if path.suffix != ".py" or not path.is_file():
        return words, spec
    packages = requirements_of(path.read_text(encoding="utf-8", errors="replace"), str(path))
    spec = replace(
        spec,
        sources=[*spec.sources, path],
        requirements=[*spec.requirements, *packages],
    )
    return ("python3", *words), spec


def requirements_of(text: str, name: str) -> list[str]:
    """Return the ``dependencies`` of a script's PEP 723 block.

    Raises:
        UsageError: The block is not TOML, or its dependencies are not a list of strings.
    """
    block = _BLOCK.search(text)
    if block is None:
        return []
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    lines = block["content"].splitlines()
    try:
        content = tomllib.loads("\n".join(line[2:] for line in lines))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{name}: invalid TOML in its '# /// script' block: {error}.", ""
        ) from None
    packages = content.get("dependencies", [])
    if not isinstance(packages, list) or not all(isinstance(item, str) for item in packages):
        raise UsageError(
            f"{name}: 'dependencies' in its '# /// script' block must be a list of strings.", ""
        )
    return packages
