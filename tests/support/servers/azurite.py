"""A server that speaks Azure Blob: Azurite, with an account of its own."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from support.ports import free_port
from support.servers.server import Server

ACCOUNT = "team"


def _new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@dataclass
class Azurite(Server):
    """The server.

    Attributes:
        package: The folder of its package from npm.
        port: Where it listens on 127.0.0.1.
        key: The account's key.
    """

    package: str
    port: int = field(default_factory=free_port)
    key: str = field(default_factory=_new_key)

    @property
    def endpoint(self) -> str:
        """The address of its account."""
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port)]
        options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        program = ["node", f"{self.package}/dist/src/blob/main.js"]
        environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"}
        command = [*program, *where, "--location", str(self.folder), *options]
        self.launch("azurite", command, env=environment)
        self.wait_for_port("azurite", self.port)

    def container(self, name: str) -> Any:
        """Return the library's own client of a container."""
        from azure.storage.blob import ContainerClient

        keys = {"account_name": ACCOUNT, "account_key": self.key}
        return ContainerClient(self.endpoint, name, credential=keys)

    def sas(self, container: str, rights: str, hours: float = 1) -> str:
        """Return a SAS token for a container, valid for a number of hours from now."""
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

    def spec(self, container: str, **data: Any) -> Any:
        """Return the storage ``main`` in a container, as PAI's server describes one."""
        from openpai.core.storage.base import StorageSpec

        usual = {
            "containerName": container,
            "accountName": ACCOUNT,
            "accountKey": self.key,
            "endpoint": self.endpoint,
        }
        return StorageSpec("main", "azureBlob", {**usual, **data})
