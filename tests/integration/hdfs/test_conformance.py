"""HDFS keeps every promise of the storage interface."""

from __future__ import annotations

import pytest

from openpai.core.storage.base import Storage
from openpai.storage.testing import StorageConformance


class TestHdfs(StorageConformance):
    """A folder of an ordinary user."""

    @pytest.fixture
    def storage(self, hdfs, folder) -> Storage:
        """Return an empty folder of a real HDFS."""
        return hdfs.open(folder)
