"""A line is fitted by a worker whose weights live on a parameter server: sockets, no framework.

It takes the options of TensorFlow's benchmark script that the job file passes, and finds its
addresses where the job file finds them: in PAI's host lists.
"""

import argparse
import json
import socket
import time
from pathlib import Path

ROUNDS = 200


def options() -> argparse.Namespace:
    """Read the options that matter here; the others are of no use without TensorFlow."""
    parser = argparse.ArgumentParser()
    for name in ("job_name", "ps_hosts", "worker_hosts", "task_index", "data_dir"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args()[0]


def address(hosts: str, index: str) -> tuple[str, int]:
    """Return one task's address from a host list: ``host:port,host:port``."""
    host, _, port = hosts.split(",")[int(index)].partition(":")
    return host, int(port)


def serve(where: tuple[str, int]) -> None:
    """Hold the weights; every line that comes is a gradient, every line that goes is weights."""
    slope, offset = 0.0, 0.0
    with socket.create_server(where) as server, server.accept()[0] as worker:
        stream = worker.makefile("rw")
        for line in stream:
            down, aside = json.loads(line)
            slope, offset = slope - down, offset - aside
            stream.write(json.dumps([slope, offset]) + "\n")
            stream.flush()
    print(f"weights {slope:.3f} {offset:.3f}", flush=True)


def connect(where: tuple[str, int]) -> socket.socket:
    """Connect as soon as the server is there."""
    while True:
        try:
            return socket.create_connection(where, timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.1)


def train(where: tuple[str, int], points: list[list[float]]) -> None:
    """Fit the points, round by round, with the server's weights."""
    slope, offset = 0.0, 0.0
    with connect(where) as server:
        stream = server.makefile("rw")
        for _ in range(ROUNDS):
            errors = [(x, slope * x + offset - y) for x, y in points]
            gradient = [0.5 * sum(x * e for x, e in errors), 0.5 * sum(e for _, e in errors)]
            stream.write(json.dumps([g / len(points) for g in gradient]) + "\n")
            stream.flush()
            slope, offset = json.loads(stream.readline())
    print(f"fitted {slope:.3f} {offset:.3f}", flush=True)


if __name__ == "__main__":
    given = options()
    if given.job_name == "ps":
        serve(address(given.ps_hosts, given.task_index))
        time.sleep(600)  # as TensorFlow's server: until the job ends it
    else:
        points = json.loads(Path(given.data_dir, "points.json").read_text())
        train(address(given.ps_hosts, "0"), points)
