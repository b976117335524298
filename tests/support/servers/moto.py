"""A server that speaks S3: moto."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from support.ports import free_port
from support.servers.server import Server


@dataclass
class Moto(Server):
    """The server, in which every key may do everything, unless it checks keys.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._clients: dict[str, Any] = {}

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.launch("moto", command)
        self.wait_for_port("moto", self.port)

    def stop(self) -> None:
        """Kill it and close the clients."""
        self.close()
        super().stop()

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def client(self, service: str = "s3") -> Any:
        """Return an administrator's client."""
        import boto3

        if service not in self._clients:
            keys = {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
            self._clients[service] = boto3.client(
                service, endpoint_url=self.endpoint, region_name="us-east-1", **keys
            )
        return self._clients[service]

    def check_keys(self, checks: bool) -> None:
        """Let it check keys and rights of all requests, or not."""
        url = f"{self.endpoint}/moto-api/reset-auth"
        body = b"0" if checks else b"Infinity"
        call = urllib.request.Request(url, body, {"Content-Type": "text/plain"})
        urllib.request.urlopen(call, timeout=60).close()

    def spec(self, bucket: str, **data: Any) -> Any:
        """Return the storage ``main`` in a bucket."""
        from openpai.core.storage.base import StorageSpec

        usual = {
            "uri": f"s3://{bucket}",
            "endpoint": self.endpoint,
            "access_key": "alice",
            "secret_key": "very-secret",
        }
        return StorageSpec("main", "s3", {**usual, **data})
