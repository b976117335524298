"""Code is sent under its checksum, once."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Iterator

import pytest

from openpai.core.code.sources import pack_sources, upload_code
from openpai.core.errors import ConnectionFailed
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.workspace import Workspace


def test_code_is_uploaded_once(storage: LocalStorage, tmp_path: Path) -> None:
    """The same code is sent once, other code beside it."""
    job = Workspace("main", "/users/alice").job("train")
    (tmp_path / "train.py").write_text("print(1)")
    with pack_sources(["train.py"], tmp_path) as archive:
        name = upload_code(storage, job.path, archive)
        stored = storage.root / job.path[1:] / name
        first = stored.stat().st_ino
        assert upload_code(storage, job.path, archive) == name
        assert name == f"code/{archive.sha256}.tar.gz"
        assert stored.read_bytes() == archive.path.read_bytes()
        assert stored.stat().st_ino == first
    (tmp_path / "train.py").write_text("print(2)")
    with pack_sources(["train.py"], tmp_path) as archive:
        upload_code(storage, job.path, archive)
    assert len(list(storage.list(job.code))) == 2


def test_damaged_upload_is_replaced(storage: LocalStorage, tmp_path: Path) -> None:
    """What lies under the name with another size is replaced."""
    (tmp_path / "train.py").write_text("print(1)")
    with pack_sources(["train.py"], tmp_path) as archive:
        with storage.open_write(f"/job/code/{archive.sha256}.tar.gz") as stream:
            stream.write(b"half")
        name = upload_code(storage, "/job", archive)
        assert storage.stat(f"/job/{name}").size == archive.size


class Shaky(LocalStorage):
    """A folder whose first files break off."""

    failures = 2

    @contextmanager
    def open_write(self, path: str, **described: Any) -> Iterator[BinaryIO]:
        """Break off at the end, as long as failures are left."""
        with super().open_write(path, **described) as stream:
            yield stream
            self.failures -= 1
            if self.failures >= 0:
                raise ConnectionFailed("The connection was cut.")


@pytest.mark.parametrize("failures", [2, 100])
def test_cut_upload_is_repeated(tmp_path: Path, failures: int) -> None:
    """The code arrives although the connection was cut, or the job is not submitted."""
    (tmp_path / "train.py").write_text("print(1)")
    (tmp_path / "root").mkdir()
    storage = Shaky(tmp_path / "root")
    storage.failures = failures
    with pack_sources(["train.py"], tmp_path) as archive:
        if failures == 2:
            name = upload_code(storage, "/job", archive)
            assert (storage.root / "job" / name).read_bytes() == archive.path.read_bytes()
        else:
            with pytest.raises(ConnectionFailed):
                upload_code(storage, "/job", archive)
            assert [entry.path for entry in storage.walk("/") if not entry.is_dir] == []


def test_uploaded_code_is_readable_in_container(storage: LocalStorage, tmp_path: Path) -> None:
    """The code gets the mode of any new file: the task may run as another user."""
    (tmp_path / "train.py").write_text("print(1)")
    (storage.root / "plain").touch()
    with pack_sources(["train.py"], tmp_path) as archive:
        name = upload_code(storage, "/job", archive)
    assert storage.stat(f"/job/{name}").mode == storage.stat("/plain").mode
