"""Fixtures for tests of whatever talks to OpenPAI: ``pai_cluster`` and ``pai_client``.

Pytest finds this module by itself where openpai-core is installed; nothing is started or imported
for tests that ask for neither fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.local import LocalCluster

#: Enough for any job of a test: none of it is really reserved.
ROOM = {"cpus": 64, "memory_mb": 256 * 1024, "gpus": 8, "grace": 5}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "pai_cluster(**options): how this test's cluster differs from the usual one; "
        "see openpai.core.local.options.Options",
    )


@pytest.fixture
def pai_cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """A cluster of this test's own, which really runs jobs; it ends with the test."""
    from openpai.core.local import LocalCluster

    marker = request.node.get_closest_marker("pai_cluster")
    with LocalCluster(**{**ROOM, **(marker.kwargs if marker else {})}) as cluster:
        yield cluster


@pytest.fixture
def pai_client(pai_cluster: LocalCluster) -> Iterator[Cluster]:
    """A client of that cluster, as its first user, an admin."""
    from openpai.core.client import Cluster

    with Cluster(pai_cluster.uri, user=pai_cluster.user, token=pai_cluster.token) as client:
        yield client
