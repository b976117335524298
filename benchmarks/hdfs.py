"""Files to and from HDFS against other clients: ratios of one run on one machine.

    python benchmarks/hdfs.py [--rounds 3] [--size 1024] [--files 2000] [--only fake|real]

A real HDFS 3.4.1 (one name node, one data node, from Maven's jars) takes one file of SIZE MiB and a
tree of FILES files of 20 KB from each client in turn, and gives them back; then a fake server that
is faster than any client takes the tree, for the clients that speak WebHDFS. Everything lies in
memory (/dev/shm) where there is one. A client that is not installed is named and skipped.

Clients in Python run in processes of their own that measure from their first request on; programs
are measured as a whole. ``limit`` is what this machine can do at all: the bytes over a loopback
socket into a file.
"""

from __future__ import annotations

import argparse
import getpass
import importlib.util
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

#: What a client in Python does, in a process of its own: name, what it needs, code.
PYTHON = {
    "opai": (
        "openpai.storage",
        """
from pathlib import Path
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.core.storage.transfer.transfer import download, upload
storage = open_storage(StorageSpec("main", "hdfs", {"uri": URI, "user": USER}))
def up(): upload(storage, Path(HERE), THERE)
def down(): download(storage, THERE, Path(HERE))
""",
    ),
    "opai, sizes only": (
        "openpai.storage",
        """
import sys
sys.modules["google_crc32c"] = None
from pathlib import Path
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.core.storage.transfer.transfer import download, upload
storage = open_storage(StorageSpec("main", "hdfs", {"uri": URI, "user": USER}))
def up(): upload(storage, Path(HERE), THERE)
def down(): download(storage, THERE, Path(HERE))
""",
    ),
    "hdfscli": (
        "hdfs",
        """
import hdfs
client = hdfs.InsecureClient(URI, user=USER)
def up(): client.upload(THERE, HERE)
def down(): client.download(THERE, HERE)
""",
    ),
    "hdfscli, its best": (
        "hdfs",
        """
import hdfs
client = hdfs.InsecureClient(URI, user=USER)
def up(): client.upload(THERE, HERE, chunk_size=1 << 20, n_threads=16)
def down(): client.download(THERE, HERE, chunk_size=1 << 20, n_threads=16)
""",
    ),
    "hdfs-native": (
        "hdfs_native",
        """
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from hdfs_native import Client
client = Client(RPC)
def put(pair):
    with open(pair[0], "rb") as source, client.create(pair[1]) as target:
        while chunk := source.read(1 << 20): target.write(chunk)
def get(pair):
    with client.read(pair[0]) as source, open(pair[1], "wb") as target:
        for chunk in source.read_range_stream(0, len(source)): target.write(chunk)
def up():
    if os.path.isfile(HERE): return put((HERE, THERE))
    files = [path for path in Path(HERE).rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, [(path, f"{THERE}/{path.relative_to(HERE)}") for path in files]))
def down():
    found = list(client.list_status(THERE, recursive=True))
    if len(found) == 1: return get((THERE, HERE))
    pairs = [(item.path, HERE + item.path[len(THERE):]) for item in found if not item.isdir]
    for _, place in pairs: os.makedirs(os.path.dirname(place), exist_ok=True)
    with ThreadPoolExecutor(8) as pool: list(pool.map(get, pairs))
""",
    ),
    "fsspec": (
        "fsspec",
        """
import os
from urllib.parse import urlsplit
from fsspec.implementations.webhdfs import WebHDFS
at = urlsplit(URI)
client = WebHDFS(at.hostname, at.port, user=USER)
def up(): client.put(HERE, THERE, recursive=os.path.isdir(HERE))
def down(): client.get(THERE, HERE, recursive=client.isdir(THERE))
""",
    ),
}
MEASURE = """
import time
began = time.perf_counter()
{act}()
print(time.perf_counter() - began)
"""
#: Clients that are so slow that one round tells.
ONCE = ("fsspec",)

#: Seconds after which a client is given up.
TIMEOUT_S = 600


class Place(NamedTuple):
    """A server, and whom to be there."""

    uri: str
    rpc: str
    user: str
    shell: Callable[..., float] | None


