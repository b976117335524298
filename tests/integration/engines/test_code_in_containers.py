"""Code goes into a container and outputs come out of it, with an image that knows neither."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.xdist_group("podman")


@pytest.fixture
def in_containers(opai, podman, monkeypatch):
    """`opai` with a local cluster whose jobs run in containers."""
    for name, value in podman.items():
        monkeypatch.setenv(name, value)
    opai("local", "up", "--engine", "podman", "--cpus", "8")
    return opai


def test_code_and_outputs_cross_container(in_containers, python_image):
    """The runtime of this machine takes the code in and the outputs out."""
    script = "import os, sys\nos.makedirs('ckpt')\nopen('ckpt/model', 'w').write('weights')\n"
    script += "print('python', sys.version_info[0], 'in', os.listdir('/usr/local/pai'))\n"
    (in_containers.folder / "train.py").write_text(script)
    words = ("--image", python_image, "--name", "code", "--src", ".", "--output", "ckpt/**")
    follow = in_containers("job", "sub", *words, "--follow", "--", "python3", "train.py")
    assert "python 3 in" in follow.stdout
    in_containers("output", "download", "code", "--to", "back")
    assert (in_containers.folder / "back" / "ckpt" / "model").read_text() == "weights"


def test_status_names_engine(in_containers, podman):
    """Where containers are used nobody says that images are not."""
    assert '"engine": "podman"' in in_containers("local", "status", "-o", "json").stdout
    missing = ("--image", "127.0.0.1:9/none:1", "--name", "none", "--wait", "--", "true")
    reported = in_containers("job", "sub", *missing, code=None)
    assert reported.returncode != 0
    assert "image is not used" not in reported.stderr
    assert os.environ["CONTAINERS_CONF"] == podman["CONTAINERS_CONF"]
