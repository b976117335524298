"""Importing the core costs almost nothing, and its names are what it says."""

import subprocess
import sys

import pytest

HEAVY = ("requests", "yaml", "jsonschema", "werkzeug", "sqlite3", "asyncio", "importlib.metadata")


@pytest.mark.process
@pytest.mark.parametrize(
    "statement",
    ["import openpai.core", "from openpai.core import errors, in_job_container, TaskContext"],
)
def test_import_of_core_is_light(statement):
    """Services that embed it start as fast as before."""
    code = f"{statement}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_public_names_exist():
    """__all__ is true."""
    import openpai.core

    for name in openpai.core.__all__:
        assert getattr(openpai.core, name) is not None
    assert dir(openpai.core) == sorted(openpai.core.__all__)


def test_unknown_name_raises_attribute_error():
    """As for any module."""
    import openpai.core

    with pytest.raises(AttributeError, match="Clusterr"):
        openpai.core.Clusterr  # noqa: B018
