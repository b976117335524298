"""What importing the package costs and offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import openpai.notebook


def test_public_names_exist():
    """All names of __all__ can be had."""
    for name in openpai.notebook.__all__:
        assert getattr(openpai.notebook, name) is not None


@pytest.mark.process
def test_import_loads_no_heavy_modules():
    """`import openpai.notebook` brings neither Jupyter nor IPython nor requests."""
    script = "import sys, openpai.notebook; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    heavy = {"IPython", "nbformat", "nbclient", "jupyter_client", "ipykernel", "zmq", "requests"}
    heavy |= {"yaml", "jsonschema", "click", "asyncio"}
    assert not heavy.intersection(modules)
