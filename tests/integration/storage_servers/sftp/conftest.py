"""A folder of a real SSH server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.servers.sshd import Sshd

from openpai.core.storage.base import StorageSpec


@pytest.fixture
def spec(sshd: Sshd, tmp_path: Path) -> Callable[..., StorageSpec]:
    """Return a function that describes an empty folder of the server."""
    folder = tmp_path / "served"
    folder.mkdir()
    return partial(sshd.spec, folder)
