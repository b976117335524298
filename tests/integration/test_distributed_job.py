"""A distributed job of PAI's own examples on the local cluster, as a new user would try it."""

from __future__ import annotations

import json
import subprocess

import pytest

#: What the example's training script does with its peers, without PyTorch: each worker finds the
#: first one by PAI's variables, they sum up their gradients there, and all get the sum.
SCRIPT = """\
import argparse, json, os, socket

parser = argparse.ArgumentParser()
parser.add_argument("-n", "--nodes", type=int)
parser.add_argument("-g", "--gpus", type=int)
parser.add_argument("--epochs", type=int)
parser.add_argument("--dist-backend")
given = parser.parse_args()

rank = int(os.environ["PAI_TASK_INDEX"])
chief = os.environ["PAI_HOST_IP_worker_0"], int(os.environ["PAI_worker_0_SynPort_PORT"])
assert len(os.environ["PAI_TASK_ROLE_worker_HOST_LIST"].split(",")) == given.nodes
assert len(os.environ["CUDA_VISIBLE_DEVICES"].split(",")) == given.gpus
assert os.environ["GLOO_SOCKET_IFNAME"] == "eth0"


def connect():
    while True:
        try:
            return socket.create_connection(chief)
        except ConnectionRefusedError:
            continue


def streams():
    if rank:
        return [connect().makefile("rw")]
    with socket.create_server(chief) as server:
        return [server.accept()[0].makefile("rw") for _ in range(given.nodes - 1)]


def all_reduce(value, peers):
    if rank:
        print(json.dumps(value), file=peers[0], flush=True)
        return json.loads(peers[0].readline())
    total = value + sum(json.loads(peer.readline()) for peer in peers)
    for peer in peers:
        print(json.dumps(total), file=peer, flush=True)
    return total


peers = streams()
for epoch in range(given.epochs):
    print("epoch", epoch, "sum", all_reduce(rank + 1 + epoch, peers), flush=True)
print("trained by", given.dist_backend)
"""


@pytest.fixture
def job_file(root, tmp_path, httpserver):
    """The example's job file, in which only the places of its code are others."""
    apex = tmp_path / "apex"
    apex.mkdir()
    (apex / "setup.py").write_text("print('installed')\n")
    git = ["git", "-C", str(apex), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Add it"]):
        subprocess.run([*git, *words], check=True)
    name = "cifar10-single-mul-DDP-nccl-gloo.py"
    httpserver.expect_request(f"/{name}").respond_with_data(SCRIPT)
    folder = root / "packages" / "openpai-core" / "tests" / "data" / "jobs"
    text = (folder / "cifar10-single-mul-DDP-gloo.yaml").read_text()
    for old, new in (
        ("https://github.com/NVIDIA/apex", str(apex)),
        (
            f"https://raw.githubusercontent.com/microsoft/pai/master/examples/Distributed-example/{name}",
            httpserver.url_for(f"/{name}"),
        ),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "ddp.yaml"
    file.write_text(text)
    return file


def test_distributed_example_runs(opai, job_file, needs):
    """Two workers with two GPUs each meet over PAI's host list and train together."""
    needs("wget")
    opai("local", "up", "--gpus", "4", "--cpus", "16", "--mem", "40g")
    opai("job", "submit", str(job_file), "--wait")
    (job,) = json.loads(opai("job", "list", "-o", "json").stdout)
    assert (job["state"], job["name"]) == ("SUCCEEDED", "cifar10-single-mul-DDP-gloo-1_5b3c1b5c")
    for index in ("0", "1"):
        words = ("--role", "worker", "--index", index, "--stream", "stdout")
        log = opai("job", "logs", job["name"], *words).stdout
        said = [line.partition(" | ")[2] for line in log.splitlines()]
        assert said == ["installed", "epoch 0 sum 3", "epoch 1 sum 5", "trained by gloo"]
