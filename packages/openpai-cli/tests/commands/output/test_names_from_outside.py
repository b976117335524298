"""`opai output` and `opai sweep download` where the storage lists names that are not file names."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from openpai.core.storage.base import Entry
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.paths import below

SWEEP = """
protocolVersion: 2
name: NAME
type: job
parameters: {x: 0}
prerequisites: [{name: image, type: dockerimage, uri: img}]
taskRoles:
  main:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands: ["echo <% $parameters.x %> > a.txt"]
"""


@pytest.fixture
def odd(monkeypatch):
    """Let every folder of outputs list its parent and a name with a slash, too."""
    real = LocalStorage._list

    def listed(self, path):
        yield from real(self, path)
        if "/output" in path and not path.endswith("/.openpai"):
            yield Entry(below(path, ".."), True, 0)
            yield Entry(below(path, "../../up"), False, 1)

    monkeypatch.setattr(LocalStorage, "_list", listed)


def _here() -> set[str]:
    return {str(Path(root, name)) for root, _, names in os.walk(".") for name in names}


def test_output_download_stays_in_target(opai, local, odd):
    """All that can be a file is fetched and printed, the rest is named, and the exit code is 1."""
    words = ("--image", "img", "--output", "a.txt", "--output", "d", "--output", "e", "--wait")
    command = "echo a > a.txt; mkdir d e; echo b > d/b.txt; echo c > e/c.txt"
    name = opai("job", "sub", *words, command).stdout.strip()
    listed = opai("output", "list", name, "-o", "json")
    assert [row["path"] for row in listed.json] == ["a.txt", "d/b.txt", "e/c.txt"]
    assert listed.exit_code == 1
    assert "'../../up'" in listed.stderr
    fetched = opai("output", "download", name, "--to", "in/here")
    assert fetched.exit_code == 1
    assert _here() == {f"in/here/{path}" for path in ("a.txt", "d/b.txt", "e/c.txt")}
    assert len(fetched.stdout.splitlines()) == 3
    assert fetched.stderr.count("'..'") >= 3
    assert opai("output", "download", name, "a.txt", "--to", "again").exit_code == 0


def test_sweep_download_fetches_the_other_jobs(opai, local, odd):
    """A job whose files are not whole does not keep those of the others from being fetched."""
    name = f"odd_{secrets.token_hex(4)}"
    Path("job.yaml").write_text(SWEEP.replace("NAME", name))
    sent = opai("job", "sweep", "job.yaml", "-p", "x=1,2", "--output", "a.txt")
    assert sent.exit_code == 0, sent.stderr
    assert opai("sweep", "wait", name, "--timeout", "120").exit_code == 0
    fetched = opai("sweep", "download", name, "--to", "here")
    assert fetched.exit_code == 1
    assert sorted(Path(path).name for path in _here()) == ["a.txt", "a.txt", "job.yaml"]
    assert "Not all files of 2 jobs were downloaded" in fetched.stderr
