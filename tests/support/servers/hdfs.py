"""A real HDFS: a name node, data nodes with names that nobody can look up, a gateway."""

from __future__ import annotations

import getpass
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from support.ports import free_port
from support.servers.hadoop import (
    ADMIN,
    DATA_NODE,
    HTTPFS,
    NAME_NODE,
    OLD_POM,
    Hadoop,
    write_settings,
)
from support.servers.server import STARTING
from support.wait import wait_until

BLOCK = 8 << 20
SETTINGS = {
    "dfs.namenode.safemode.extension": "0",
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.namenode.heartbeat.recheck-interval": "500",
    "dfs.namenode.fs-limits.min-block-size": "4096",
    "dfs.heartbeat.interval": "1",
    "dfs.replication": "1",
    "dfs.blocksize": str(BLOCK),
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "2",
    "dfs.client.block.write.locateFollowingBlock.retries": "12",
    "hadoop.http.authentication.simple.anonymous.allowed": "true",
}


def bean(address: str, service: str, name: str) -> dict[str, Any]:
    """Return what a server of Hadoop tells of itself; nothing while it does not answer."""
    query = f"{address}/jmx?qry=Hadoop:service={service},name={name}"
    trusting = ssl._create_unverified_context() if address.startswith("https") else None
    with suppress(OSError), urllib.request.urlopen(query, timeout=5, context=trusting) as answer:
        found: dict[str, Any] = next(iter(json.load(answer)["beans"]), {})
        return found
    return {}


def _free_ports() -> list[int]:
    return [free_port(), free_port()]


@dataclass
class Hdfs(Hadoop):
    """The servers of one name node.

    Attributes:
        settings: Beside those of all tests.
        nodes: The data nodes; each is called ``NAME.invalid``.
        ports: Where the name node listens: for HTTP and for Hadoop's own protocol.
        datanodes: The names of the data nodes → where they listen.
        scheme: ``http`` or ``https``.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    nodes: Sequence[str] = ("dn0", "dn1")
    datanode_options: Sequence[str] = ()
    ports: list[int] = field(default_factory=_free_ports)
    datanodes: dict[str, str] = field(default_factory=dict)
    scheme: ClassVar[str] = "http"

    @property
    def uri(self) -> str:
        """The name node's web address."""
        return f"{self.scheme}://localhost:{self.ports[0]}"

    @property
    def rpc(self) -> str:
        """The name node's native address."""
        return f"hdfs://localhost:{self.ports[1]}"

    def start(self) -> None:
        """Make an HDFS in which ``alice`` may write below ``/users/alice``."""
        self.format()
        self.start_node("namenode", *self.nodes)
        self.wait()
        self.make_home("alice")

    def format(self, *options: str) -> None:
        """Write the settings and make an empty HDFS."""
        self.configure(
            {
                **SETTINGS,
                "fs.defaultFS": self.rpc,
                "hadoop.tmp.dir": str(self.folder / "data"),
                f"dfs.namenode.{self.scheme}-address": f"localhost:{self.ports[0]}",
                **self.settings,
            }
        )
        self.run(NAME_NODE, *options, "-format", "-force")

    def start_node(self, *names: str) -> None:
        """Start any of ``namenode``, ``dn0``, ``dn1``."""
        for name in names:
            if name == "namenode":
                self.launch_java(name, NAME_NODE)
                continue
            web = self.datanodes.setdefault(f"{name}.invalid", f"localhost:{free_port()}")
            self.launch_java(
                name,
                DATA_NODE,
                f"-Ddfs.datanode.hostname={name}.invalid",
                f"-Ddfs.datanode.data.dir={self.folder / name}",
                f"-Ddfs.datanode.{self.scheme}.address={web}",
                f"-Ddfs.datanode.address=127.0.0.1:{free_port()}",
                f"-Ddfs.datanode.ipc.address=127.0.0.1:{free_port()}",
                *self.datanode_options,
            )

    def wait(self) -> None:
        """Wait until the name node takes writes and all data nodes are registered with it."""
        wait_until(self._ready, "the start of HDFS", timeout=STARTING, show=self.logs)

    def _ready(self) -> bool:
        state = bean(self.uri, "NameNode", "FSNamesystemState")
        return (
            state.get("FSState") == "Operational"
            and state.get("NumLiveDataNodes") == len(self.datanodes)
            and all(map(self._serves, self.datanodes.values()))
        )

    def _serves(self, datanode: str) -> bool:
        state = bean(f"{self.scheme}://{datanode}", "DataNode", "DataNodeInfo")
        return "RUNNING" in str(state.get("BPServiceActorInfo"))

    def make_home(self, user: str) -> None:
        """Make the folder ``/users/USER``, which belongs to that user."""
        self.ask("PUT", f"/users/{user}", "MKDIRS")
        self.ask("PUT", f"/users/{user}", "SETOWNER", owner=user)

    def set_quota(self, path: str, *, names: int = -1, space: int = -1) -> None:
        """Limit the names below a folder and the bytes of its files; -1: no limit."""
        quota = {"namespacequota": names, "storagespacequota": space}
        self.ask("PUT", path, "SETQUOTA", **quota)

    def ask(self, method: str, path: str, operation: str, **arguments: object) -> None:
        """Make a request of WebHDFS as the superuser."""
        query = {"op": operation, "user.name": getpass.getuser(), **arguments}
        address = f"{self.uri}/webhdfs/v1{path}?{urllib.parse.urlencode(query)}"
        call = urllib.request.Request(address, method=method)
        urllib.request.urlopen(call, timeout=60).close()

    def administer(self, *arguments: str) -> None:
        """Run ``hdfs dfsadmin``."""
        self.run(ADMIN, *arguments)

    def open(self, path: str, user: str = "alice", **data: object) -> Any:
        """Open a folder as the storage ``main``."""
        from openpai.core.storage.base import StorageSpec
        from openpai.storage.hdfs.opening import open_hdfs

        usual = {"uri": self.uri, "user": user, "path": path, "datanodes": self.datanodes}
        return open_hdfs(StorageSpec("main", "hdfs", {**usual, **data}))


