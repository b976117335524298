"""S3 keeps every promise of the storage interface."""

from __future__ import annotations

import pytest

from openpai.core.storage.base import Storage
from openpai.storage.testing import ChangeContract, ListContract, StorageConformance


class TestS3(StorageConformance):
    """A whole bucket."""


class TestPrefix(ListContract, ChangeContract):
    """What lies below a prefix of a bucket that holds more."""

    @pytest.fixture
    def storage(self, moto, bucket, attached) -> Storage:
        """Return a prefix among others that look like it."""
        for key in ("file", "a/b", "a/b2/file", "a/b/"):
            moto.client().put_object(Bucket=bucket, Key=key, Body=b"other")
        return attached(uri=f"s3://{bucket}/a/b/c/")
