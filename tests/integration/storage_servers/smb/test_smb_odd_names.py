"""Names that a share holds and that mean another place on Unix are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpai.core.file_names import Accepted
from openpai.core.storage.transfer.transfer import Options, TransferError, download

pytestmark = pytest.mark.process

#: As mounts of Linux write a dot at the end of a name, see ``openpai.storage.smb.names``.
DOT = "\uf029"


@pytest.mark.parametrize("name", [f".{DOT}", DOT])
def test_odd_name_is_refused(smbd, folder, storage, tmp_path: Path, name: str) -> None:
    """What the server lists as a file, and what is ``.`` or ``..`` here, is left out and named."""
    (smbd.root / folder / "data").mkdir()
    (smbd.root / folder / "data" / name).write_text("x")
    (smbd.root / folder / "data" / "ok").write_text("ok")
    listing = Accepted(storage.walk("/data"))
    assert [entry.path for entry in listing] == ["/data/ok"]
    assert listing.error
    assert listing.error.names == {"main:/data": (name.replace(DOT, "."),)}
    with pytest.raises(TransferError, match="not a file name"):
        download(storage, "/data", tmp_path / "t", options=Options(journal=tmp_path / "journal"))
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["ok"]


def test_odd_name_in_deleted_folder_is_told(smbd, folder, storage) -> None:
    """A folder with such a name is not deleted as if the name were its parent."""
    (smbd.root / folder / "data" / f".{DOT}").mkdir(parents=True)
    (smbd.root / folder / "beside").write_text("x")
    with pytest.raises(Exception, match="not a file name"):
        storage.delete("/data", recursive=True)
    assert (smbd.root / folder / "beside").exists()
