"""An HDFS: name nodes, data nodes with names that nobody can look up, a gateway."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from openpai.core.storage import StorageSpec
from openpai.storage.hdfs import open_hdfs
from openpai.storage.hdfs_storage import HdfsStorage
from openpai.storage.testing.helpers import free_port

from .hadoop import ADMIN, DATA_NODE, HTTPFS, NAME_NODE, Hadoop, until, write_settings

SETTINGS = {
    "dfs.namenode.safemode.extension": "0",
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.namenode.heartbeat.recheck-interval": "500",
    "dfs.namenode.fs-limits.min-block-size": "4096",
    "dfs.heartbeat.interval": "1",
    "dfs.replication": "1",
    "dfs.blocksize": str(8 << 20),
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "2",
    "dfs.client.block.write.locateFollowingBlock.retries": "12",
    "hadoop.http.authentication.simple.anonymous.allowed": "true",
}


def bean(address: str, service: str, name: str) -> dict[str, object]:
    """Return what a server of Hadoop tells of itself; nothing while it does not answer."""
    query = f"{address}/jmx?qry=Hadoop:service={service},name={name}"
    trusting = ssl._create_unverified_context()
    with suppress(OSError), urllib.request.urlopen(query, timeout=5, context=trusting) as answer:
        return next(iter(json.load(answer)["beans"]), {})
    return {}


class Hdfs(Hadoop):
    """The servers of one name node.

    Attributes:
        scheme: ``http`` or ``https``.
        uri: The name node's web address.
        rpc: The name node's native address, ``hdfs://HOST:PORT``.
        datanodes: The names of the data nodes → where they listen.
    """

    scheme = "http"

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        java: tuple[str, ...] = (),
        formatting: tuple[str, ...] = (),
    ) -> None:
        super().__init__(folder, java)
        web = free_port()
        self.uri = f"{self.scheme}://localhost:{web}"
        self.rpc = f"hdfs://localhost:{free_port()}"
        self.datanodes: dict[str, str] = {}
        self.datanode_options: tuple[str, ...] = ()
        self.configure(
            {
                **SETTINGS,
                "fs.defaultFS": self.rpc,
                "hadoop.tmp.dir": str(folder / "data"),
                f"dfs.namenode.{self.scheme}-address": f"localhost:{web}",
                **(settings or {}),
            }
        )
        self.run(NAME_NODE, *formatting, "-format", "-force")

    def start(self, *names: str) -> None:
        """Start any of ``namenode``, ``dn0``, ``dn1``."""
        for name in names:
            if name == "namenode":
                self.spawn(name, NAME_NODE)
                continue
            web = self.datanodes.setdefault(f"{name}.invalid", f"localhost:{free_port()}")
            self.spawn(
                name,
                DATA_NODE,
                f"-Ddfs.datanode.hostname={name}.invalid",
                f"-Ddfs.datanode.data.dir={self.folder / name}",
                f"-Ddfs.datanode.{self.scheme}.address={web}",
                f"-Ddfs.datanode.address=127.0.0.1:{free_port()}",
                f"-Ddfs.datanode.ipc.address=127.0.0.1:{free_port()}",
                *self.datanode_options,
            )

    def start_gateway(self, settings: Mapping[str, str] | None = None) -> str:
        """Start an HttpFS gateway; return its address."""
        port = free_port()
        write_settings(
            self.folder / "httpfs-site.xml",
            {
                "httpfs.http.hostname": "localhost",
                "httpfs.http.port": str(port),
                "httpfs.hadoop.config.dir": str(self.folder),
                **(settings or {}),
            },
        )
        kinds = ("home.dir", "config.dir", "log.dir", "temp.dir")
        self.spawn("gateway", HTTPFS, java=[f"-Dhttpfs.{kind}={self.folder}" for kind in kinds])
        address = f"{self.scheme}://localhost:{port}"
        until(lambda: answers(address), "the start of the gateway")
        return address

    def wait(self) -> None:
        """Wait until the name node takes writes and all data nodes are registered with it."""

        def ready() -> bool:
            state = bean(self.uri, "NameNode", "FSNamesystemState")
            nodes = [
                bean(f"{self.scheme}://{at}", "DataNode", "DataNodeInfo")
                for at in self.datanodes.values()
            ]
            return (
                state.get("FSState") == "Operational"
                and state.get("NumLiveDataNodes") == len(nodes)
                and all("RUNNING" in str(node.get("BPServiceActorInfo")) for node in nodes)
            )

        until(ready, "the start of HDFS")

    def administer(self, *arguments: str) -> None:
        """Run ``hdfs dfsadmin``."""
        self.run(ADMIN, *arguments)

    def open(self, path: str, user: str = "alice", **data: object) -> HdfsStorage:
        """Open a folder as the storage ``main``."""
        data = {
            "uri": self.uri,
            "user": user,
            "path": path,
            "datanodes": self.datanodes,
            **data,
        }
        storage = open_hdfs(StorageSpec("main", "hdfs", data))
        assert isinstance(storage, HdfsStorage)
        return storage


def answers(address: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    trusting = ssl._create_unverified_context()
    try:
        urllib.request.urlopen(f"{address}/webhdfs/v1/", timeout=5, context=trusting).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
