"""Ports for the servers of tests."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

_WORKERS = 16

_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 for a server, which may stop and start again there.

    It lies below the ports that the system gives to clients, which could take it while the server
    is down, and it is given out once in a run.
    """
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    end = int(ephemeral.read_text().split()[0]) if ephemeral.exists() else 32768
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS
    while True:
        row = secrets.randbelow(max(end - 10_000, 1_600) // _WORKERS)
        port = 10_000 + row * _WORKERS + worker
        if port in _given:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port
