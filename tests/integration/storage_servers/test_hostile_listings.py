"""Servers that list what no folder can hold, whatever they speak: WebHDFS, SFTP."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import asyncssh
import pytest
from werkzeug.wrappers import Request, Response

from openpai.core.storage.base import StorageSpec
from openpai.core.storage.transfer.results import TransferError

pytestmark = pytest.mark.process

ODD = ["..", ".", "", "/etc/cron.d", "../../up", "a/b"]


def _status(name: str, *, is_dir: bool) -> dict[str, Any]:
    return {
        "pathSuffix": name,
        "type": "DIRECTORY" if is_dir else "FILE",
        "length": 0 if is_dir else 1,
        "modificationTime": 0,
        "permission": "755",
    }


def _answer(request: Request) -> Response:
    """Answer as a name node whose every folder lists its parent, odd names, ``ok`` and ``sub``."""
    path = unquote(request.path).removeprefix("/webhdfs/v1")
    op = request.args["op"]
    is_dir = path.rstrip("/").rpartition("/")[2] not in ("ok", "b", "up", "cron.d")
    if op == "GETFILESTATUS":
        return Response(json.dumps({"FileStatus": _status("", is_dir=is_dir)}))
    if op == "LISTSTATUS":
        inside = [_status(name, is_dir=name in ("..", ".", "")) for name in ODD]
        inside.append(_status("ok", is_dir=False))
        if "sub" not in path:
            inside.append(_status("sub", is_dir=True))
        return Response(json.dumps({"FileStatuses": {"FileStatus": inside}}))
    if op == "OPEN" and not path.endswith(".opaiignore"):
        return Response("x")
    refusal = {"exception": "UnsupportedOperationException", "message": "not here"}
    if op == "OPEN":
        refusal["exception"] = "FileNotFoundException"
    return Response(json.dumps({"RemoteException": refusal}), 404 if op == "OPEN" else 400)


@pytest.fixture
def webhdfs(httpserver) -> StorageSpec:
    """Return a hostile WebHDFS server."""
    httpserver.expect_request(re.compile(".*")).respond_with_handler(_answer)
    uri = f"http://127.0.0.1:{httpserver.port}"
    return StorageSpec("main", "hdfs", {"uri": uri, "user": "alice"})


class Hostile(asyncssh.SFTPServer):
    """An SFTP server whose every folder lists odd names, ``ok`` and ``sub``."""

    def _is_dir(self, path: bytes) -> bool:
        return path.rstrip(b"/").rpartition(b"/")[2] not in (b"ok", b"b", b"up", b"cron.d")

    def _attrs(self, *, is_dir: bool) -> asyncssh.SFTPAttrs:
        kind = 0o040755 if is_dir else 0o100644
        return asyncssh.SFTPAttrs(permissions=kind, size=1, mtime=0, atime=0)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Describe it."""
        return self._attrs(is_dir=self._is_dir(path))

    lstat = stat

    def realpath(self, path: bytes) -> bytes:
        """Take it as it is."""
        return path

    async def scandir(self, path: bytes):
        """List the same in each folder."""
        names = [*ODD, "ok", *([] if b"sub" in path else ["sub"])]
        for name in names:
            is_dir = name in ("..", ".", "", "sub")
            yield asyncssh.SFTPName(name.encode(), attrs=self._attrs(is_dir=is_dir))

    def open(self, path: bytes, pflags: int, attrs: object) -> object:
        """Open a file."""
        return io.BytesIO(b"x")

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Describe a file."""
        return self._attrs(is_dir=False)


class _Anybody(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[StorageSpec]:
    """Return a hostile SFTP server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def serve() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            _Anybody,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=Hostile,
        )

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(60)
    known = tmp_path / "known_hosts"
    public = key.export_public_key().decode().strip()
    known.write_text(f"[127.0.0.1]:{server.get_port()} {public}\n")
    uri = f"sftp://127.0.0.1:{server.get_port()}/"
    yield StorageSpec("main", "sftp", {"uri": uri, "user": "alice", "known_hosts": str(known)})

    async def stop() -> None:
        server.close()
        await server.wait_closed()

    asyncio.run_coroutine_threadsafe(stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(params=["webhdfs", "sftp"])
def hostile(request: pytest.FixtureRequest, attach) -> list[str]:
    """Attach a hostile server as ``main``; return the names that it lists and are refused."""
    attach(request.getfixturevalue(request.param))
    # In SFTP every listing has these two, and no client takes them for names.
    return [name for name in ODD if request.param != "sftp" or name not in (".", "..")]


def test_copies_stay_in_their_target(opai, hostile: list[str]) -> None:
    """Copies end, write below their target only, and name all that was refused."""
    for words in (["download"], ["sync"], ["sync", "--delete"]):
        done = opai("storage", *words, "main:/data", "here", code=1)
        files = {str(p.relative_to(opai.folder)) for p in opai.folder.rglob("*") if p.is_file()}
        assert files == {"here/ok", "here/sub/ok"}
        for folder in ("main:/data", "main:/data/sub"):
            (line,) = [line for line in done.stderr.splitlines() if line.startswith(f"{folder}: ")]
            assert all(repr(name) in line for name in hostile)


def test_listings_end(opai, hostile: list[str]) -> None:
    """``list -r``, ``du`` and ``check`` end, show the rest and exit 1 with the names."""
    listed = opai("storage", "list", "main:/data", "-r", "-o", "name", code=1)
    assert listed.stdout.split() == ["/data/ok", "/data/sub", "/data/sub/ok"]
    used = opai("storage", "du", "main:/data", "-o", "json", code=1)
    assert json.loads(used.stdout)[0]["files"] == 2
    opai("storage", "download", "main:/data", "here", code=1)
    checked = opai("storage", "check", "main:/data", "here", code=1)
    for reported in (listed.stderr, used.stderr, checked.stdout):
        assert all(repr(name) in reported for name in hostile)


def test_copied_mount_stays_in_its_folder(webhdfs, clean_home, tmp_path: Path) -> None:
    """A storage that the runtime copies because it cannot be mounted writes to its folder only."""
    from openpai.core.protocol.runtime_parts import Mount
    from openpai.runtime.setup.mounts import _copy

    place = tmp_path / "in" / "data"
    mount = Mount(storage="main", path=str(place), type="hdfs", read_only=True)
    step = _copy(mount, lambda: dict(webhdfs.data))
    assert step.call
    with pytest.raises(TransferError, match="not file names"):
        step.call()
    files = {str(p.relative_to(tmp_path / "in")) for p in tmp_path.rglob("in/**/*") if p.is_file()}
    assert files == {"data/ok", "data/sub/ok"}
