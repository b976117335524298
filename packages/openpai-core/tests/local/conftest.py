"""What the tests of the local cluster share: a cluster, a client of plain HTTP, job texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pytest
import requests
from support.wait import wait_until

from openpai.core.local import LocalCluster

API = "/rest-server/api/v2"
OVER = ("SUCCEEDED", "FAILED", "STOPPED")


class PlainClient:
    """Nothing but requests, as somebody else's client would use the API."""

    def __init__(self, uri: str, user: str, token: str) -> None:
        self.uri = uri
        self.user = user
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request; a path below the API, or one that begins with /api, /rest-server, …."""
        base = "" if path.startswith(("/api", "/rest-server", "/log-manager", "/healthz")) else API
        options.setdefault("timeout", 60)
        return self.session.request(method, self.uri + base + path, **options)

    def submit(self, text: str) -> requests.Response:
        """Send a job."""
        return self("POST", "/jobs", data=text.encode(), headers={"Content-Type": "text/yaml"})

    def path(self, name: str) -> str:
        """Return where a job is."""
        return f"/jobs/{self.user}~{name}"

    def job(self, name: str) -> dict[str, Any]:
        """Return a job in detail."""
        answer = self("GET", self.path(name))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, name: str) -> dict[str, Any]:
        """Return a job's status."""
        return self.job(name)["jobStatus"]

    def wait(self, name: str, *states: str) -> dict[str, Any]:
        """Return a job once it is over, or in one of the states."""
        wanted = states or OVER
        return wait_until(
            lambda: self._if_in(name, wanted),
            f"job {name} in {', '.join(wanted)}",
            show=lambda: self.status(name),
        )

    def _if_in(self, name: str, states: Sequence[str]) -> dict[str, Any] | None:
        job = self.job(name)
        return job if job["jobStatus"]["state"] in states else None

    def stop(self, name: str) -> requests.Response:
        """Ask for a job to be stopped."""
        return self("PUT", self.path(name) + "/executionType", json={"value": "STOP"})

    def task(self, name: str, role: str = "worker", index: int = 0) -> dict[str, Any]:
        """Return one task's status."""
        return self.job(name)["taskRoles"][role]["taskStatuses"][index]

    def locations(self, name: str, role: str = "worker", index: int = 0) -> dict[str, str]:
        """Return the addresses of a task's logs by name."""
        path = "/rest-server" + self.task(name, role, index)["containerLog"]
        answer = wait_until(lambda: self("GET", path))  # a task runs before it has a log
        return {item["name"]: item["uri"] for item in answer.json()["locations"]}

    def log(self, name: str, stream: str = "all", role: str = "worker", index: int = 0) -> str:
        """Return what a task wrote."""
        # A file is not listed in the moment in which it is rotated.
        uri = wait_until(lambda: self.locations(name, role, index).get(stream), f"log {stream}")
        return requests.get(self.uri + uri, timeout=60).text

    def close(self) -> None:
        """Let go of the connections."""
        self.session.close()


def differences(theirs, ours, path="") -> list:
    """Return where two answers have other keys or types; null fits all, lists go by their first."""
    if theirs is None or ours is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = set(theirs) ^ set(ours)
        found = [f"{path}.{key}" for key in sorted(keys - {"hived", "extension"})]
        for key in set(theirs) & set(ours) - {"extension"}:
            found += differences(theirs[key], ours[key], f"{path}.{key}")
        return found
    if isinstance(theirs, list) and isinstance(ours, list):
        return differences(theirs[0], ours[0], path + "[]") if theirs and ours else []
    numbers = all(type(value) in (int, float) for value in (theirs, ours))
    return [] if numbers or type(theirs) is type(ours) else [path]


@pytest.fixture(name="differences")
def differences_fixture() -> Callable[..., list]:
    """Return a function that says where two answers have other keys or types."""
    return differences


@pytest.fixture(scope="session")
def is_alive() -> Callable[[int], bool]:
    """Return a function that says whether a process runs; a zombie does not."""

    def look(pid: int) -> bool:
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except FileNotFoundError:
            return False
        return stat.rpartition(b")")[2].split()[0] != b"Z"

    return look


@pytest.fixture(scope="session")
def plain_client() -> type[PlainClient]:
    """Return the class of plain clients, for further clusters and users."""
    return PlainClient


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Return a running cluster, the same for a module's tests."""
    with LocalCluster(cpus=8, memory_mb=8192, gpus=2, grace=2) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[PlainClient]:
    """Return a client of the cluster's first user."""
    client = PlainClient(cluster.uri, cluster.user, cluster.token)
    yield client
    client.close()


@pytest.fixture(scope="session")
def job_text() -> Callable[..., str]:
    """Return a function that writes a job: name, commands, and what differs from one small task."""

    def write(
        name: str, *commands: str, instances: int = 1, top: str = "", role: str = "", **amounts: int
    ) -> str:
        asked = {"cpu": 1, "gpu": 0, "memoryMB": 64, **amounts}
        lines = [
            "protocolVersion: 2",
            f"name: {name}",
            "type: job",
            *top.splitlines(),
            "prerequisites:",
            "  - {type: dockerimage, name: image, uri: 'ubuntu:22.04'}",
            "taskRoles:",
            "  worker:",
            f"    instances: {instances}",
            "    dockerImage: image",
            f"    resourcePerInstance: {json.dumps(asked)}",
            *("    " + line for line in role.splitlines()),
            "    commands:",
        ]
        for command in commands or ("true",):
            lines += ["      - |", *("        " + line for line in command.splitlines())]
        return "\n".join(lines) + "\n"

    return write
