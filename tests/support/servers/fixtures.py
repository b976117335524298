"""The servers as fixtures; those here are shared by all tests of a run.

A test that breaks a server, or changes what holds for all of its users, starts one of its own:
``with Sshd(new_folder("sshd"), program) as server``.
"""

from __future__ import annotations

import getpass
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from support.servers.azurite import Azurite
from support.servers.hadoop import missing
from support.servers.hdfs import Gateway, Hdfs, OldHdfs
from support.servers.moto import Moto
from support.servers.smbd import Smbd
from support.servers.sshd import Sshd
from support.shared import begin_run, end_run, join_run, shared

_BEGAN = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run or join it."""
    config.stash[_BEGAN] = begin_run()
    join_run()
    if config.stash[_BEGAN]:  # a run that is ended by SIGTERM ends its servers, too
        signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if config.stash.get(_BEGAN, False):
        end_run()


@pytest.fixture(scope="session")
def hadoop() -> None:
    """Need Hadoop: skip without its programs, and fail where all must be there."""
    if reason := missing():
        required = {"CI", "OPENPAI_TESTS_REQUIRE_PARTS"} & set(os.environ)
        pytest.fail(reason) if required else pytest.skip(reason)


@pytest.fixture(scope="session")
def hdfs(hadoop: None) -> Hdfs:
    """Return a running HDFS, in which ``alice`` may write below ``/users/alice``."""
    login = getpass.getuser()
    trusted = {f"hadoop.proxyuser.{login}.{what}": "*" for what in ("hosts", "groups")}
    return shared(Hdfs, settings=trusted)


@pytest.fixture(scope="session")
def old_hdfs(hadoop: None) -> OldHdfs:
    """Return a running HDFS 2.7.3."""
    return shared(OldHdfs)


@pytest.fixture(scope="session")
def gateway(hdfs: Hdfs) -> str:
    """Return the address of an HttpFS gateway to the shared HDFS."""
    return shared(Gateway, hdfs=hdfs.folder).uri


@pytest.fixture(scope="session")
def azurite(needs: Callable[[str], str]) -> Azurite:
    """Return a running Azurite."""
    return shared(Azurite, package=needs("node_modules/azurite"))


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """Return a running moto that does not check keys."""
    server = shared(Moto)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sshd(needs: Callable[[str], str]) -> Sshd:
    """Return a running OpenSSH server."""
    return shared(Sshd, program=needs("sshd"))


@pytest.fixture(scope="session")
def smbd(needs: Callable[[str], str]) -> Smbd:
    """Return a running Samba server."""
    return shared(Smbd, program=needs("smbd"))
