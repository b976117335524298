"""SFTP keeps every promise of the storage interface."""

from __future__ import annotations

from openpai.storage.testing import StorageConformance


class TestSftp(StorageConformance):
    """A folder of a user who logs in with a key."""
