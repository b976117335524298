"""An HTTP proxy that loses, cuts and replaces answers."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class FaultyProxy:
    """An HTTP proxy in one place of which things go wrong.

    ``fail(method, path, how, …)`` puts a fault in the way of the next requests that fit:

    - ``refuse``: hang up before the request is forwarded
    - ``lose``: let the server act, and hang up instead of answering
    - ``answer``: let the server act, and answer with something else
    - ``instead``: answer with something else, and let the server know nothing
    - ``cut``: let the server act, and hang up in the middle of its answer
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.date = None  # what the answers' Date says instead of the truth
        self.faults: list = []
        self.seen: list = []

    def fail(self, method, path, how, *, times=1, status=502, body=b"", headers=None) -> None:
        """Put a fault in the way of the next ``times`` requests whose path matches."""
        fault = {"method": method, "path": re.compile(path), "how": how, "times": times}
        self.faults.append({**fault, "status": status, "body": body, "headers": headers or {}})

    def count(self, method, path) -> int:
        """How many requests came that fit."""
        return sum(m == method and re.search(path, p) is not None for m, p in self.seen)

    @property
    def pending(self) -> int:
        """The number of requests that faults still wait for."""
        return sum(fault["times"] for fault in self.faults)

    def fault_for(self, method, path):
        """Take the fault that is meant for this request, if any."""
        for fault in self.faults:
            if fault["method"] == method and fault["path"].search(path) and fault["times"] > 0:
                fault["times"] -= 1
                return fault
        return None

    def __enter__(self) -> FaultyProxy:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.proxy = self
        self.uri = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.seen.append((self.command, self.path))
        fault = proxy.fault_for(self.command, self.path) or {"how": ""}
        if fault["how"] == "refuse":
            return self._hang_up()
        if fault["how"] == "instead":
            return self._answer(fault["status"], fault["headers"], fault["body"])
        headers = {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"}
        answer = requests.request(
            self.command,
            proxy.upstream + self.path,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=60,
            proxies={"http": ""},
        )
        if fault["how"] == "lose":
            return self._hang_up()
        if fault["how"] == "answer":
            return self._answer(fault["status"], fault["headers"], fault["body"])
        cut = len(answer.content) // 2 if fault["how"] == "cut" else None
        dated = {"Date": proxy.date} if proxy.date else {}
        return self._answer(answer.status_code, {**answer.headers, **dated}, answer.content, cut)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - named by the library

    def _answer(self, status, headers, body, cut=None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
