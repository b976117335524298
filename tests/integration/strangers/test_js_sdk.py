"""PAI's JavaScript SDK and its command line, unmodified from npm, work with a local cluster."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from openpai.core.local import LocalCluster

HERE = Path(__file__).parent
SDK = "node_modules/@microsoft/openpai-js-sdk"
JOB = """\
protocolVersion: 2
name: from-pai
type: job
prerequisites: [{name: image, type: dockerimage, uri: "python:3.11"}]
taskRoles:
  worker:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands: [sleep 600]
"""


@pytest.fixture
def cluster():
    """A cluster of alice's."""
    with LocalCluster(user="alice", gpus=2) as cluster:
        yield cluster


def test_js_sdk_clients_work(cluster, needs):
    """Login, jobs, tasks, logs, tags, events, history, storages, groups, users, tokens."""
    environment = {
        **os.environ,
        "SDK": needs(SDK),
        "STRANGERS_URI": f"{cluster.uri.partition('://')[2]}/rest-server",
        "STRANGERS_USER": cluster.user,
        "STRANGERS_PASSWORD": cluster.password,
    }
    done = subprocess.run(
        ["node", str(HERE / "js_sdk.js")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "info": {
            "name": "PAI RESTful API",
            "version": "1.8.0",
            "launcherType": "k8s",
            "authnMethod": "basic",
        },
        "login": {"user": "alice", "admin": True},
        "created": {
            "status": 202,
            "message": "Update job from-js for user alice successfully.",
        },
        "config": "from-js",
        "listed": ["from-js"],
        "task": 1,
        "logs": ["all", "runtime.log", "stderr", "stdout"],
        "tags": ["blue"],
        "events": True,
        "healthz": "ok",
        "attempts": 1,
        "attempt": "STOPPED",
        "virtualClusters": ["default"],
        "storages": ["local-storage"],
        "storage": "nfs",
        "groups": ["admingroup", "default", "team"],
        "members": ["bob"],
        "email": "bob@example.com",
        "users": ["alice"],
        "application": True,
        "tokens": ["tokens"],
        "logout": True,
    }


def test_pai_command_line_works(cluster, needs, tmp_path):
    """``pai subj``, ``listj`` and ``getj``; its clusters file is written by hand.

    (Version 0.1.5 has lost the function behind ``pai addc``.)
    """
    program = str(Path(needs(SDK)) / "lib" / "src" / "cli.js")
    folder = tmp_path / ".openpai"
    folder.mkdir()
    address = f"{cluster.uri.partition('://')[2]}/rest-server"
    entry = {
        "alias": "here",
        "username": cluster.user,
        "token": cluster.token,
        "rest_server_uri": address,
    }
    (folder / "clusters.json").write_text(json.dumps([{"cluster": entry}]))
    (tmp_path / "job.yaml").write_text(JOB)

    def pai(*words: str) -> str:
        """Call the tool; it exits with 0 whatever happens, so what it prints must show success."""
        done = subprocess.run(
            ["node", program, *words],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.stderr == "", done.stderr
        return done.stdout

    assert "from-pai" in pai("subj", "here", "job.yaml")
    assert "from-pai" in pai("listj", "here")
    assert json.loads(pai("getj", "here", "from-pai"))["name"] == "from-pai"
