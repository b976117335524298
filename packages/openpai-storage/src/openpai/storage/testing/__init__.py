"""Conformance tests for storages: subclass, provide a fixture, run pytest.

::

    class TestMine(StorageConformance):
        @pytest.fixture
        def storage(self, tmp_path):
            with open_mine(...) as storage:
                yield storage

The fixture returns an empty storage that may be written; a fresh one, or a fresh folder of a
server, for each test.
"""

from __future__ import annotations

from openpai.storage.testing.change import ChangeContract
from openpai.storage.testing.parts import PartsContract
from openpai.storage.testing.paths import PathContract
from openpai.storage.testing.read import ListContract, ReadContract
from openpai.storage.testing.write import WriteContract

__all__ = [
    "ChangeContract",
    "ListContract",
    "PartsContract",
    "PathContract",
    "ReadContract",
    "StorageConformance",
    "WriteContract",
]


class StorageConformance(
    ReadContract, ListContract, WriteContract, ChangeContract, PathContract, PartsContract
):
    """All that a storage promises."""
