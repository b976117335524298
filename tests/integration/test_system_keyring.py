"""Tokens in the keyring of a real desktop: GNOME's, over D-Bus, open and locked."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from openpai.core.local import LocalCluster

# Runs inside a D-Bus session of its own: opens the keyring, and locks it half-way.
SESSION = """
import json, subprocess, sys
import secretstorage

start = ["gnome-keyring-daemon", "--unlock", "--components=secrets", "--daemonize"]
subprocess.run(start, input="pw", text=True, stdout=subprocess.DEVNULL, check=True)
results = []

def opai(*words, stdin=""):
    line = [sys.executable, "-m", "openpai.cli", *words]
    done = subprocess.run(line, input=stdin, text=True, capture_output=True, check=False)
    results.append([done.returncode, done.stdout, done.stderr])

uri, token = sys.argv[1], sys.stdin.read()
opai("cluster", "add", "prod", "--pai-uri", uri, "--token-stdin", stdin=token)
opai("user", "show", "-o", "name")
bus = secretstorage.dbus_init()
login = secretstorage.get_default_collection(bus)
kept = [item.get_secret().decode() for item in login.get_all_items()]
login.lock()
opai("user", "show", "-o", "name")
opai("cluster", "list", "-o", "name")
opai("cluster", "delete", "prod")
print(json.dumps([results, kept, login.is_locked()]))
"""


@pytest.fixture
def in_session(needs, tmp_path):
    """Return a function that runs the program above, with a home and a keyring of its own."""
    pytest.importorskip("secretstorage")
    needs("gnome-keyring-daemon")
    bus = needs("dbus-run-session")
    folder = tmp_path / "user"
    folder.mkdir(mode=0o700)
    environ = {key: value for key, value in os.environ.items() if "KEYRING" not in key}
    for name in ("OPENPAI_TOKEN", "OPENPAI_CLUSTER", "DISPLAY", "WAYLAND_DISPLAY"):
        environ.pop(name, None)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        environ[name] = str(folder)
    environ["OPENPAI_HOME"] = str(folder / "openpai")

    def run(*arguments: str, stdin: str) -> list:
        done = subprocess.run(
            [bus, "--", sys.executable, "-c", SESSION, *arguments],
            input=stdin,
            env=environ,
            text=True,
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run.openpai = folder / "openpai"
    return run


def test_desktop_keyring_keeps_token(in_session):
    """The token is in no file of ours; locked, one sentence tells what to do, and it stays."""
    with LocalCluster(cpus=1, memory_mb=512, user="alice") as cluster:
        results, kept, locked = in_session(cluster.uri, stdin=cluster.token)
    added, shown, refused, listed, not_deleted = results
    assert added[0] == 0, added
    assert "The token is stored in the keyring." in added[2]
    assert [json.loads(secret) for secret in kept] == [{"token": cluster.token}]
    assert all(cluster.token not in file.read_text() for file in in_session.openpai.iterdir())
    assert shown[:2] == [0, "alice\n"]
    assert locked
    for code, stdout, stderr in (refused, not_deleted):
        assert (code, stdout) == (2, "")
        assert "The system keyring failed: Failed to unlock the collection" in stderr
        assert "hint: Unlock it, or keep secrets in a private file" in stderr
        assert "Traceback" not in stderr
    assert listed[:2] == [0, "prod\n"]
