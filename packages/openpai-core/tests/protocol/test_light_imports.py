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
job = Job("a").image("x:1").role("w", "echo hello")
assert Job.from_yaml(job.to_yaml()).problems() == []
after = [name for name in ("jsonschema", "requests") if name in sys.modules]
print(before, after)
"""


def test_job_needs_pyyaml_alone():
    """Importing ``Job`` is light, and building and reading one needs PyYAML alone."""
    code = CHECK.format(heavy=HEAVY)
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stdout.strip() == "[] []"
