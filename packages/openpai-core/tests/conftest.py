"""What all tests of core share."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from support.gate import Gate, Steps


@pytest.fixture(scope="session")
def recordings() -> dict:
    """Exchanges with a real rest-server v1.8: name → {"request": …, "response": …}."""
    data = Path(__file__).resolve().parent / "data" / "recordings.json.gz"
    return {item["name"]: item for item in json.loads(gzip.decompress(data.read_bytes()))}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A closed gate for a job."""
    return Gate(tmp_path / "gate")


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """Steps for a job's loop."""
    return Steps(tmp_path / "steps")
