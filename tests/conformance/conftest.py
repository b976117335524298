"""What the client promises, tried on any PAI.

``OPENPAI_CONFORMANCE_URI``, ``…_USER`` and ``…_PASSWORD`` or ``…_TOKEN`` name a cluster; without
them a local one is started. Only the public interface is used, nothing is assumed of the cluster's
speed, and what was started is stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from openpai.core import Cluster, Job, RemoteJob
from openpai.core.protocol.command_job import job_from_command, random_letters

PREFIX = "conformance_"
IMAGE = os.environ.get("OPENPAI_CONFORMANCE_IMAGE", "openpai/standard:python_3.6-cpu")
#: Seconds that a tiny job may take on a busy cluster, images and queue included.
JOB_TIMEOUT = float(os.environ.get("OPENPAI_CONFORMANCE_PATIENCE", "900"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all tests below this folder: their servers are processes."""
    item.add_marker(pytest.mark.process)


class Place:
    """A cluster to try things on, and how to log in to it."""

    def __init__(self, uri: str, user: str, token: str, password: str) -> None:
        self.uri = uri
        self.user = user
        self.token = token
        self.password = password

    def open(self, **options) -> Cluster:
        """Open the cluster; options replace what is known."""
        known = {"user": self.user, "token": self.token, "password": self.password}
        return Cluster(self.uri, **{**known, **options})


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """The cluster of the environment, else one on this machine."""
    uri = os.environ.get("OPENPAI_CONFORMANCE_URI")
    if uri:
        named = [
            os.environ.get(f"OPENPAI_CONFORMANCE_{n}", "") for n in ("USER", "TOKEN", "PASSWORD")
        ]
        yield Place(uri, *named)
        return
    from openpai.core.local import LocalCluster

    with LocalCluster(cpus=16, memory_mb=16_000) as local:
        yield Place(local.uri, local.user, local.token, local.password)


@pytest.fixture(scope="session")
def cluster(place) -> Iterator[Cluster]:
    """That cluster, opened."""
    with place.open() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def password(place) -> str:
    """The user's password."""
    if not place.password:
        pytest.skip("needs OPENPAI_CONFORMANCE_PASSWORD")
    return place.password


@pytest.fixture(scope="session")
def job_timeout() -> float:
    """Seconds to wait for a tiny job."""
    return JOB_TIMEOUT


@pytest.fixture(scope="session")
def make_job() -> Callable[..., Job]:
    """Return a function that makes a tiny job of a name that nobody uses."""

    def make(*commands: str, **options) -> Job:
        name = options.pop("name", None) or PREFIX + random_letters(12)
        tiny = {"image": IMAGE, "cpu": 1, "memory_mb": 128, **options}
        return job_from_command(name, list(commands) or ["true"], **tiny)

    return make


@pytest.fixture(scope="session", autouse=True)
def started(place) -> Iterator[list]:
    """Everything that was started; it is stopped in the end, whatever happened."""
    remotes: list = []
    yield remotes
    with place.open() as cluster:
        for remote in remotes:
            job = cluster.job(remote.key)
            if not job.status().ended:
                job.stop()


@pytest.fixture(scope="session")
def submit(cluster, make_job, started) -> Callable[..., RemoteJob]:
    """Return a function that submits a tiny job, or one that was made before."""

    def start(*commands, job: Job | None = None, **options) -> RemoteJob:
        remote = cluster.submit(job or make_job(*commands, **options))
        started.append(remote)
        return remote

    return start


@pytest.fixture(scope="session")
def finished(submit, job_timeout) -> RemoteJob:
    """A job that has succeeded: it wrote a line to each stream."""
    remote = submit("echo to stdout", "echo to stderr >&2")
    assert remote.wait(timeout=job_timeout).state == "SUCCEEDED"
    return remote


@pytest.fixture(scope="session")
def failed(submit, job_timeout) -> RemoteJob:
    """A job that has failed with exit code 3."""
    remote = submit("echo about to fail", "exit 3")
    assert remote.wait(timeout=job_timeout).state == "FAILED"
    return remote
