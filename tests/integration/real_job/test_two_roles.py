"""A real job file of PAI's examples, with two roles that talk to each other, runs here."""

from __future__ import annotations

import functools
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster

HERE = Path(__file__).parent
FILE = "packages/openpai-core/tests/data/jobs/tensorflow-cifar10.yaml"


@pytest.fixture
def data(tmp_path):
    """The address of a data set on a web server: points of the line y = 2x + 1."""
    served = tmp_path / "served"
    served.mkdir()
    text = json.dumps([[x / 10, 2 * x / 10 + 1] for x in range(-10, 11)]).encode()
    with tarfile.open(served / "data.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/points.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/data.tar.gz"
        server.shutdown()
        thread.join()


@pytest.fixture
def scripts(tmp_path):
    """A git repository with the training script, and its commit."""
    folder = tmp_path / "benchmarks"
    place = folder / "scripts" / "tf_cnn_benchmarks"
    place.mkdir(parents=True)
    script = (HERE / "parameter_server.py").read_text()
    (place / "tf_cnn_benchmarks.py").write_text(script)

    def git(*words: str) -> str:
        """Call git in the repository."""
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        command = ["git", "-C", str(folder), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "Add a training script")
    return folder, git("rev-parse", "HEAD")


def test_parameter_server_and_worker_train(root, data, scripts, monkeypatch):
    """The worker reads its data, finds the server in the host list, trains, and ends the job.

    Changed in the file are the lines of its data, script and image, and nothing else.
    """
    folder, commit = scripts
    text = (root / FILE).read_text()
    for old, new in {
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz": data,
        "https://github.com/MaggieQi/benchmarks": folder.as_uri(),
        "84820935288cab696c9c2ac409cbd46a1f24723d": commit,
        "rm /usr/local/cuda/lib64/stubs/libcuda.so.1": "echo no such file outside of the image",
    }.items():
        assert old in text
        text = text.replace(old, new)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with (
        LocalCluster(cpus=4, memory_mb=40000, gpus=5, grace=2) as local,
        Cluster(local.uri, user=local.user, token=local.token) as cluster,
    ):
        remote = cluster.submit(Job.from_yaml(text))
        assert remote.wait(timeout=300).state == "SUCCEEDED", remote.explain()
        assert list(remote.logs("worker", 0))[-1].strip() == "fitted 2.000 1.000"
        assert list(remote.logs("psserver", 0))[-1].strip() == "weights 2.000 1.000"
