"""SFTP, S3, Azure Blob and SMB against their usual clients: ratios of one run on one machine.

One large file and many small ones go up and come down, each client in a process of its own, in
turn, over loopback and with the real servers that the tests use (``python tests/tools/machine.py``
installs those). moto, which plays S3, is slow; the time of one plain connection is measured, too.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
ROUNDS = 3
LARGE = 128 << 20
SMALL, SMALL_SIZE = 200, 20_000

Act = Callable[[], None]


def main() -> None:
    """Run all that this machine has the programs for, or those named."""
    if sys.argv[1:2] == ["--transfer"]:
        transfer()
        return
    wanted = sys.argv[1:] or list(BENCHES)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_data(folder)
        print("| storage | what | peer | s | peer's | ratio | CPU s | peer's | ratio |")
        print("|---|---|---|---|---|---|---|---|---|")
        for name in wanted:
            work = folder / name
            work.mkdir()
            with BENCHES[name](work) as (spec, peers):
                compare(name, folder, work, spec, peers)


def make_data(folder: Path) -> None:
    """Write what is sent."""
    block = os.urandom(1 << 20)
    with (folder / "large").open("wb") as stream:
        for _ in range(LARGE >> 20):
            stream.write(block)
    (folder / "small").mkdir()
    for number in range(SMALL):
        (folder / "small" / f"{number:04}").write_bytes(block[:SMALL_SIZE])


def transfer() -> None:
    """Run the transfer described on stdin; this is the measured process."""
    from openpai.core.storage import StorageSpec, open_storage
    from openpai.core.storage.transfer import transfer as transfer_transfer

    request = json.load(sys.stdin)
    with open_storage(StorageSpec("bench", request["type"], request["data"])) as storage:
        if request["up"]:
            transfer_transfer.upload(storage, Path(request["local"]), request["remote"])
        else:
            transfer_transfer.download(storage, request["remote"], Path(request["local"]))


def ours(spec: Any, up: bool, local: Path, remote: str) -> None:
    """Do one transfer in a process of its own; keys go by stdin."""
    request = {"type": spec.type, "data": spec.data, "up": up, "local": str(local)}
    request["remote"] = remote
    command = [sys.executable, __file__, "--transfer"]
    subprocess.run(command, input=json.dumps(request), text=True, check=True)


def compare(name: str, folder: Path, work: Path, spec: Any, peers: dict[str, Any]) -> None:
    """Print the rows of one storage; clients take turns."""
    for what in ("large", "small"):
        for up in (True, False):
            times: dict[str, list[tuple[float, float]]] = {"openpai": []}
            times.update({client: [] for client in peers})
            for number in range(ROUNDS):
                for client, taken in times.items():
                    key = f"{client.split()[0]}-{what}"
                    local = folder / what if up else work / f"{key}-{number}"
                    remote = f"{key}-{number if up else 0}"
                    began = time.monotonic(), cpu()
                    if client == "openpai":
                        ours(spec, up, local, f"/{remote}")
                    else:
                        peers[client](up, local, remote)
                    taken.append((time.monotonic() - began[0], cpu() - began[1]))
                    if not up and local.exists():
                        check(folder / what, local)
            row(name, f"{what} {'up' if up else 'down'}", times)


def cpu() -> float:
    """Return the seconds of CPU of this process and all clients that ended; not of servers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def check(source: Path, copy: Path) -> None:
    """Compare what came down with what went up, and remove it."""
    same = ["diff", "-rq", str(source), str(copy)]
    subprocess.run(same, check=True)
    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()


