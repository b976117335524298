"""Plans that were written to a file, done later: all of their lines or none of them."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator

from openpai.core.errors import OpenPaiError, StorageError
from openpai.storage.cli._plan_write import header

if TYPE_CHECKING:
    from openpai.core.storage import Entry, Storage
    from openpai.core.storage.transfer import Failed, Step

    Place = tuple[Storage, str]

__all__ = ["read_plan"]

_ACTIONS = ("copy", "replace", "compare", "mkdir", "delete")
_REPLAN_HINT = "Write a new plan with --plan FILE."


def read_plan(file: Path, source: Place, target: Place) -> Iterator[Step | Failed]:
    """Return the steps of a plan, each compared with what is there when its turn comes.

    What a run of this plan has done already is not done again.

    Raises:
        StorageError: The file is not a plan, is incomplete, or is for another source or target.
    """
    expected = header(source, target)
    with file.open(encoding="utf-8", errors="surrogateescape") as stream:
        first = _json(stream.readline())
    if first.get("plan") != 1:
        raise StorageError(f"{file} is not a plan.", "Write one with --plan FILE.")
    if {key: first.get(key) for key in expected} != expected:
        raise StorageError(
            f"{file} is the plan from {first.get('source')} to {first.get('target')}, "
            f"not from {expected['source']} to {expected['target']}.",
            "Give the same paths as with --plan.",
        )
    for _ in _lines(file):
        pass
    is_there = _comparison(source[0], target[0])
    steps = (_verify_plan(planned, source, target, is_there) for planned in _lines(file))
    return (step for step in steps if step is not None)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the steps of a plan as they are written.

    Raises:
        StorageError: A line is not a step, or lines are missing at the end.
    """
    count = 0
    with file.open(encoding="utf-8", errors="surrogateescape") as stream:
        stream.readline()
        for number, line in enumerate(stream, start=2):
            planned = _json(line)
            if planned.get("steps") == count and not stream.readline():
                return
            if not _is_step(planned):
                raise StorageError(
                    f"{file}, line {number} is not a step; nothing is done.", _REPLAN_HINT
                )
            count += 1
            yield planned
    raise StorageError(f"{file} breaks off after {count} steps; nothing is done.", _REPLAN_HINT)


def _json(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_step(planned: dict[str, Any]) -> bool:
    from openpai.core.storage import normalize

    try:
        normalize(planned["path"])
        return planned["action"] in _ACTIONS and all(
            _has_identity(item) for item in (planned, planned["found"]) if item is not None
        )
    except (KeyError, TypeError, AttributeError, ValueError, StorageError):
        return False


def _has_identity(item: dict[str, Any]) -> bool:
    _time(item["modified"])
    return isinstance(item["isDir"], bool) and isinstance(item["size"], int)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _comparison(source: Storage, target: Storage) -> Callable[[Entry, Entry], bool]:
    """Return whether the target has this very file, as a transfer would find it."""
    from openpai.core.storage.transfer import Copier, Limiter

    never = threading.Event()
    copier = Copier(source, target, Limiter(None, never), _ignore, never)
    return lambda entry, found: (
        not found.is_dir
        and entry.size == found.size
        and copier.is_there(entry, found, overwrite=False)
    )


def _verify_plan(
    planned: dict[str, Any],
    source: Place,
    target: Place,
    is_there: Callable[[Entry, Entry], bool],
) -> Step | Failed | None:
    """Make a step of a line, or a failure where the world is not as the plan has it.

    ``None``: it is about something to delete that is gone.
    """
    from openpai.core.storage import normalize
    from openpai.core.storage.transfer import Failed, Step

    action, path = planned["action"], normalize(planned["path"])[1:]
    ours, theirs = (f"{root.rstrip('/')}/{path}" if path else root for _, root in (source, target))
    try:
        found = _found(target[0], theirs)
        if action == "delete":
            if found is None:
                return None
            _check_same(planned, found, target[0].where(theirs))
            return Step(action, path, found)
        entry = source[0].stat(ours)
        _check_same(planned, entry, source[0].where(ours))
        if action != "mkdir" and found and not _is_unchanged(planned["found"], found):
            if is_there(entry, found):
                return Step("unchanged", path, entry, found)
            raise _changed(target[0].where(theirs))
    except (OSError, OpenPaiError) as error:
        return Failed(source[0].where(ours), target[0].where(theirs), error, path)
    return Step(action, path, entry, found)


def _check_same(planned: dict[str, Any], entry: Entry, where: str) -> None:
    if not _is_unchanged(planned, entry):
        raise _changed(where)


def _changed(where: str) -> StorageError:
    return StorageError(f"{where} changed since the plan was made.", _REPLAN_HINT)


def _is_unchanged(planned: dict[str, Any] | None, entry: Entry) -> bool:
    """Whether what was there when the plan was made is there now; folders may hold other things."""
    from openpai.core.storage import Entry as Made
    from openpai.core.storage.transfer import same_time

    if planned is None or planned["isDir"] != entry.is_dir:
        return False
    before = Made(entry.path, entry.is_dir, planned["size"], _time(planned["modified"]))
    if entry.is_dir:
        return True
    timeless = before.modified is None and entry.modified is None
    return before.size == entry.size and (timeless or same_time(before, entry))


def _found(storage: Storage, path: str) -> Entry | None:
    try:
        return storage.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _ignore(count: int) -> None:
    pass
