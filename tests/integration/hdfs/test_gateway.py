"""An HttpFS gateway is as good as the name node: it answers everything itself."""

from __future__ import annotations

import pytest

from openpai.core.storage.base import Storage
from openpai.core.storage.transfer.transfer import download, upload
from openpai.storage.testing import StorageConformance
from openpai.storage.testing.helpers import read, write


class TestGateway(StorageConformance):
    """A folder of an ordinary user, through the gateway."""

    @pytest.fixture
    def storage(self, hdfs, gateway, folder) -> Storage:
        """Return an empty folder of a real HDFS."""
        return hdfs.open(folder, uri=gateway, datanodes={})


def test_gateway_carries_large_file(hdfs, gateway, folder, tmp_path) -> None:
    """A file of many buffers goes through the gateway and back."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 20_000)
    storage = hdfs.open(folder, uri=gateway, datanodes={})
    upload(storage, tmp_path / "file", "/file")
    download(storage, "/file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    assert read(hdfs.open(folder), "/file") == (tmp_path / "file").read_bytes()


def test_gateway_refuses_other_user(hdfs, gateway, folder) -> None:
    """The gateway's refusals read like the name node's."""
    write(hdfs.open(folder), "/file")
    mallory = hdfs.open(folder, user="mallory", uri=gateway, datanodes={})
    with pytest.raises(PermissionError, match="'main:/new'"):
        write(mallory, "/new")
