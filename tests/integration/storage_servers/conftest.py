"""What the storages of all kinds of servers have in common.

The folder of each kind has the fixture ``spec``: a function that describes a storage in an empty
place of the server, with other data than usual if it is given some.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openpai.core.storage.base import Storage, StorageSpec, open_storage


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the keys and settings of the user who runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def attached(spec: Callable[..., StorageSpec]) -> Iterator[Callable[..., Storage]]:
    """Return a function that opens the empty place with other data."""
    with ExitStack() as opened:
        yield lambda **data: opened.enter_context(open_storage(spec(**data)))


@pytest.fixture
def storage(attached: Callable[..., Storage]) -> Storage:
    """Return an empty storage of a real server."""
    return attached()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the method of each request of HTTP is added."""
    sent: list[str] = []
    send = http.client.HTTPConnection.putrequest

    def noted(self: Any, method: str, *rest: Any, **options: Any) -> None:
        sent.append(method)
        send(self, method, *rest, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", noted)
    return sent
