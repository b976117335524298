"""What all tests of core share."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> dict:
    """Exchanges with a real rest-server v1.8: name → {"request": …, "response": …}."""
    data = Path(__file__).resolve().parent / "data" / "recordings.json.gz"
    return {item["name"]: item for item in json.loads(gzip.decompress(data.read_bytes()))}
