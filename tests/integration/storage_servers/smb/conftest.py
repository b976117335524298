"""A folder of a share of a real Samba server."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from support.servers.smbd import Smbd

from openpai.core.storage.base import StorageSpec


@pytest.fixture
def folder(smbd: Smbd) -> str:
    """Return an empty folder of the share, of its own."""
    name = os.urandom(4).hex()
    (smbd.root / name).mkdir()
    return name


@pytest.fixture
def spec(smbd: Smbd, folder: str) -> Callable[..., StorageSpec]:
    """Return a function that describes the folder."""
    return partial(smbd.spec, folder)
