"""A real HDFS on loopback, one name node and two data nodes, and a faulty line to it.

The jars come from Maven once and are cached. The data nodes give themselves names that nobody can
look up, as those behind a proxy do, so that every test also goes through rewritten redirects.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from .cluster import Hdfs
from .hadoop import missing, until
from .line import Line


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Return a function that waits until something holds, over errors of the servers."""
    from openpai.core.errors import OpenPaiError

    def holds(check: Callable[[], bool]) -> bool:
        with suppress(OpenPaiError):
            return check()
        return False

    return lambda check: until(lambda: holds(check), "what was expected")


@pytest.fixture(scope="session")
def hadoop() -> None:
    """Need Hadoop: skip without its programs, and fail where all must be there."""
    if reason := missing():
        required = {"CI", "OPENPAI_TESTS_REQUIRE_PARTS"} & set(os.environ)
        pytest.fail(reason) if required else pytest.skip(reason)


@pytest.fixture(scope="session")
def hdfs(hadoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """Return a running HDFS, in which ``alice`` may write below ``/users/alice``."""
    login = getpass.getuser()
    trusted = {f"hadoop.proxyuser.{login}.{what}": "*" for what in ("hosts", "groups")}
    servers = Hdfs(tmp_path_factory.mktemp("hdfs"), trusted)
    try:
        servers.start("namenode", "dn0", "dn1")
        servers.wait()
        admin = servers.open("/", user=login)
        admin.mkdir("/users/alice")
        admin._ask("PUT", "/users/alice", "SETOWNER", owner="alice")
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def gateway(hdfs: Hdfs) -> str:
    """Return the address of an HttpFS gateway to that HDFS."""
    return hdfs.start_gateway()


@pytest.fixture
def folder(hdfs: Hdfs, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return an empty folder of alice's own."""
    path = f"/users/alice/{os.urandom(4).hex()}"
    storage = hdfs.open("/")
    storage.mkdir(path)
    yield path
    storage.delete(path, recursive=True)


@pytest.fixture
def line() -> Iterator[Callable[[str, int], str]]:
    """Return a function from (address, bytes) to an address that stops working after them."""
    lines: list[Line] = []

    def build(target: str, limit: int) -> str:
        lines.append(Line(target, limit))
        return lines[-1].address

    yield build
    for item in lines:
        item.close()
