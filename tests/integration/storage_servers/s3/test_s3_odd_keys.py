"""Keys that S3 holds and no folder can: nothing leaves the target, and each is reported."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.process

KEYS = ["data/../x", "/x", "data/a//b", "data/./y", "data/ok", "data/sub/ok", ".bashrc"]
REFUSED = ["'..'", "'.'", "''"]


@pytest.fixture
def odd(attach, moto, bucket) -> None:
    """Attach a bucket with odd keys as ``main``."""
    attach(moto.spec(bucket), "secret_key")
    for key in KEYS:
        moto.client().put_object(Bucket=bucket, Key=key, Body=key.encode())


def _files(opai) -> set[str]:
    return {str(path.relative_to(opai.folder)) for path in opai.folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["download", "sync", "sync --delete"])
@pytest.mark.parametrize("exists", [True, False])
def test_download_writes_into_target_only(opai, odd, command: str, exists: bool) -> None:
    """What can be a file arrives, nothing is written beside the target, refusals are named."""
    if exists:
        (opai.folder / "data").mkdir()
    done = opai("storage", *command.split(), "main:/data", "data", code=1)
    assert _files(opai) == {"data/ok", "data/sub/ok"}
    for name, folder in (("'..'", "main:/data"), ("'.'", "main:/data"), ("''", "main:/data/a")):
        assert any(name in line and f"{folder}: " in line for line in done.stderr.splitlines())
    assert "2 files copied" in done.stderr


def test_download_of_whole_bucket_takes_the_rest(opai, odd) -> None:
    """A name that is empty at the root is refused; everything that can be a file arrives."""
    done = opai("storage", "download", "main:/", "all", "-o", "json", code=1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["target"].rpartition("all/")[2] for row in rows if row["status"] == "copied"} == {
        ".bashrc",
        "data/ok",
        "data/sub/ok",
    }
    failed = [row["error"] for row in rows if row["status"] == "failed"]
    assert len(failed) == 3
    assert all("not a file name" in reason or "not file names" in reason for reason in failed)
    assert _files(opai) == {"all/.bashrc", "all/data/ok", "all/data/sub/ok"}


def test_listings_name_what_they_refuse(opai, odd) -> None:
    """``list`` and ``du`` end, show the rest, and exit 1 with the names."""
    listed = opai("storage", "list", "main:/", "-r", "-o", "json", code=1)
    files = [row["path"] for row in json.loads(listed.stdout) if row["type"] == "file"]
    assert files == ["/.bashrc", "/data/ok", "/data/sub/ok"]
    used = opai("storage", "du", "main:/data", "-o", "json", code=1)
    assert json.loads(used.stdout)[0]["files"] == 2
    for done in (listed, used):
        assert all(name in done.stderr for name in REFUSED[:2])
        assert "Refused" in done.stderr


def test_other_commands_name_them_too(opai, odd) -> None:
    """A plan, a comparison and a copy within the bucket say that they are not whole."""
    opai("storage", "download", "main:/data", "data", code=1)
    assert "'..'" in opai("storage", "check", "main:/data", "data", code=1).stdout
    plan = opai("storage", "sync", "main:/data", "data", "--dry-run", code=1)
    assert "'..'" in plan.stdout
    opai("storage", "copy", "main:/data", "main:/again", code=1)
    assert opai("storage", "list", "main:/again", "-o", "name").stdout.split() == [
        "/again/ok",
        "/again/sub",
    ]


def test_sync_into_odd_bucket_deletes_nothing(opai, odd) -> None:
    """Where the target has names that are refused, nothing there is taken for surplus."""
    (opai.folder / "here").mkdir()
    (opai.folder / "here" / "new").write_text("x")
    done = opai("storage", "sync", "here", "main:/data", "--delete", code=1)
    assert "'..'" in done.stderr
    listed = opai("storage", "list", "main:/data", "-o", "name", code=1)
    assert listed.stdout.split() == ["/data/a", "/data/new", "/data/ok", "/data/sub"]
    opai("storage", "upload", "here", "main:/data")


def test_object_beside_folder_of_its_name(storage, moto, bucket) -> None:
    """Where an object has the name of a folder, the object is listed and the folder is refused."""
    from openpai.core.file_names import Accepted

    for key in ("t/item", "t/item/page.html", "t/item2"):
        moto.client().put_object(Bucket=bucket, Key=key, Body=b"x")
    listing = Accepted(storage.walk("/t"))
    assert [entry.path for entry in listing] == ["/t/item", "/t/item2"]
    assert listing.error
    assert listing.error.names == {"main:/t": ("item/",)}


def test_markers_of_folders_are_not_odd(storage, moto, bucket) -> None:
    """The objects by which S3's console keeps folders are listed as folders, without complaint."""
    for key in ("f/", "f/g/", "f/g/file"):
        moto.client().put_object(Bucket=bucket, Key=key, Body=b"")
    assert [entry.path for entry in storage.walk("/")] == ["/f", "/f/g", "/f/g/file"]