def python(name: str, act: str, place: Place, here: Path, there: str) -> float:
    """Let a client in Python do something; return the seconds that it measured."""
    needed, code = PYTHON[name]
    if importlib.util.find_spec(needed) is None:
        raise LookupError(f"{needed} is not installed")
    words = {"URI": place.uri, "RPC": place.rpc, "USER": place.user}
    words |= {"HERE": str(here), "THERE": there}
    lines = "".join(f"{key} = {value!r}\n" for key, value in words.items())
    script = lines + code + MEASURE.format(act=act)
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "HADOOP_USER_NAME": place.user},
    )
    if done.returncode:
        raise LookupError(done.stderr.strip().splitlines()[-1][:120])
    return float(done.stdout.split()[-1])


def timed(command: list[str], **environment: str) -> float:
    """Run a program; return its seconds."""
    if shutil.which(command[0]) is None:
        raise LookupError(f"{command[0]} is not installed")
    began = time.perf_counter()
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        timeout=TIMEOUT_S,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise LookupError(done.stderr.decode(errors="replace").strip()[-120:])
    return time.perf_counter() - began


def curl(act: str, place: Place, here: Path, there: str) -> float:
    """One process of curl; for a tree 16 transfers at once."""
    query = f"user.name={place.user}"
    base = f"{place.uri}/webhdfs/v1"
    one = here.is_file() if act == "up" else not here.suffix
    pairs = [(here, there)] if one else [
        (here / name, f"{there}/{name}") for name in json.loads(os.environ["BENCH_NAMES"])
    ]  # fmt: skip
    lines = []
    for mine, theirs in pairs:
        op = "CREATE&overwrite=true" if act == "up" else "OPEN"
        lines.append(f'url = "{base}{theirs}?op={op}&{query}"')
        lines.append(f'upload-file = "{mine}"' if act == "up" else f'output = "{mine}"')
        lines.append("location\nsilent\nfail\ncreate-dirs\nnext")
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write("\n".join(lines).removesuffix("\nnext"))
        config.flush()
        parallel = [] if one else ["-Z", "--parallel-max", "16"]
        return timed(["curl", *parallel, "-K", config.name])


def go(act: str, place: Place, here: Path, there: str) -> float:
    """Debian's client in Go, over the native ports."""
    words = ["put", str(here), there] if act == "up" else ["get", there, str(here)]
    at = place.rpc.removeprefix("hdfs://")
    return timed(["/usr/bin/hdfs", *words], HADOOP_NAMENODE=at, HADOOP_USER_NAME=place.user)


def hadoop(act: str, place: Place, here: Path, there: str) -> float:
    """Hadoop's own ``hadoop fs``, from the jars of the server."""
    if place.shell is None:
        raise LookupError("no jars")
    words = ["-put", str(here), there] if act == "up" else ["-get", there, str(here)]
    return place.shell(*words)


def limit(_: str, __: Place, here: Path, ___: str) -> float:
    """Send as many bytes over a loopback socket into a file."""
    size = int(os.environ["BENCH_BYTES"])
    listener = socket.create_server(("127.0.0.1", 0))
    target = here.with_name("limit")

    def send() -> None:
        with socket.create_connection(listener.getsockname()) as line:
            block = bytes(1 << 20)
            for _ in range(size >> 20):
                line.sendall(block)

    began = time.perf_counter()
    thread = threading.Thread(target=send)
    thread.start()
    line, _ = listener.accept()
    buffer = bytearray(1 << 20)
    with line, target.open("wb") as file:
        while count := line.recv_into(buffer):
            file.write(memoryview(buffer)[:count])
    thread.join()
    listener.close()
    took = time.perf_counter() - began
    target.unlink()
    return took


@contextmanager
def real(folder: Path) -> Iterator[Place]:
    """A real HDFS whose data node can be found by all clients."""
    from support.servers.hadoop import SHELL, missing
    from support.servers.hdfs import Hdfs

    if missing():
        raise LookupError(missing())
    settings = {"dfs.blocksize": str(128 << 20), "dfs.datanode.hostname": "localhost"}
    with Hdfs(
        folder,
        java=("-Xmx1g", "-XX:TieredStopAtLevel=4"),
        settings=settings,
        nodes=["dn0"],
        datanode_options=["-Ddfs.datanode.hostname=localhost"],
    ) as servers:

        def shell(*words: str) -> float:
            began = time.perf_counter()
            servers.run(SHELL, *words)
            return time.perf_counter() - began

        yield Place(servers.uri, servers.rpc, getpass.getuser(), shell)


