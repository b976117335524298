"""SMB keeps every promise of the storage interface."""

from __future__ import annotations

import getpass

import pytest

from openpai.core.storage.base import Storage, StorageSpec, open_storage
from openpai.storage.testing import StorageConformance, WriteContract


class TestSamba(StorageConformance):
    """A folder of a share."""


class TestAzureFile(WriteContract):
    """What Azure Files does otherwise: everything on the line is encrypted."""

    @pytest.fixture
    def storage(self, smbd, folder) -> Storage:
        """Return an empty folder of a real share, opened as one of Azure Files."""
        data = {
            "accountName": getpass.getuser(),
            "accountKey": "very-secret",
            "shareName": "team",
            "endpoint": f"127.0.0.1:{smbd.port}",
            "path": folder,
        }
        with open_storage(StorageSpec("main", "azureFile", data)) as storage:
            yield storage
