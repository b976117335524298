"""The packages of this Python environment, as requirements that pip could install elsewhere."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, distributions
from typing import Any, NamedTuple, Sequence

__all__ = ["Frozen", "freeze", "with_frozen"]

#: What every environment brings itself, and pip leaves out as well.
_TOOLS = {"pip", "setuptools", "wheel", "distribute"}


#: What a requirement begins with: the name of its package.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATOR = re.compile(r"==| @ ")


class Frozen(NamedTuple):
    """Packages of an environment.

    Attributes:
        requirements: One line for each package, in the order of their names.
        left_out: One sentence for each that pip could not bring elsewhere, or not as it is here.
    """

    requirements: list[str]
    left_out: list[str]


def with_frozen(requirements: Sequence[str]) -> Frozen:
    """Return these requirements, and the environment's packages that they do not name."""
    named = {_key(match[0]) for match in map(_NAME.match, requirements) if match}
    found = freeze()
    others = [line for line in found.requirements if _key(_SEPARATOR.split(line)[0]) not in named]
    return Frozen([*requirements, *others], found.left_out)


def _key(name: str) -> str:
    """Return the one form of all spellings of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def freeze() -> Frozen:
    """Return the packages of the environment that this runs in.

    OpenPAI's own are not among them: a job brings of them what it needs. A package from a version
    control system is pinned to its commit. One that is installed from a folder or a file of this
    machine, an editable one above all, exists nowhere else: it is left out. The job gets such code
    by its sources.
    """
    lines: dict[str, str] = {}
    notes: dict[str, str] = {}
    for distribution in distributions():
        named = _named(distribution)
        if named is None:
            continue  # what a broken installation has left behind
        name, version = named
        key = _key(name)
        if key in _TOOLS or key.startswith("openpai-") or key in lines or key in notes:
            continue
        line, note = _requirement(name, version, distribution)
        lines.update({key: line} if line else {})
        notes.update({key: note} if note else {})
    return Frozen([lines[key] for key in sorted(lines)], [notes[key] for key in sorted(notes)])


def _named(distribution: Distribution) -> tuple[str, str] | None:
    """Return a package's name and version; ``None`` if it has no description.

    The backport ``importlib_metadata``, once something has imported it, raises where Python's own
    module has an empty description.
    """
    try:
        metadata = distribution.metadata
    except FileNotFoundError:
        return None
    if metadata is None or "Name" not in metadata or "Version" not in metadata:
        return None
    return metadata["Name"], metadata["Version"]


def _requirement(name: str, version: str, distribution: Distribution) -> tuple[str, str]:
    """Return (requirement or nothing, remark or nothing) for one package."""
    origin = _origin(distribution)
    url = str(origin.get("url", ""))
    if "vcs_info" in origin:
        system, commit = origin["vcs_info"].get("vcs"), origin["vcs_info"].get("commit_id")
        return f"{name} @ {system}+{url}@{commit}", ""
    if url and not url.startswith("file:"):
        return f"{name} @ {url}", ""
    if url and _installer(distribution) != "conda":  # conda leaves the folder of its own build
        kind = "editable" if origin.get("dir_info", {}).get("editable") else "from this machine"
        return "", f"{name} {version} ({kind}) is left out; give its code by --src."
    public, plus, _ = version.partition("+")
    note = f"{name} {version} becomes {public}, the version that everybody can get."
    return f"{name}=={public}", note if plus else ""


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Return where a package came from, if not from an index (PEP 610)."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}


def _installer(distribution: Distribution) -> str:
    return (distribution.read_text("INSTALLER") or "").strip()
