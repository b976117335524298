"""What may be imported before it is needed. Named modules, not milliseconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "http.client",
    "importlib.metadata",
    "jsonschema",
    "logging",
    "openpai.core.client.cluster",
    "openpai.core.protocol.job",
    "requests",
    "rich",
    "sqlite3",
    "ssl",
    "tarfile",
    "tempfile",
    "traceback",
    "urllib.request",
    "urllib3",
    "werkzeug",
    "yaml",
    "zipfile",
}


def imported(*arguments: str) -> set[str]:
    """Run `opai` in a fresh interpreter and return the modules that it had imported at its end."""
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + ' '.join(sys.modules)))\n"
        f"sys.argv = ['opai', *{list(arguments)!r}]\n"
        "from openpai.cli.main import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_version_imports_no_click():
    """`opai --version` does not even import click."""
    assert imported("--version") & (HEAVY | {"click", "typing", "re"}) == set()


@pytest.mark.parametrize(
    "line",
    [
        ("--help",),
        ("job", "--help"),
        ("job", "sub", "--help"),
        ("job", "list", "--help"),
        ("cluster", "--help"),
    ],
    ids=" ".join,
)
def test_help_imports_no_heavy_modules(line):
    """No help page imports a heavy module."""
    assert imported(*line) & HEAVY == set()
