"""A real HDFS on loopback, one name node and two data nodes, and a faulty line to it.

The jars come from Maven once and are cached. The data nodes give themselves names that nobody can
look up, as those behind a proxy do, so that every test also goes through rewritten redirects.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from openpai.core.storage import StorageSpec
from openpai.storage.hdfs import HdfsStorage, open_hdfs

HERE = Path(__file__).parent
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATA_NODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
SECONDS = 60


def free_port() -> int:
    """Return a port that nobody uses."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"{what} did not happen within {SECONDS} s"
        time.sleep(0.1)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Return a function that waits until something holds, over errors of the servers."""
    from openpai.core.errors import OpenPaiError

    def holds(check: Callable[[], bool]) -> bool:
        with suppress(OpenPaiError):
            return check()
        return False

    return lambda check: until(lambda: holds(check), "what was expected")


def jars() -> Path:
    """Return a folder with Hadoop's jars."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            reason = f"a real HDFS needs {program}"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    pom = HERE / "hadoop.pom.xml"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "openpai-tests")
    folder = cache / f"hadoop-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        loading = cache / f"loading-{os.getpid()}"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={loading}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True)
        loading.rename(folder)
    return folder


def bean(address: str, service: str, name: str) -> dict[str, object]:
    """Return what a server of Hadoop tells of itself; nothing while it does not answer."""
    query = f"{address}/jmx?qry=Hadoop:service={service},name={name}"
    with suppress(OSError), urllib.request.urlopen(query, timeout=5) as answer:
        return next(iter(json.load(answer)["beans"]), {})
    return {}


class Hdfs:
    """The servers.

    Attributes:
        uri: The name node's web address.
        datanodes: The names of the data nodes → where they listen.
    """

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder = folder
        self._classpath = f"{folder}{os.pathsep}{jars}/*"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        rpc, web = free_port(), free_port()
        self.uri = f"http://127.0.0.1:{web}"
        self.datanodes: dict[str, str] = {}
        settings = {
            "fs.defaultFS": f"hdfs://127.0.0.1:{rpc}",
            "hadoop.tmp.dir": str(folder / "data"),
            "dfs.namenode.http-address": f"127.0.0.1:{web}",
            "dfs.namenode.safemode.extension": "0",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.namenode.heartbeat.recheck-interval": "500",
            "dfs.heartbeat.interval": "1",
            "dfs.replication": "1",
            "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "2",
        }
        rows = "".join(
            f"<property><name>{name}</name><value>{value}</value></property>"
            for name, value in settings.items()
        )
        for name in ("core-site.xml", "hdfs-site.xml"):
            (folder / name).write_text(f"<configuration>{rows}</configuration>")
        subprocess.run(
            [*JAVA, "-cp", self._classpath, NAME_NODE, "-format", "-force"],
            check=True,
            capture_output=True,
        )

    def start(self, name: str) -> None:
        """Start ``namenode``, ``dn0`` or ``dn1``."""
        if name == "namenode":
            arguments = [NAME_NODE]
        else:
            web = self.datanodes.setdefault(f"{name}.invalid", f"127.0.0.1:{free_port()}")
            arguments = [
                DATA_NODE,
                f"-Ddfs.datanode.hostname={name}.invalid",
                f"-Ddfs.datanode.data.dir={self._folder / name}",
                f"-Ddfs.datanode.http.address={web}",
                f"-Ddfs.datanode.address=127.0.0.1:{free_port()}",
                f"-Ddfs.datanode.ipc.address=127.0.0.1:{free_port()}",
            ]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*JAVA, "-cp", self._classpath, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """Kill one of the servers."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Kill all that run."""
        for name in list(self._processes):
            self.kill(name)

    def wait(self) -> None:
        """Wait until the name node takes writes and both data nodes are registered with it."""

        def ready() -> bool:
            state = bean(self.uri, "NameNode", "FSNamesystemState")
            nodes = [
                bean(f"http://{at}", "DataNode", "DataNodeInfo") for at in self.datanodes.values()
            ]
            return (
                state.get("FSState") == "Operational"
                and state.get("NumLiveDataNodes") == len(nodes)
                and all("RUNNING" in str(node.get("BPServiceActorInfo")) for node in nodes)
            )

        until(ready, "the start of HDFS")

    def administer(self, *arguments: str) -> None:
        """Run ``hdfs dfsadmin``."""
        program = "org.apache.hadoop.hdfs.tools.DFSAdmin"
        subprocess.run(
            [*JAVA, "-cp", self._classpath, program, *arguments], check=True, capture_output=True
        )

    def open(
        self, path: str, user: str = "alice", datanodes: dict[str, str] | None = None
    ) -> HdfsStorage:
        """Open a folder as the storage ``main``."""
        data = {
            "uri": self.uri,
            "user": user,
            "path": path,
            "datanodes": self.datanodes if datanodes is None else datanodes,
        }
        storage = open_hdfs(StorageSpec("main", "hdfs", data))
        assert isinstance(storage, HdfsStorage)
        return storage


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """Return a running HDFS, in which ``alice`` may write below ``/users/alice``."""
    import getpass

    servers = Hdfs(tmp_path_factory.mktemp("hdfs"), jars())
    try:
        for name in ("namenode", "dn0", "dn1"):
            servers.start(name)
        servers.wait()
        admin = servers.open("/", user=getpass.getuser())
        admin.mkdir("/users/alice")
        admin._ask("PUT", "/users/alice", "SETOWNER", owner="alice")
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def folder(hdfs: Hdfs, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return an empty folder of alice's own."""
    path = f"/users/alice/{os.urandom(4).hex()}"
    storage = hdfs.open("/")
    storage.mkdir(path)
    yield path
    storage.delete(path, recursive=True)


class Line:
    """A line to a server that breaks after a number of bytes in either direction.

    Attributes:
        address: Where it listens.
    """

    def __init__(self, target: str, limit: int) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._left = limit
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def _spawn(self, act: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                far = socket.create_connection(self._target)
                self._sockets.append(far)
                self._spawn(self._carry, near, far)
                self._spawn(self._carry, far, near)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    passed = data[: max(self._left, 0)]
                    self._left -= len(data)
                target.sendall(passed)
                if len(passed) < len(data):
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()


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
