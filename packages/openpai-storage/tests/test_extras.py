"""What a storage type needs beyond this distribution is an extra."""

from __future__ import annotations

import sys

import pytest

from openpai.core.errors import StorageError
from openpai.core.storage.base import StorageSpec, open_storage

DATA = {
    "azureBlob": {"containerName": "c", "accountName": "a", "accountKey": "aHVzaA=="},
    "azureFile": {"shareName": "s", "accountName": "a", "accountKey": "aHVzaA=="},
    "s3": {"uri": "s3://bucket"},
    "samba": {"address": "//host/share", "password": "aHVzaA=="},
    "sftp": {"uri": "sftp://host/"},
}
NEEDED = {
    "azureBlob": "azure.storage.blob",
    "azureFile": "smbclient",
    "s3": "botocore",
    "samba": "smbclient",
    "sftp": "asyncssh",
}
EXTRAS = {"azureBlob": "azure", "azureFile": "smb", "s3": "s3", "samba": "smb", "sftp": "sftp"}
LIBRARIES = ("asyncssh", "azure.core.exceptions", "azure.storage.blob", "botocore")


@pytest.mark.parametrize("kind", DATA)
def test_storage_type_names_missing_package(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package of a type is missing, the error says what to install, and no secret."""
    for name in [name for name in sys.modules if name.startswith("openpai.storage.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in (*LIBRARIES, "smbclient", "smbprotocol"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(StorageError, match="needs a package that is not installed") as caught:
        open_storage(StorageSpec("main", kind, DATA[kind]))
    assert caught.value.hint == f"Run: pip install 'openpai-storage[{EXTRAS[kind]}]'"
    assert "aHVzaA" not in str(caught.value)


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("timeout", ["soon", "-1", "inf"])
def test_storage_type_refuses_invalid_timeout(kind: str, timeout: str) -> None:
    """Every type refuses it in the same words."""
    pytest.importorskip(NEEDED[kind])
    with pytest.raises(
        StorageError, match=f"'timeout' of storage '.*' '{timeout}': not a number above 0"
    ):
        open_storage(StorageSpec("main", kind, {**DATA[kind], "timeout": timeout}))
