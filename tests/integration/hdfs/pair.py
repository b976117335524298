"""Two name nodes, of which one is active: high availability, switched by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from openpai.storage.testing.helpers import free_port

from .cluster import Hdfs
from .hadoop import HA_ADMIN, NAME_NODE, until

PROVIDER = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"


class Pair(Hdfs):
    """The servers ``nn0`` and ``nn1``, and data nodes.

    Attributes:
        uris: The web addresses of the name nodes.
    """

    def __init__(self, folder: Path) -> None:
        ports = [free_port() for _ in range(4)]
        self.uris = [f"http://localhost:{port}" for port in ports[:2]]
        settings = {
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
            settings[f"dfs.namenode.http-address.pair.{name}"] = f"localhost:{ports[number]}"
            settings[f"dfs.namenode.rpc-address.pair.{name}"] = f"localhost:{ports[number + 2]}"
        super().__init__(
            folder,
            settings,
            formatting=("-Ddfs.ha.namenode.id=nn0", f"-Ddfs.namenode.name.dir={folder}/nn0"),
        )
        shutil.copytree(folder / "nn0", folder / "nn1")

    def start(self, *names: str) -> None:
        """Start any of ``nn0``, ``nn1``, ``dn0``."""
        for name in names:
            if name.startswith("nn"):
                place = f"-Ddfs.namenode.name.dir={self.folder / name}"
                self.spawn(name, NAME_NODE, f"-Ddfs.ha.namenode.id={name}", place)
            else:
                super().start(name)

    def activate(self, name: str) -> None:
        """Make one of the name nodes the active one; no other may be."""

        def done() -> bool:
            try:
                self.run(HA_ADMIN, "-transitionToActive", "--forceactive", name)
            except AssertionError:  # it does not answer yet
                return False
            return True

        until(done, f"that {name} is active")
