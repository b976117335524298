"""Check that modules import other rooms through their doors only.

A room is a package below a distribution's own (``openpai.core.client``); its door is ``__init__``,
which lists the public names. Modules of other rooms import those, or a whole module of the room
(``from openpai.core.rest import users``), never a name out of one of its modules. Import contracts
do not see single names, so this reads the sources. Exits with 1 and one line per violation.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

#: Rooms without a door: nothing but the table of commands and entry points imports them.
ENTRIES = {
    "openpai.cli.commands",
    "openpai.runtime.cli",
    "openpai.storage.cli",
    "openpai.storage.testing",
}
#: Rooms inside a room that others enter directly.
INNER = ("openpai.core.storage.transfer",)


def modules(root: Path) -> dict[str, Path]:
    """Return the path of each module of all distributions."""
    found = {}
    for source in root.glob("packages/*/src"):
        for path in source.glob("openpai/**/*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str, known: dict[str, Path]) -> str | None:
    """Return the room that a module belongs to; None for a module outside of rooms."""
    for inner in INNER:
        if f"{module}.".startswith(f"{inner}."):
            return inner
    room = ".".join(module.split(".")[:3])
    is_room = room.count(".") == 2 and room in known and known[room].name == "__init__.py"
    return room if is_room else None


def imported(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name of each import of a name from one of our modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openpai."):
            for alias in node.names:
                yield node.lineno, str(node.module), alias.name


def violations(module: str, known: dict[str, Path]) -> Iterator[str]:
    """Yield a line for each import of a module that goes past another room's door."""
    own = room_of(module, known)
    for line, target, name in imported(ast.parse(known[module].read_text(encoding="utf-8"))):
        whole = f"{target}.{name}"
        room = room_of(whole if whole in known else target, known)
        if room is None or room in ENTRIES or (own and f"{own}.".startswith(f"{room}.")):
            continue
        if own and f"{room}.".startswith(f"{own}."):
            continue
        if target != room and whole != room:
            yield f"{known[module]}:{line}: import {name} from {room}, its door, not from {target}"


def main() -> int:
    """Check all sources below the current folder."""
    known = modules(Path())
    tops = {name for name in known if name.count(".") == 1}  # their own doors name modules
    found = [row for module in sorted(known.keys() - tops) for row in violations(module, known)]
    print("\n".join(found) or f"{len(known)} modules: all imports between rooms use doors")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