def row(name: str, what: str, times: dict[str, list[tuple[float, float]]]) -> None:
    """Print one row for each peer."""
    mine = times.pop("openpai")
    for peer, theirs in times.items():
        cells = []
        for which in (0, 1):
            ratios = [a[which] / b[which] for a, b in zip(mine, theirs, strict=True)]
            cells += [f"{statistics.median(item[which] for item in mine):.2f}"]
            cells += [f"{statistics.median(item[which] for item in theirs):.2f}"]
            cells += [f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"]
        print(f"| {name} | {what} | {peer} | {' | '.join(cells)} |", flush=True)


def run(*command: str, **options: Any) -> None:
    """Run a peer."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)


@contextmanager
def sftp(work: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """OpenSSH's own clients."""
    from support.servers.sshd import Sshd

    server = Sshd(work, shutil.which("sshd", path="/usr/sbin") or "")
    server.start()
    known = f"UserKnownHostsFile={server.file('known_hosts')}"
    options = ["-q", "-P", str(server.port), "-i", server.file("user"), "-o", known]
    host = "127.0.0.1"

    def by_scp(up: bool, local: Path, remote: str) -> None:
        there = f"{host}:{server.home}/{remote}"
        run("scp", "-r", *options, *((str(local), there) if up else (there, str(local))))

    def by_sftp(up: bool, local: Path, remote: str) -> None:
        line = f"{'put' if up else 'get'} -r"
        places = (local, server.home / remote) if up else (server.home / remote, local)
        text = f"{line} {places[0]} {places[1]}\n"
        if up and local.is_dir():
            text = f"mkdir {places[1]}\nput -r {local}/* {places[1]}/\n"
        run("sftp", *options, "-b", "-", host, input=text, text=True)

    try:
        yield server.spec(server.home), {"scp": by_scp, "sftp": by_sftp}
    finally:
        server.stop()


@contextmanager
def s3(work: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The aws command, and one plain connection: what the server itself can do."""
    from support.servers.moto import Moto

    server = Moto(work)
    server.start()
    server.client().create_bucket(Bucket="bench")
    keys = {"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "secret"}
    aws = shutil.which("aws", path="/usr/bin:/usr/local/bin") or "aws"

    def by_aws(up: bool, local: Path, remote: str) -> None:
        there = f"s3://bench/{remote}"
        places = (str(local), there) if up else (there, str(local))
        many = ["--recursive"] if "small" in remote else []
        options = ["--endpoint-url", server.endpoint, "--region", "us-east-1", "--only-show-errors"]
        run(aws, "s3", "cp", *options, *many, *places, env={**os.environ, **keys})

    def by_http(up: bool, local: Path, remote: str) -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        if up:
            files = sorted(local.iterdir()) if local.is_dir() else [local]
            for file in files:
                name = f"{remote}/{file.name}" if local.is_dir() else remote
                line.request("PUT", f"/bench/{name}", file.read_bytes(), PLAIN)
                assert line.getresponse().read() == b""
            return
        names = [f"/{number:04}" for number in range(SMALL)] if "small" in remote else [""]
        for name in names:
            line.request("GET", f"/bench/{remote}{name}", headers=PLAIN)
            assert len(line.getresponse().read()) == (SMALL_SIZE if name else LARGE)

    try:
        usual = {"aws s3 cp": by_aws} if shutil.which(aws) else {}
        yield server.spec("bench"), {**usual, "http.client (the limit)": by_http}
    finally:
        server.stop()


PLAIN = {"Authorization": "AWS4-HMAC-SHA256 Credential=alice/20261126/us-east-1/s3/aws4_request"}


@contextmanager
def azure(work: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Azure's library with eight connections."""
    import runpy

    from support.servers.azurite import Azurite

    machine = runpy.run_path(str(ROOT / "tests" / "tools" / "machine.py"))
    server = Azurite(work, str(machine["node_folder"]() / "node_modules/azurite"))
    server.start()
    with server.container("bench") as client:
        client.create_container()
    spec = server.spec("bench")

    def by_library(up: bool, local: Path, remote: str) -> None:
        request = {**spec.data, "up": up, "local": str(local), "remote": remote}
        run(sys.executable, "-c", AZURE, input=json.dumps(request), text=True)

    try:
        yield spec, {"azure-storage-blob": by_library}
    finally:
        server.stop()


AZURE = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from azure.storage.blob import ContainerClient

request = json.load(sys.stdin)
key = {"account_name": request["accountName"], "account_key": request["accountKey"]}
client = ContainerClient(request["endpoint"], "bench", credential=key)
local = Path(request["local"])

def up(pair):
    with pair[0].open("rb") as stream:
        client.upload_blob(pair[1], stream, overwrite=True, max_concurrency=8)

def down(name):
    place = local / name.partition("/")[2]
    with place.open("wb") as stream:
        client.download_blob(name, max_concurrency=8).readinto(stream)

with ThreadPoolExecutor(8) as pool:
    if "large" in request["remote"] and request["up"]:
        up((local, request["remote"]))
    elif "large" in request["remote"]:
        with local.open("wb") as stream:
            client.download_blob(request["remote"], max_concurrency=8).readinto(stream)
    elif request["up"]:
        list(pool.map(up, [(file, f"{request['remote']}/{file.name}") for file in local.iterdir()]))
    else:
        local.mkdir()
        list(pool.map(down, client.list_blob_names(name_starts_with=request["remote"] + "/")))
"""


@contextmanager
def smb(work: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Samba's own client, where it is installed."""
    from support.servers.smbd import PASSWORD, Smbd

    with tempfile.TemporaryDirectory(prefix="smbd-", dir="/tmp") as place:
        Path(place).chmod(0o755)
        server = Smbd(Path(place), shutil.which("smbd", path="/usr/sbin") or "")
        server.start()
        login = work / "login"
        login.touch(0o600)
        spec = server.spec("")
        login.write_text(f"username={spec.data['username']}\npassword={PASSWORD}\n")

        def by_smbclient(up: bool, local: Path, remote: str) -> None:
            if local.name == "large" or "large" in remote:
                words = f'put "{local}" {remote}' if up else f'get {remote} "{local}"'
            elif up:
                words = f'mkdir {remote}; cd {remote}; lcd "{local}"; prompt off; mput *'
            else:
                local.mkdir()
                words = f'cd {remote}; lcd "{local}"; prompt off; mget *'
            options = ["-p", str(server.port), "-A", str(login), "-s", f"{place}/smb.conf"]
            run("smbclient", "//127.0.0.1/team", *options, "-c", words, stderr=subprocess.DEVNULL)

        try:
            yield spec, {"smbclient": by_smbclient} if shutil.which("smbclient") else {}
        finally:
            server.stop()


BENCHES: dict[str, Callable[[Path], Any]] = {"sftp": sftp, "s3": s3, "azure": azure, "smb": smb}

if __name__ == "__main__":
    main()
