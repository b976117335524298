"""What a real HDFS refuses of a tree: ``opai storage`` names each file and copies the others."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import pytest


@pytest.fixture
def attach_for(attach, spec):
    """Return a function that attaches the folder as the storage ``main``, for a user."""

    def act(user: str = "alice") -> None:
        attach(replace(spec, data={**spec.data, "user": user}))

    act()
    return act


@pytest.fixture
def tree(opai):
    """Return a tree of two small files and one of 3 MB."""
    tree = opai.folder / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "a").write_text("a")
    (tree / "d" / "b").write_text("b")
    (tree / "large").write_bytes(b"x" * 3_000_000)
    return tree


def failures(output: str) -> dict[str, str]:
    """Return the reason of each file below ``main:/t``."""
    lines = (line for line in output.splitlines() if line.startswith("main:/t"))
    return dict(line[len("main:/t/") :].split(": ", 1) for line in lines)


def test_upload_names_files_without_quota_of_space(opai, hdfs, folder, attach_for, tree) -> None:
    """What no quota is left for is named and listed; with a larger one the list brings it."""
    hdfs.set_quota(folder, space=9 << 20)
    (tree / "large").write_bytes(b"x" * 15_000_000)
    command = ("storage", "upload", "tree", "main:/t")
    output = opai(*command, "--failed", "failed", code=1).stderr
    listed = set((opai.folder / "failed").read_text().split())
    assert "large" in listed
    assert failures(output) == dict.fromkeys(listed, os.strerror(errno.EDQUOT))
    hdfs.set_quota(folder)
    opai(*command, "--files-from", "failed")
    opai("storage", "check", "tree", "main:/t")


def test_upload_names_files_without_quota_of_names(opai, hdfs, folder, attach_for, tree) -> None:
    """The same for a quota of files and folders."""
    hdfs.set_quota(folder, names=3)  # the folder itself, t and one more
    output = opai("storage", "upload", "tree", "main:/t", code=1).stderr
    assert set(failures(output).values()) == {os.strerror(errno.EDQUOT)}
    hdfs.set_quota(folder)
    opai("storage", "upload", "tree", "main:/t")
    opai("storage", "check", "tree", "main:/t")


def test_upload_names_files_without_permission(opai, attach_for, tree) -> None:
    """Where another user's folder may not be written, each file is named."""
    opai("storage", "mkdir", "main:/t/d")
    attach_for("mallory")
    output = opai("storage", "upload", "tree", "main:/t", code=1).stderr
    assert failures(output) == dict.fromkeys(("a", "d/b", "large"), os.strerror(errno.EACCES))
    assert "error: 3 of 3 were not copied" in output
    opai("storage", "mkdir", "main:/new", code=3)


def test_upload_names_bad_file_names(opai, attach_for, tree) -> None:
    """Names that HDFS cannot hold fail alone, with what is wrong about them."""
    long = "/".join(["é" * 100] * 8)  # each letter takes six in an address
    for name in ("a:b", os.fsdecode(b"caf\xe9")):
        (tree / name).write_text("x")
    (tree / long).mkdir(parents=True)
    (tree / long / "file").write_text("x")
    output = failures(opai("storage", "upload", "tree", "main:/t", code=1).stderr)
    assert output.pop("a:b") == "HDFS does not take this name; it has no colons in names"
    assert output.pop("caf\\udce9") == "HDFS has names in Unicode only"
    assert output == {f"{long}/file": os.strerror(errno.ENAMETOOLONG)}
    assert opai("storage", "cat", "main:/t/d/b").stdout == "b"
