"""`opai` with a keyring, in processes of its own as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

DATA = Path(__file__).resolve().parents[4] / "openpai-core" / "tests" / "data"


@pytest.fixture
def run(home, tmp_path):
    """Run `opai` where the chosen keyring is one that keeps its entries in a file."""
    pytest.importorskip("keyring")
    if not (DATA / "file_keyring_of_test.py").exists():
        pytest.skip("the keyring of the tests is in the repository only")
    environ = {
        **os.environ,
        "PYTHONPATH": str(DATA),
        "PYTHON_KEYRING_BACKEND": "file_keyring_of_test.FileKeyring",
        "TEST_KEYRING_FILE": str(tmp_path / "keyring.json"),
    }

    def opai(*arguments, stdin="", **more):
        return subprocess.run(
            [sys.executable, "-m", "openpai.cli", *arguments],
            input=stdin,
            env={**environ, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return opai


def test_keyring_holds_token_and_locked_keyring_keeps_it(run, server, home, tmp_path):
    """Added, used, locked, unlocked, logged out: the token is in no file of ours at any time."""
    line = ("cluster", "add", "prod", "--pai-uri", server.uri, "--token-stdin")
    added = run(*line, stdin=server.token)
    assert added.returncode == 0, added.stderr
    assert "stored in the keyring" in added.stderr
    assert server.token in (tmp_path / "keyring.json").read_text()
    assert all(server.token not in file.read_text() for file in home.iterdir())
    assert run("user", "show", "-o", "name").stdout == "alice\n"

    locked = run("user", "show", TEST_KEYRING_MOOD="locked")
    assert (locked.returncode, locked.stdout) == (2, "")
    assert "Failed to unlock" in locked.stderr
    assert "opai set -g credentials=file" in locked.stderr
    assert "Traceback" not in locked.stderr
    listed = run("cluster", "list", "-o", "json", TEST_KEYRING_MOOD="locked")
    assert [row["logged_in"] for row in json.loads(listed.stdout)] == [True]
    refused = run("cluster", "delete", "prod", TEST_KEYRING_MOOD="locked")
    assert refused.returncode == 2

    assert run("user", "show", "-o", "name").stdout == "alice\n"
    assert run("cluster", "logout", "prod").returncode == 0
    assert server.token not in (tmp_path / "keyring.json").read_text()
