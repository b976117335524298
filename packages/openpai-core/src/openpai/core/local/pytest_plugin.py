"""Pytest fixtures for tests of clients of OpenPAI: ``pai_cluster`` and ``pai_client``.

Pytest loads this module where openpai-core is installed; nothing is started or imported for tests
that use neither fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.local import LocalCluster

#: Enough for any job of a test; nothing is reserved.
ROOM = {"cpus": 64, "memory_mb": 256 * 1024, "gpus": 8, "grace": 5}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "pai_cluster(**options): options of this test's cluster; "
        "see openpai.core.local.options.Options",
    )


@pytest.fixture
def pai_cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """A local cluster for this test, which runs jobs; it stops with the test."""
    from openpai.core.local import LocalCluster

    marker = request.node.get_closest_marker("pai_cluster")
    with LocalCluster(**{**ROOM, **(marker.kwargs if marker else {})}) as cluster:
        yield cluster


@pytest.fixture
def pai_client(pai_cluster: LocalCluster) -> Iterator[Cluster]:
    """A client of that cluster as its first user, an admin."""
    from openpai.core.client import Cluster

    with Cluster(pai_cluster.uri, user=pai_cluster.user, token=pai_cluster.token) as client:
        yield client
