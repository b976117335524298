"""A bucket of a server that speaks S3."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from support.servers.moto import Moto

from openpai.core.storage.base import StorageSpec


@pytest.fixture
def bucket(moto: Moto) -> str:
    """Return an empty bucket of its own."""
    name = f"test-{os.urandom(4).hex()}"
    moto.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def spec(moto: Moto, bucket: str) -> Callable[..., StorageSpec]:
    """Return a function that describes the bucket."""
    return partial(moto.spec, bucket)
