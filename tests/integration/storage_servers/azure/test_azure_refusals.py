"""What Azure Blob refuses: one sentence each, and nothing is half done."""

from __future__ import annotations

import base64
import io
import socket
from contextlib import suppress

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.core.storage.checksums import hasher
from openpai.core.storage.local import LocalStorage
from openpai.storage.testing.helpers import BrokenOffError, read, write


def changes(storage):
    """Return one of each kind of change."""
    return (
        lambda: write(storage, "/file"),
        lambda: storage.mkdir("/d"),
        lambda: storage.delete("/file"),
    )


def test_change_with_reading_token_is_refused(attached, storage, azurite, container) -> None:
    """With a SAS token that only reads, every change is refused with the file's name."""
    write(storage, "/file", b"old")
    reader = attached(accountKey=None, accountSASToken="?" + azurite.sas(container, "rl"))
    assert read(reader, "/file") == b"old"
    for act in changes(reader):
        with pytest.raises(PermissionError, match="'main:/"):
            act()
    assert read(reader, "/file") == b"old"


def test_expired_token_is_named(attached, azurite, container) -> None:
    """A SAS token that has expired is named as that, with the time, and stays secret."""
    token = azurite.sas(container, "racwdl", hours=-1)
    storage = attached(accountKey=None, accountSASToken=token)
    signature = token.partition("sig=")[2].partition("&")[0]
    for act in (*changes(storage), lambda: list(storage.list("/")), lambda: read(storage, "/x")):
        with pytest.raises(StorageError, match=r"SAS token .* expired at 20..-") as caught:
            act()
        assert signature not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_wrong_key_is_named(attached, container) -> None:
    """A key that is not the account's is the reason, and in no message."""
    key = base64.b64encode(b"very secret" * 3).decode()
    storage = attached(accountKey=key)
    with pytest.raises(StorageError, match=f"does not accept the key .* '{container}'") as caught:
        list(storage.list("/"))
    assert key not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_missing_container_is_named(attached) -> None:
    """A container that does not exist is named, whatever is done."""
    storage = attached(containerName="nowhere")
    for act in (
        lambda: storage.stat("/"),
        lambda: list(storage.list("/")),
        lambda: storage.stat("/file"),
        lambda: write(storage, "/file"),
    ):
        with pytest.raises(StorageError, match="has no container 'nowhere'"):
            act()


def test_missing_server_is_named(attached) -> None:
    """An address where nothing answers is named, with the reason."""
    with pytest.raises(ConnectionFailed, match="1/team does not answer: Connection refused"):
        attached(endpoint="http://127.0.0.1:1/team").stat("/")


def test_silent_server_is_given_up(attached) -> None:
    """A server that takes a connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/team"
        with pytest.raises(ConnectionFailed, match="does not answer: timed out"):
            attached(endpoint=endpoint, timeout=0.2).stat("/")


def test_server_of_other_protocol_is_an_error(attached, httpserver) -> None:
    """A server of another kind is an error in one sentence."""
    httpserver.expect_request("/").respond_with_data("hello")
    with pytest.raises((OpenPaiError, OSError)):
        list(attached(endpoint=httpserver.url_for("")).list("/"))


@pytest.mark.parametrize("name", ["x" * 1025, "\udcff"])
def test_name_that_azure_cannot_hold_is_refused(storage, name: str) -> None:
    """A name that Azure cannot hold is refused as a name."""
    with pytest.raises(OSError, match="'main:/"):
        write(storage, f"/{name}")


def test_folders_are_those_of_blobfuse(storage, azurite, container) -> None:
    """An empty folder is the blob that blobfuse writes, and one of blobfuse's is a folder."""
    storage.mkdir("/ours")
    with azurite.container(container) as client:
        client.upload_blob("theirs", b"", metadata={"hdi_isfolder": "true"})
        metadata = client.get_blob_client("ours").get_blob_properties().metadata
    assert metadata == {"hdi_isfolder": "true"}
    assert [(entry.path, entry.is_dir) for entry in storage.list("/")] == [
        ("/ours", True),
        ("/theirs", True),
    ]
    with pytest.raises(IsADirectoryError):
        write(storage, "/theirs")


