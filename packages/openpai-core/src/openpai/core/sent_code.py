"""Which code archives this user sent where, so that unchanged code need not go there again.

``~/.openpai/sent-code.yaml`` keeps, for the checksums of the last archives, the place of each. It
only saves time: what it says is looked at before it is used, and a missing file costs a sending.
"""

from __future__ import annotations

from contextlib import suppress

from openpai.core.config.files import home, read_yaml, update_yaml
from openpai.core.errors import OpenPaiError
from openpai.core.storage import Storage, StorageUri

__all__ = ["copy_sent", "note_sent"]

KEPT = 100


def copy_sent(storage: Storage, sha256: str, size: int, path: str) -> bool:
    """Bring an archive that the storage has elsewhere to a path; ``False``: it must be sent."""
    with suppress(OSError, OpenPaiError, KeyError, TypeError, AttributeError):
        place = StorageUri.parse(read_yaml(home() / "sent-code.yaml", dict)[sha256])
        there = place.storage == storage.name and storage.stat(place.path).size == size
        return there and storage.copy(place.path, path) and storage.stat(path).size == size
    return False


def note_sent(storage: Storage, sha256: str, path: str) -> None:
    """Remember where an archive lies; where that cannot be kept, it is sent again some time."""

    def change(known: dict[str, str]) -> dict[str, str]:
        others = {key: place for key, place in known.items() if key != sha256}
        latest = list(others.items())[-KEPT + 1 :]
        return dict([*latest, (sha256, str(StorageUri(storage.name, path)))])

    with suppress(OSError, OpenPaiError):
        update_yaml(home() / "sent-code.yaml", dict, change, mode=0o600)
