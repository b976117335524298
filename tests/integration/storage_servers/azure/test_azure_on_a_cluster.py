"""A blob container that a cluster lists opens with what its server says of it."""

from __future__ import annotations

import json

import pytest
import yaml

from openpai.core import Cluster
from openpai.core.local import LocalCluster


@pytest.fixture
def local(azurite, container, clean_home):
    """Return a cluster that lists the container ``sets``, as Azure's own addresses have it."""
    data = dict(azurite.spec(container).data)
    del data["endpoint"]  # PAI's server tells none
    with LocalCluster(storages={"sets": {"type": "azureBlob", "data": data}}) as cluster:
        yield cluster


def test_container_opens_by_other_endpoint(local, azurite) -> None:
    """The endpoint is replaced by the one that is seen from here; the key is the server's."""
    addresses = {"sets": {"endpoint": azurite.endpoint}}
    with Cluster(local.uri, token=local.token, addresses=addresses) as cluster:
        specs = {spec.name: spec for spec in cluster.storages()}
        assert specs["sets"].type == "azureBlob"
        assert azurite.key not in repr(specs)
        with cluster.storage("sets") as storage:
            with storage.open_write("/d/file") as stream:
                stream.write(b"x")
            assert [entry.path for entry in storage.walk("/")] == ["/d", "/d/file"]


def test_commands_copy_there_and_back(opai, local, azurite, clean_home) -> None:
    """``opai storage`` copies there and back, and shows no key."""
    entry = {
        "cluster_alias": "lab",
        "pai_uri": local.uri,
        "user": local.user,
        "storages": [{"name": "sets", "endpoint": azurite.endpoint}],
    }
    clean_home.mkdir(exist_ok=True)
    (clean_home / "clusters.yaml").write_text(yaml.safe_dump([entry]))
    opai("cluster", "login", "lab", "--token-stdin", input=local.token + "\n")
    tree = opai.folder / "tree"
    (tree / "empty").mkdir(parents=True)
    content = bytes(range(256)) * (36 << 10)  # more than one block
    (tree / "large").write_bytes(content)
    (tree / "small ü").write_text("x")
    sent = opai("storage", "upload", "-a", "lab", "tree", "sets:/tree")
    again = opai("storage", "upload", "-a", "lab", "tree", "sets:/tree", "-o", "json")
    assert {json.loads(line)["status"] for line in again.stdout.splitlines()} == {"unchanged"}
    opai("storage", "download", "-a", "lab", "sets:/tree", "back")
    back = opai.folder / "back"
    assert (back / "large").read_bytes() == content
    assert (back / "small ü").read_text() == "x"
    assert (back / "empty").is_dir()
    shown = opai("storage", "list-storage", "-a", "lab", "-o", "json")
    for answer in (sent, again, shown):
        assert azurite.key not in answer.stdout + answer.stderr
