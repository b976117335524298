"""The fields of what commands write as JSON, as ``output.schema.json`` documents them."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["fields_of", "schema"]

_FILE = os.path.join(os.path.dirname(__file__), "output.schema.json")  # noqa: PTH118, PTH120


def schema() -> dict[str, Any]:
    """Return the JSON Schema; its ``$defs`` has each command that shows data, by its name."""
    import json

    with open(_FILE, encoding="utf-8") as stream:  # noqa: PTH123 - help pages import no pathlib
        found: dict[str, Any] = json.load(stream)
    return found


def fields_of(command: str) -> list[str]:
    """Return the keys of a command's objects; empty where they are not fixed."""
    every = schema()["$defs"]
    found = every.get(command, {})
    found = found.get("anyOf", [found])[0]
    found = found.get("items", found)
    if "$ref" in found:
        found = every[found["$ref"].rpartition("/")[2]]
    return list(found.get("properties", ()))