@dataclass
class OldHdfs(Hdfs):
    """HDFS 2.7.3, as older clusters run it; its data nodes tell nothing of themselves."""

    pom = OLD_POM

    def _serves(self, datanode: str) -> bool:
        return True


@dataclass
class Gateway(Hadoop):
    """An HttpFS gateway.

    Attributes:
        hdfs: The folder with the settings of its HDFS.
        settings: Of the gateway.
        scheme: ``http`` or ``https``.
        port: Where it listens.
    """

    hdfs: Path = Path()
    settings: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    port: int = field(default_factory=free_port)

    @property
    def uri(self) -> str:
        """Its address."""
        return f"{self.scheme}://localhost:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.lay_out()
        write_settings(
            self.folder / "httpfs-site.xml",
            {
                "httpfs.http.hostname": "localhost",
                "httpfs.http.port": str(self.port),
                "httpfs.hadoop.config.dir": str(self.hdfs),
                **self.settings,
            },
        )
        kinds = ("home.dir", "config.dir", "log.dir", "temp.dir")
        self.java = [*self.java, *(f"-Dhttpfs.{kind}={self.folder}" for kind in kinds)]
        self.launch_java("gateway", HTTPFS)
        wait_until(self._answers, "the start of the gateway", timeout=STARTING, show=self.logs)

    def classpath(self) -> list[str]:
        """Return the folders of settings."""
        return [str(self.folder), str(self.hdfs)]

    def _answers(self) -> bool:
        trusting = ssl._create_unverified_context() if self.scheme == "https" else None
        address = f"{self.uri}/webhdfs/v1/"
        try:
            urllib.request.urlopen(address, timeout=5, context=trusting).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
