"""Fixtures of the command line's tests."""

from __future__ import annotations

import io
import json
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from openpai.cli.framework import plugins as _plugins
from openpai.cli.framework.groups import OUTPUT


@dataclass(frozen=True)
class Result:
    """What one command line did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Stdout, read as JSON."""
        return json.loads(self.stdout)


Opai = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of one's own, an empty working folder, and nothing of the environment around."""
    for name in ("OPENPAI_CLUSTER", "OPENPAI_TOKEN", "NO_COLOR", "CI", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    monkeypatch.setenv("OPENPAI_HOME", str(folder))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    _plugins.contributed.cache_clear()
    _plugins.load.cache_clear()
    return folder


@pytest.fixture
def opai(capsys, monkeypatch) -> Opai:
    """Run one command line in this process: ``opai("job", "list", stdin="…")``."""
    from openpai.cli.run import run

    def call(*arguments: object, stdin: str = "") -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        words = [str(argument) for argument in arguments]
        code = run(words)
        captured = capsys.readouterr()
        check_schema(words, captured.out, captured.err)
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One local cluster for all tests, over real HTTP."""
    from openpai.core.local import LocalCluster

    folder = tmp_path_factory.mktemp("local")
    size = {"cpus": 16, "memory_mb": 16384, "gpus": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))  # of its tasks
        with LocalCluster(folder, user="alice", grace=2.0, **size) as cluster:
            yield cluster


@pytest.fixture
def local(server, home):
    """The local cluster, known in this test's home as the only one, called `local`."""
    from openpai.core.config.clusters import ClusterEntry, save_cluster

    save_cluster(ClusterEntry("local", server.uri, server.user, token=server.token))
    return server


@pytest.fixture(scope="session")
def submit(server):
    """Submit a job of these shell lines; return its name."""
    from openpai.core.rest.jobs import submit_job
    from openpai.core.rest.session import Session

    def call(*lines: str, name: str, instances: int = 1, suffix: str = "") -> str:
        name = f"{name}_{secrets.token_hex(4)}{suffix}"
        document = {
            "protocolVersion": 2,
            "name": name,
            "type": "job",
            "prerequisites": [{"name": "image", "type": "dockerimage", "uri": "none"}],
            "taskRoles": {
                "main": {
                    "instances": instances,
                    "dockerImage": "image",
                    "resourcePerInstance": {"cpu": 1, "memoryMB": 64, "gpu": 0},
                    "commands": list(lines),
                }
            },
        }
        with Session(server.uri, token=server.token) as session:
            submit_job(session, json.dumps(document))
        return name

    return call


@pytest.fixture
def job(local, submit, request):
    """Submit a job of these shell lines under a name of this test's own; return the name."""
    name = re.sub("[^a-z0-9]+", "_", request.node.name.lower())[:60]
    return partial(submit, name=name)


SCHEMA = json.loads(Path(OUTPUT).read_text())


def check_schema(words: list[str], out: str, err: str) -> None:
    """Whatever a test lets `opai` write as JSON must be as the schema of its command says."""
    if "json" not in words or {"-h", "--help"} & set(words):
        return
    names = [word for word in words if not word.startswith("-")]
    name = next((n for n in (" ".join(names[:2]), names[0]) if n in SCHEMA["$defs"]), "")
    if out and name and out.lstrip()[0] in "[{":
        _validate(json.loads(out), name)
    if err.startswith('{"error"'):
        _validate(json.loads(err), "error")


def _validate(data: Any, name: str) -> None:
    _validator(name).validate(data)


@cache
def _validator(name: str) -> Any:
    from jsonschema.validators import validator_for

    return validator_for(SCHEMA)({**SCHEMA, "$ref": f"#/$defs/{name.replace(' ', '%20')}"})
