"""Plans: what a command would do, shown or kept in a file.

A plan file has one JSON object in each line. The first names source and target, the last has the
number of steps, each other one is a step: ``action``, ``path`` below the roots, ``isDir``, ``size``
and ``modified`` of what is copied or deleted, and as ``found`` those of what it replaces.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

from openpai.core.cli import App
from openpai.core.errors import StorageError
from openpai.core.units import format_size
from openpai.storage.cli._output import write_line, writing

if TYPE_CHECKING:
    from openpai.core.storage import Entry, Storage
    from openpai.core.storage.transfer import Failed, Step, Transfer

    Place = tuple[Storage, str]

__all__ = ["header", "show_plan", "write_plan"]

_COLUMNS = [("ACTION", "action"), ("PATH", "path"), ("BYTES", "size"), ("ERROR", "error")]


def show_plan(app: App, transfer: Transfer, format_: str | None) -> None:
    """Show the planned actions, as far as listings show them, and a summary.

    Raises:
        StorageError: Something could not be looked at; the rest was shown.
    """
    counts: dict[str, int] = {}
    size = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal size
        for step in transfer.plan():
            row = _row(step, overwrite=transfer.options.overwrite)
            counts[row["action"]] = counts.get(row["action"], 0) + 1
            if row["action"] in ("copy", "replace", "compare"):
                size += row["size"]
            if row["action"] != "unchanged":
                yield row

    if format_ == "json":
        for row in rows():
            write_line(row)
    else:
        app.emit(rows(), columns=_COLUMNS, format=format_ or "table")
    planned = ", ".join(f"{count} {action}" for action, count in sorted(counts.items()))
    app.note(
        f"Nothing was done. Planned: {planned or 'nothing'} ({format_size(size)} to send at most)."
    )
    if counts.get("refuse"):
        raise StorageError(f"{counts['refuse']} would not be copied; see above.")


def _row(step: Step | Failed, *, overwrite: bool) -> dict[str, Any]:
    from openpai.core.storage.transfer import Failed

    if isinstance(step, Failed):
        return {"action": "refuse", "path": step.path, "size": 0, "error": step.reason}
    row = {"action": step.action, "path": step.path, "size": step.source.size, "error": None}
    if step.action == "replace" and not overwrite:
        row.update(action="refuse", error="Exists and differs (overwrite replaces it)")
    return row


def write_plan(file: Path, transfer: Transfer, source: Place, target: Place) -> int:
    """Write a plan to a file; return the number of its steps.

    Raises:
        StorageError: The file cannot be written, or something could not be looked at.
    """
    from openpai.core.storage.transfer import Failed

    refused = 0

    def lines() -> Iterator[str]:
        nonlocal refused
        steps = 0
        yield json.dumps({"plan": 1, **header(source, target)})
        for step in transfer.plan():
            if isinstance(step, Failed):
                refused += 1
            elif step.action != "unchanged":
                steps += 1
                yield json.dumps(
                    {
                        "action": step.action,
                        "path": step.path,
                        **_identity(step.source),
                        "found": _identity(step.found) if step.found else None,
                    }
                )
        yield json.dumps({"steps": steps})

    count = writing(file, lines()) - 2
    if refused:
        raise StorageError(
            f"{refused} cannot be copied and are not in {file}.", "See them with --dry-run."
        )
    return count


def header(source: Place, target: Place) -> dict[str, str]:
    """Return what the first line of a plan from source to target names."""
    return {"source": source[0].where(source[1]), "target": target[0].where(target[1])}


def _identity(entry: Entry) -> dict[str, Any]:
    return {
        "isDir": entry.is_dir,
        "size": entry.size,
        "modified": entry.modified.isoformat() if entry.modified else None,
    }
