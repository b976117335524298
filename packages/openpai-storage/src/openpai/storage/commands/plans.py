"""Plans: what a command would do, shown or kept in a file, and done later.

A plan file has one JSON object in each line. The first names source and target, each other one a
step: ``action``, ``path`` below the roots, and the ``size`` and ``modified`` of the file it is
about, which must be the same when the step is done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

from openpai.core.app import App
from openpai.core.errors import OpenPaiError, StorageError
from openpai.storage.commands.transferring import readable, write_line, writing

if TYPE_CHECKING:
    from openpai.core.storage import Entry, Storage
    from openpai.core.transfer import Failed, Step, Transfer

    Place = tuple[Storage, str]

__all__ = ["read_plan", "show_plan", "write_plan"]

_COLUMNS = [("ACTION", "action"), ("PATH", "path"), ("BYTES", "size"), ("ERROR", "error")]


def show_plan(app: App, transfer: Transfer, format_: str | None) -> None:
    """Show what would be done, as far as listings tell, and sum it up.

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
    told = ", ".join(f"{count} {action}" for action, count in sorted(counts.items()))
    app.note(f"Nothing was done. Planned: {told or 'nothing'} ({readable(size)} to send at most).")
    if counts.get("refuse"):
        raise StorageError(f"{counts['refuse']} would not be copied; see above.")


def _row(step: Step | Failed, *, overwrite: bool) -> dict[str, Any]:
    from openpai.core.transfer import Failed

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
    from openpai.core.transfer import Failed

    refused = 0

    def lines() -> Iterator[str]:
        nonlocal refused
        yield json.dumps({"plan": 1, **_header(source, target)})
        for step in transfer.plan():
            if isinstance(step, Failed):
                refused += 1
            elif step.action != "unchanged":
                yield json.dumps(
                    {"action": step.action, "path": step.path, **_identity(step.source)}
                )

    count = writing(file, lines()) - 1
    if refused:
        raise StorageError(
            f"{refused} cannot be copied and are not in {file}.", "See them with --dry-run."
        )
    return count


def read_plan(file: Path, source: Place, target: Place) -> Iterator[Step | Failed]:
    """Return the steps of a plan, each checked against what is there now.

    Raises:
        StorageError: The file is no plan, or one for another source or target.
    """
    stream = file.open(encoding="utf-8")
    try:
        header = json.loads(stream.readline())
        good = header["plan"] == 1
    except (ValueError, KeyError, TypeError):
        good, header = False, {}
    if not good:
        stream.close()
        raise StorageError(f"{file} is not a plan.", "Write one with --plan FILE.")
    expected = _header(source, target)
    if {key: header.get(key) for key in expected} != expected:
        stream.close()
        raise StorageError(
            f"{file} is the plan from {header.get('source')} to {header.get('target')}, "
            f"not from {expected['source']} to {expected['target']}.",
            "Give the same paths as with --plan.",
        )

    def steps() -> Iterator[Step | Failed]:
        with stream:
            for number, line in enumerate(stream, start=2):
                try:
                    planned = json.loads(line)
                    yield _checked(planned, source, target)
                except (ValueError, KeyError, TypeError):
                    raise StorageError(f"{file}, line {number} is not a step.") from None

    return steps()


def _header(source: Place, target: Place) -> dict[str, str]:
    return {"source": source[0].where(source[1]), "target": target[0].where(target[1])}


def _identity(entry: Entry) -> dict[str, Any]:
    return {
        "isDir": entry.is_dir,
        "size": entry.size,
        "modified": entry.modified.isoformat() if entry.modified else None,
    }


def _checked(planned: dict[str, Any], source: Place, target: Place) -> Step | Failed:
    """Make a step of a line, or a failure where the world is not as the plan has it."""
    from openpai.core.storage import normalize
    from openpai.core.transfer import Failed, Step

    path = normalize(planned["path"])[1:]
    ours, theirs = (f"{root.rstrip('/')}/{path}" if path else root for _, root in (source, target))
    try:
        deletes = planned["action"] == "delete"
        storage, place = (target[0], theirs) if deletes else (source[0], ours)
        entry = storage.stat(place)
        same = _identity(entry) == {key: planned[key] for key in ("isDir", "size", "modified")}
        if not same and not (entry.is_dir and planned["isDir"]):
            raise StorageError(f"{storage.where(place)} changed since the plan was made.")
        found = None if deletes else _found(target[0], theirs)
        if planned["action"] == "copy" and found:
            raise StorageError(f"{target[0].where(theirs)} was not there when the plan was made.")
    except (OSError, OpenPaiError) as error:
        return Failed(source[0].where(ours), target[0].where(theirs), error, path)
    return Step(planned["action"], path, entry, found)


def _found(storage: Storage, path: str) -> Entry | None:
    try:
        return storage.stat(path)
    except FileNotFoundError:
        return None
