"""A WebHDFS server that is faster than any client: names in a dict, contents in memory.

    python benchmarks/fake_webhdfs.py    # prints its port, ends with its standard input

As much of the protocol as uploads and downloads take; one process, no threads.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import parse_qsl, unquote

FILES: dict[str, bytes] = {}
TIMES: dict[str, int] = {}
FOLDERS = {"/"}
TRUE = b'{"boolean":true}'
NONE = json.dumps(
    {
        "RemoteException": {
            "exception": "FileNotFoundException",
            "javaClassName": "java.io.FileNotFoundException",
            "message": "File does not exist",
        }
    }
).encode()


def status(path: str, name: str = "") -> dict[str, object]:
    """Describe a file or folder as a name node does."""
    is_dir = path in FOLDERS
    return {
        "accessTime": 0,
        "blockSize": 0 if is_dir else 134217728,
        "childrenNum": 0,
        "fileId": 16386,
        "group": "supergroup",
        "length": 0 if is_dir else len(FILES[path]),
        "modificationTime": TIMES.get(path, 0),
        "owner": "alice",
        "pathSuffix": name,
        "permission": "755" if is_dir else "644",
        "replication": 0 if is_dir else 1,
        "storagePolicy": 0,
        "type": "DIRECTORY" if is_dir else "FILE",
    }


def make_folders(path: str) -> None:
    """Make a folder and its parents."""
    while path not in FOLDERS:
        FOLDERS.add(path)
        path = path.rpartition("/")[0] or "/"


def listing(path: str) -> list[dict[str, object]]:
    """Describe what is in a folder."""
    start = path.rstrip("/") + "/"
    below = [place for place in (*FILES, *FOLDERS) if place.startswith(start) and place != "/"]
    return [status(place, place[len(start) :]) for place in below if "/" not in place[len(start) :]]


def get(path: str, op: str, query: dict[str, str]) -> tuple[int, bytes]:
    """Answer a reading request."""
    if path not in FILES and path not in FOLDERS:
        return 404, NONE
    if op == "GETFILESTATUS":
        return 200, json.dumps({"FileStatus": status(path)}).encode()
    if op == "LISTSTATUS":
        return 200, json.dumps({"FileStatuses": {"FileStatus": listing(path)}}).encode()
    if op == "GETCONTENTSUMMARY":
        return 200, b'{"ContentSummary":{"directoryCount":1,"fileCount":0,"length":0}}'
    if op == "GETFILECHECKSUM":
        return 200, b'{"FileChecksum":{"algorithm":"NONE","bytes":"00","length":1}}'
    begin = int(query.get("offset", 0))
    end = begin + int(query["length"]) if "length" in query else None
    return 200, FILES[path][begin:end]


def put(path: str, op: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Answer a changing request."""
    if op == "CREATE":
        make_folders(path.rpartition("/")[0] or "/")
        FILES[path] = body
        return 201, b""
    if op == "RENAME":
        if path in FILES:
            FILES[query["destination"]] = FILES.pop(path)
            TIMES[query["destination"]] = TIMES.pop(path, 0)
        return 200, b"" if "renameoptions" in query else TRUE
    if op == "MKDIRS":
        make_folders(path)
    if op == "SETTIMES":
        TIMES[path] = int(query["modificationtime"])
    return (200, TRUE) if op in ("MKDIRS", "DELETE") else (200, b"")


class Connection(asyncio.Protocol):
    """One connection, kept open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.waiting = bytearray()

    def data_received(self, data: bytes) -> None:
        """Answer all requests that are whole."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].decode("latin-1")
            body = self.body(head.lower(), end + 4)
            if body is None:
                return
            self.answer(*head.split("\r\n", 1)[0].split(" ")[:2], body)  # type: ignore[call-arg]

    def body(self, head: str, begin: int) -> bytes | None:
        """Take a request off what is waiting; return its body, or ``None`` if there is more."""
        if "transfer-encoding: chunked" in head:
            end = self.waiting.find(b"\r\n0\r\n\r\n", begin - 2)
            if end < 0:
                return None
            parts, at = [], begin
            while size := int(self.waiting[at : (line := self.waiting.index(b"\r\n", at))], 16):
                parts.append(bytes(self.waiting[line + 2 : line + 2 + size]))
                at = line + size + 4
            del self.waiting[: end + 7]
            return b"".join(parts)
        length = 0
        if "content-length: " in head:
            length = int(head.partition("content-length: ")[2].split("\r\n", 1)[0])
        if "expect: 100-continue" in head and len(self.waiting) == begin and length:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self.waiting) < begin + length:
            return None
        body = bytes(self.waiting[begin : begin + length])
        del self.waiting[: begin + length]
        return body

    def answer(self, method: str, target: str, body: bytes) -> None:
        """Answer one request."""
        path, _, text = target.partition("?")
        query = dict(parse_qsl(text))
        op = query["op"]
        path = unquote(path)[len("/webhdfs/v1") :].rstrip("/") or "/"
        location = ""
        if op in ("CREATE", "OPEN") and "data" not in query and (op != "OPEN" or path in FILES):
            port = self.transport.get_extra_info("sockname")[1]
            location = f"Location: http://localhost:{port}{target}&data=1\r\n"
            code, content = 307, b""
        elif method == "GET":
            code, content = get(path, op, query)
        elif method == "DELETE":
            FILES.pop(path, None)
            code, content = 200, TRUE
        else:
            code, content = put(path, op, query, body)
        kind = "application/octet-stream" if op == "OPEN" else "application/json"
        self.transport.write(
            f"HTTP/1.1 {code} Some\r\nContent-Type: {kind}\r\n{location}"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )


async def serve() -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
