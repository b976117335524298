"""Blobs that a container holds and no folder can are refused by name; the others are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpai.core.file_names import Accepted
from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.results import TransferError
from openpai.core.storage.transfer.transfer import download

pytestmark = pytest.mark.process


def test_odd_blob_is_refused(azurite, container, storage, tmp_path: Path) -> None:
    """An empty name, and a folder with the name of a blob, are left out and named."""
    client = azurite.container(container)
    for name in ("data/a//b", "data/item", "data/item/page.html", "data/ok"):
        client.upload_blob(name, b"x")
    listing = Accepted(storage.walk("/data"))
    assert [entry.path for entry in listing] == ["/data/a", "/data/item", "/data/ok"]
    assert listing.error
    assert listing.error.names == {"main:/data/a": ("",), "main:/data": ("item/",)}
    with pytest.raises(TransferError, match="2 of 4 were not copied"):
        download(storage, "/data", tmp_path / "t", options=Options(journal=tmp_path / "journal"))
    files = sorted(path.name for path in tmp_path.rglob("t/**/*") if path.is_file())
    assert files == ["item", "ok"]
