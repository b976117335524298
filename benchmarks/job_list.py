"""A server of a job list, as much of one as benchmarks need; everything is prepared beforehand."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

__all__ = ["Handler", "Server", "rows"]


def rows(count: int) -> list[bytes]:
    """Return ``count`` jobs of the list as JSON, with every key that the real server sends."""
    return [json.dumps(_row(number)).encode() for number in range(count)]


def _row(number: int) -> dict[str, object]:
    moment = 1_760_000_000_000 + number * 60_000
    return {
        "debugId": f"{number:032x}",
        "name": f"train_lr-0p1_batch-{number}",
        "username": "alice",
        "state": "SUCCEEDED",
        "subState": "Completed",
        "executionType": "START",
        "tags": [],
        "retries": 0,
        "retryDetails": {"user": 0, "platform": 0, "resource": 0},
        "retryDelayTime": None,
        "submissionTime": moment,
        "createdTime": moment + 1000,
        "launchedTime": moment + 5000,
        "completedTime": moment + 65_000,
        "appExitCode": 0,
        "virtualCluster": "default",
        "totalGpuNumber": 1,
        "totalTaskNumber": 1,
        "totalTaskRoleNumber": 1,
        "jobPriority": None,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers what the cluster is, and with pages of the list."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rows: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        """Send the part of the list that is asked for."""
        parts = urlsplit(self.path)
        if parts.path.endswith("/info"):
            return self.answer(b'{"version": "1.8.0"}')
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        first, size = int(query.get("offset", 0)), int(query.get("limit", 5000))
        return self.answer(b"[" + b",".join(self.rows[first : first + size]) + b"]")

    def answer(self, body: bytes, status: int = 200) -> None:
        """Send JSON."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as are opened."""

    request_queue_size = 128
    daemon_threads = True
