"""The POSIX storage keeps every promise of the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from openpai.core.storage.base import Storage, StorageSpec, open_storage
from openpai.storage.testing import StorageConformance


class TestPosix(StorageConformance):
    """A plain folder."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Iterator[Storage]:
        """Return an empty folder, opened as a cluster's NFS storage is."""
        with open_storage(StorageSpec("main", "nfs", mount_path=str(tmp_path))) as storage:
            yield storage
