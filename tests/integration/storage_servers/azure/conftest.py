"""A container of a server that speaks Azure Blob."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from support.servers.azurite import Azurite

from openpai.core.storage.base import StorageSpec


@pytest.fixture
def container(azurite: Azurite) -> str:
    """Return an empty container of its own."""
    name = f"test-{os.urandom(4).hex()}"
    with azurite.container(name) as client:
        client.create_container()
    return name


@pytest.fixture
def spec(azurite: Azurite, container: str) -> Callable[..., StorageSpec]:
    """Return a function that describes the container."""
    return partial(azurite.spec, container)
