"""A server that speaks S3 on loopback: moto."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from openpai.core.storage import Storage, StorageSpec, open_storage
from openpai.storage.testing.helpers import free_port


class Moto:
    """The server.

    Attributes:
        endpoint: Its address.
    """

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < end:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("moto does not start")

    def stop(self) -> None:
        """Kill it."""
        for client in self._clients.values():
            client.close()
        self._process.kill()
        self._process.wait()

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
        """Let it look at keys and rights, or not."""
        url = f"{self.endpoint}/moto-api/reset-auth"
        body = b"0" if checks else b"Infinity"
        call = urllib.request.Request(url, body, {"Content-Type": "text/plain"})
        urllib.request.urlopen(call, timeout=20).close()

    def spec(self, bucket: str, **data: Any) -> StorageSpec:
        """Return the storage ``main`` in a bucket."""
        usual = {
            "uri": f"s3://{bucket}",
            "endpoint": self.endpoint,
            "access_key": "alice",
            "secret_key": "very-secret",
        }
        return StorageSpec("main", "s3", {**usual, **data})


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """Return a running server."""
    server = Moto()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Keep the keys of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def bucket(moto: Moto) -> str:
    """Return an empty bucket of its own."""
    name = f"test-{os.urandom(4).hex()}"
    moto.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def attached(moto: Moto, bucket: str) -> Iterator[Callable[..., Storage]]:
    """Return a function that opens the bucket with other data."""
    opened: list[Storage] = []

    def build(**data: Any) -> Storage:
        opened.append(open_storage(moto.spec(bucket, **data)))
        return opened[-1]

    yield build
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(attached: Callable[..., Storage]) -> Storage:
    """Return an empty bucket."""
    return attached()