@contextmanager
def fake(_: Path) -> Iterator[Place]:
    """A server that is faster than any client."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "fake_webhdfs.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    try:
        yield Place(f"http://localhost:{server.stdout.readline().strip()}", "", "alice", None)
    finally:
        server.stdin.close()
        server.wait()


def plant(folder: Path, size: int, files: int) -> tuple[Path, Path]:
    """Make a file of ``size`` MiB and a tree of files of 20 KB."""
    large, tree = folder / "large", folder / "tree.d"
    with large.open("wb") as stream:
        for _ in range(size):
            stream.write(os.urandom(1 << 20))
    names = [f"d{number % 20}/f{number}" for number in range(files)]
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(20_000))
    os.environ["BENCH_NAMES"] = json.dumps(names)
    os.environ["BENCH_BYTES"] = str(size << 20)
    return large, tree


Client = Callable[[str, Place, Path, str], float]


def clients(kind: str, *, large: bool) -> dict[str, Client]:
    """The clients that take part against a kind of server."""
    names = [name for name in PYTHON if kind == "real" or name != "hdfs-native"]
    found: dict[str, Client] = {
        name: lambda act, *rest, name=name: python(name, act, *rest) for name in names
    }
    found["curl"] = curl
    if kind == "real":
        found |= {"go (hdfs-cli)": go, "hadoop fs": hadoop}
        if large:
            found["limit"] = limit
    return found


def remove(place: Place, there: str) -> None:
    """Delete what a client made, to have room for the next."""
    query = f"op=DELETE&recursive=true&user.name={place.user}"
    url = f"{place.uri}/webhdfs/v1{there}?{query}"
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()


def run(kind: str, place: Place, source: Path, rounds: int, work: Path) -> None:
    """Let each client in turn take a file or tree there and back; print the medians."""
    large = source.is_file()
    took: dict[str, dict[str, list[float]]] = {}
    out: dict[str, str] = {}
    for number in range(rounds):
        for index, (name, client) in enumerate(clients(kind, large=large).items()):
            if number and name in ONCE:
                continue
            there = f"/bench/{kind}-{source.stem}-{number}-{index}"
            back = work / ("back" + source.suffix)
            try:
                for act in ("up", "down"):
                    place_here = source if act == "up" else back
                    seconds = client(act, place, place_here, there)
                    took.setdefault(name, {}).setdefault(act, []).append(seconds)
            except (LookupError, subprocess.TimeoutExpired, AssertionError) as error:
                out[name] = str(error)
            remove(place, there)
            shutil.rmtree(back, ignore_errors=True)
            back.unlink(missing_ok=True)
    for act in ("up", "down"):
        ours = statistics.median(took["opai"][act]) if act in took.get("opai", {}) else 0.0
        print(f"{kind} server, {source.stem} {act}:")
        for name, seconds in took.items():
            if act in seconds:
                median = statistics.median(seconds[act])
                spread = f"{min(seconds[act]):.2f}-{max(seconds[act]):.2f}"
                ratio = f"{median / ours:.2f} x opai's" if ours else ""
                print(f"  {name:18} {median:7.2f} s ({spread}) {ratio}")
    for name, reason in out.items():
        print(f"  {name}: left out: {reason}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--only", choices=("fake", "real"))
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        large, tree = plant(folder, options.size, options.files)
        for kind, server in (("fake", fake), ("real", real)):
            if options.only not in (None, kind):
                continue
            data = folder / kind
            data.mkdir()
            try:
                with server(data) as place:
                    if kind == "real":
                        run(kind, place, large, options.rounds, folder)
                    run(kind, place, tree, options.rounds, folder)
            except LookupError as error:
                print(f"{kind} server: left out: {error}")


if __name__ == "__main__":
    main()
