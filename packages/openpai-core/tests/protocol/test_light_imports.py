"""The protocol costs little to import, and less to leave alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

HEAVY = ("yaml", "jsonschema", "requests", "asyncio", "dataclasses", "difflib", "pathlib")

CHECK = """
import sys
from openpai.core.protocol.job import Job
before = [name for name in {heavy!r} if name in sys.modules]
job = Job.from_yaml(Job("a").image("x:1").role("w", "echo hello").to_yaml())
read = [name for name in ("jsonschema", "requests") if name in sys.modules]
assert job.problems() == []
slow = [name for name in ("rfc3987_syntax", "isoduration", "requests") if name in sys.modules]
print(before, read, slow)
"""


def test_job_imports_what_it_uses():
    """``Job`` imports nothing heavy, reading PyYAML, validation jsonschema without its formats."""
    code = CHECK.format(heavy=HEAVY)
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stdout.strip() == "[] [] []"
