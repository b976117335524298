"""A Python script that names its own packages (PEP 723), as a job."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openpai.cli.exceptions import UsageError

if TYPE_CHECKING:
    from openpai.core.client import Extras

__all__ = ["as_script", "requirements_of"]

_BLOCK = re.compile(r"(?m)^# /// script\s*$\s(?P<content>(^#(| .*)$\s)+)^# ///\s*$")


def as_script(words: tuple[str, ...], extras: Extras) -> tuple[tuple[str, ...], Extras]:
    """Take ``train.py ARGUMENTS…`` for a script of this folder.

    It is run by ``python3``, sent along as code, and gets the packages that it names. Anything else
    is returned as it is.

    Raises:
        UsageError: The script's block of metadata cannot be read.
    """
    path = Path(words[0])
    if path.suffix != ".py" or not path.is_file():
        return words, extras
    found = requirements_of(path.read_text(encoding="utf-8", errors="replace"), str(path))
    extras = replace(
        extras,
        sources=[*extras.sources, path],
        requirements=[*extras.requirements, *found],
    )
    return ("python3", *words), extras


def requirements_of(text: str, name: str) -> list[str]:
    """Return the ``dependencies`` of a script's PEP 723 block.

    Raises:
        UsageError: The block is no TOML, or its dependencies are no list of texts.
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
    found = content.get("dependencies", [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise UsageError(
            f"{name}: 'dependencies' in its '# /// script' block must be a list of strings.", ""
        )
    return found
