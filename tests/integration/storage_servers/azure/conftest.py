"""A server that speaks Azure Blob on loopback: Azurite, with an account of its own."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from openpai.core.storage import Storage, StorageSpec, open_storage
from openpai.storage.testing.helpers import free_port

ACCOUNT = "team"


class Azurite:
    """The server.

    Attributes:
        endpoint: The address of its account.
        key: The account's key.
    """

    def __init__(self, package: str, folder: Path) -> None:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self.key = base64.b64encode(os.urandom(32)).decode()
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
        options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["node", f"{package}/dist/src/blob/main.js", *where, *options],
                env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < end:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail(f"Azurite does not start: {(folder / 'log').read_text()}")

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def container(self, name: str) -> Any:
        """Return the library's own client of a container."""
        from azure.storage.blob import ContainerClient

        keys = {"account_name": ACCOUNT, "account_key": self.key}
        return ContainerClient(self.endpoint, name, credential=keys)

    def sas(self, container: str, rights: str, hours: float = 1) -> str:
        """Return a SAS token for a container, for so many hours from now."""
        from azure.storage.blob import generate_container_sas

        now = datetime.now(timezone.utc)
        made: str = generate_container_sas(
            ACCOUNT,
            container,
            account_key=self.key,
            permission=rights,
            start=now - timedelta(days=1),
            expiry=now + timedelta(hours=hours),
        )
        return made

    def spec(self, container: str, **data: Any) -> StorageSpec:
        """Return the storage ``main`` in a container, as PAI's server describes one."""
        usual = {
            "containerName": container,
            "accountName": ACCOUNT,
            "accountKey": self.key,
            "endpoint": self.endpoint,
        }
        return StorageSpec("main", "azureBlob", {**usual, **data})


@pytest.fixture(scope="session")
def azurite(
    needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Azurite]:
    """Return a running server."""
    server = Azurite(needs("node_modules/azurite"), tmp_path_factory.mktemp("azurite"))
    yield server
    server.stop()


@pytest.fixture
def container(azurite: Azurite) -> str:
    """Return an empty container of its own."""
    name = f"test-{os.urandom(4).hex()}"
    with azurite.container(name) as client:
        client.create_container()
    return name


@pytest.fixture
def attached(azurite: Azurite, container: str) -> Iterator[Callable[..., Storage]]:
    """Return a function that opens the container with other data."""
    opened: list[Storage] = []

    def build(**data: Any) -> Storage:
        opened.append(open_storage(azurite.spec(container, **data)))
        return opened[-1]

    yield build
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(attached: Callable[..., Storage]) -> Storage:
    """Return an empty container."""
    return attached()
