"""Azure Blob keeps every promise of the storage interface."""

from __future__ import annotations

import pytest

from openpai.core.storage.base import Storage
from openpai.storage.testing import ChangeContract, ListContract, StorageConformance


class TestAccountKey(StorageConformance):
    """A whole container, opened with the account's key."""


class TestSasToken(ListContract, ChangeContract):
    """What lies below a prefix, opened with a SAS token."""

    @pytest.fixture
    def storage(self, azurite, container, attached) -> Storage:
        """Return a prefix among others that look like it."""
        with azurite.container(container) as client:
            for name in ("file", "a/b2/file", "a/b"):
                client.upload_blob(name, b"other")
        token = azurite.sas(container, "racwdl")
        return attached(accountKey=None, accountSASToken=token, path="/a/b/c/")