def test_failed_long_file_leaves_nothing(storage) -> None:
    """A file that fails after its first parts leaves nothing that can be seen."""
    with suppress(BrokenOffError), storage.open_write("/d/file") as stream:
        stream.write(bytes(20 << 20))
        raise BrokenOffError
    assert list(storage.list("/")) == []


def test_checksum_of_long_file_can_be_computed(storage) -> None:
    """A file of many parts has a checksum that can be computed, in whichever way it was written."""
    content = bytes(range(256)) * (80 << 10)
    with storage.open_write("/stream") as stream:
        stream.write(content)
    with storage.begin_upload("/parts", len(content)) as upload:
        for index in range(upload.parts):
            begin, length = upload.part(index)
            upload.write(index, io.BytesIO(content[begin : begin + length]))
        upload.commit()
    found = storage.checksum("/stream")
    assert found == storage.checksum("/parts")
    computed = hasher(found.algorithm)
    computed.update(content)
    assert computed.hexdigest() == found.value
    storage.rename("/parts", "/moved")
    assert storage.checksum("/moved") == found


def test_mounted_container_opens_as_folder(azurite, container, tmp_path) -> None:
    """Where the container is mounted on this machine the mount is used, not the network."""
    spec = azurite.spec(container, endpoint="http://127.0.0.1:1/team")
    with open_storage(
        StorageSpec("main", "azureBlob", spec.data, mount_path=str(tmp_path))
    ) as storage:
        assert isinstance(storage, LocalStorage)
        write(storage, "/file")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_bad_settings_are_named(azurite, container) -> None:
    """What is missing or cannot be is named before anything is sent."""
    for wrong, match in (
        ({"accountKey": None}, "'accountKey' or 'accountSASToken'"),
        ({"accountName": ""}, "names no Azure account"),
        ({"accountKey": "no base64!"}, "is not Base64"),
        ({"endpoint": "localhost:10000"}, "'localhost:10000'"),
        ({"containerName": ""}, "is not known where storage 'main'"),
    ):
        with pytest.raises(StorageError, match=match) as caught:
            open_storage(azurite.spec(container, **wrong))
        assert azurite.key not in str(caught.value)


def test_read_only_storage_refuses_changes(azurite, container) -> None:
    """A storage that is called read-only is not written."""
    spec = azurite.spec(container)
    with open_storage(StorageSpec("main", "azureBlob", spec.data, read_only=True)) as storage:
        for act in changes(storage):
            with pytest.raises(PermissionError, match="Read-only storage"):
                act()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\\b", "no backslash"),
        ("a.", "end with a dot"),
        ("a./b", "end with a dot"),
        ("a\nb", "no control characters"),
        ("\x01", "no control characters"),
        ("\x85", "no control characters"),
    ],
)
def test_name_that_azure_would_change_is_refused(storage, name: str, reason: str) -> None:
    """A name that would become another one, or none, is refused however it would be written."""
    write(storage, "/file")
    for act in (
        lambda: write(storage, f"/{name}"),
        lambda: storage.mkdir(f"/{name}"),
        lambda: storage.rename("/file", f"/{name}"),
        lambda: storage.begin_upload(f"/{name}", 100 << 20),
    ):
        with pytest.raises(OSError, match=reason):
            act()
    assert [entry.name for entry in storage.list("/")] == ["file"]


def test_token_that_expires_meanwhile_ends_transfer(opai, attach, azurite, container) -> None:
    """A token that expires half way ends the transfer at once; with another one the rest goes."""
    tree = opai.folder / "tree"
    tree.mkdir()
    for number in range(130):  # 6.5 seconds at 20 bytes each
        (tree / str(number)).write_text("x")

    def attach_for(hours: float) -> None:
        data = {"accountKey": None, "accountSASToken": azurite.sas(container, "racwdl", hours)}
        attach(azurite.spec(container, **data), "accountSASToken")

    attach_for(5 / 3600)
    slowly = ("--limit-rate", "20", "--failed", "failed")
    done = opai("storage", "upload", "tree", "main:/t", *slowly, code=None)
    assert done.returncode in (1, 3)
    assert "expired at 20" in done.stderr
    assert len(done.stderr.splitlines()) < 100
    attach_for(1)
    again = ("--files-from", "failed") if done.returncode == 1 else ()
    opai("storage", "upload", "tree", "main:/t", *again)
    opai("storage", "check", "tree", "main:/t")
