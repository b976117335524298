"""Two name nodes, of which one is active: high availability, switched by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from support.ports import free_port
from support.servers.hadoop import HA_ADMIN, NAME_NODE
from support.servers.hdfs import Hdfs, bean
from support.servers.server import STARTING
from support.wait import wait_until

PROVIDER = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"


def _free_ports() -> list[int]:
    return [free_port() for _ in range(4)]


@dataclass
class Pair(Hdfs):
    """The servers ``nn0``, which is active at first, ``nn1``, and data nodes.

    Attributes:
        ports: Where the name nodes listen: both for HTTP, both for Hadoop's own protocol.
    """

    nodes: Sequence[str] = ("dn0",)
    ports: list[int] = field(default_factory=_free_ports)

    @property
    def uris(self) -> list[str]:
        """The web addresses of the name nodes."""
        return [f"http://localhost:{port}" for port in self.ports[:2]]

    def start(self) -> None:
        """Start all; the first name node becomes the active one."""
        folder = self.folder
        self.settings = {
            "fs.defaultFS": "hdfs://pair",
            "dfs.nameservices": "pair",
            "dfs.ha.namenodes.pair": "nn0,nn1",
            "dfs.ha.fencing.methods": "shell(true)",
            "dfs.client.failover.proxy.provider.pair": PROVIDER,
            "dfs.namenode.shared.edits.dir": f"file://{folder}/edits",
            "dfs.ha.tail-edits.period": "1",
            "dfs.ha.log-roll.period": "1",
        }
        for number, name in enumerate(("nn0", "nn1")):
            for offset, kind in ((0, "http"), (2, "rpc")):
                address = f"localhost:{self.ports[number + offset]}"
                self.settings[f"dfs.namenode.{kind}-address.pair.{name}"] = address
        self.format("-Ddfs.ha.namenode.id=nn0", f"-Ddfs.namenode.name.dir={folder}/nn0")
        shutil.copytree(folder / "nn0", folder / "nn1")
        self.start_node("nn0", "nn1", *self.nodes)
        self.activate("nn0")

    def start_node(self, *names: str) -> None:
        """Start any of ``nn0``, ``nn1``, ``dn0``."""
        for name in names:
            if name.startswith("nn"):
                place = f"-Ddfs.namenode.name.dir={self.folder / name}"
                self.launch_java(name, NAME_NODE, f"-Ddfs.ha.namenode.id={name}", place)
            else:
                super().start_node(name)

    def activate(self, name: str) -> None:
        """Make one of the name nodes the active one; no other may be."""
        uri = self.uris[int(name[2:])]

        def active() -> bool:
            if "State" not in (state := bean(uri, "NameNode", "NameNodeStatus")):
                return False  # it does not answer yet
            if state["State"] != "active":
                with suppress(AssertionError):
                    self.run(HA_ADMIN, "-transitionToActive", "--forceactive", name)
            return bean(uri, "NameNode", "NameNodeStatus").get("State") == "active"

        wait_until(active, f"that {name} is active", timeout=STARTING, show=self.logs)
