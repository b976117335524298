"""What the tests of the job protocol share: recorded facts, a valid job, hypothesis profiles."""

from __future__ import annotations

import copy
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

DATA = Path(__file__).parent.parent / "data"

settings.register_profile(
    "ordinary", max_examples=100, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("full", settings.get_profile("ordinary"), max_examples=10_000)
settings.load_profile(os.environ.get("OPENPAI_HYPOTHESIS_PROFILE", "ordinary"))


def _load(name: str) -> Any:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """Job documents with the real server's verdicts, messages and scripts."""
    return _load("protocol-corpus.json.gz")


@pytest.fixture(scope="session")
def functions() -> dict[str, Any]:
    """Input and output of the server's own functions."""
    return _load("protocol-functions.json.gz")


@pytest.fixture(scope="session")
def framework_requests() -> list[dict[str, Any]]:
    """What the real server asked Kubernetes for, for some jobs."""
    return _load("framework-requests.json.gz")


@pytest.fixture(scope="session")
def hived() -> list[dict[str, Any]]:
    """Job documents with the verdict of a real server that has HiveD."""
    return _load("protocol-hived.json.gz")


@pytest.fixture(scope="session")
def job_files() -> list[Path]:
    """The 31 job files of PAI's own examples and marketplace (microsoft/pai, MIT)."""
    return sorted((DATA / "jobs").glob("*.yaml"))


_MINIMAL: dict[str, Any] = {
    "protocolVersion": 2,
    "name": "mini",
    "type": "job",
    "prerequisites": [{"name": "img", "type": "dockerimage", "uri": "openpai/standard:1"}],
    "taskRoles": {
        "worker": {
            "instances": 1,
            "dockerImage": "img",
            "resourcePerInstance": {"cpu": 1, "memoryMB": 1024, "gpu": 0},
            "commands": ["echo hello"],
        }
    },
}


@pytest.fixture
def minimal() -> dict[str, Any]:
    """The smallest job that strict mode takes; change it as you like."""
    return copy.deepcopy(_MINIMAL)
