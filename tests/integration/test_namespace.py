"""One namespace, five distributions, dependencies that point downward only."""

from __future__ import annotations

import importlib
import subprocess


def test_distributions_share_one_namespace(root):
    """No distribution hides another by an __init__.py in the namespace itself."""
    for name in ("core", "storage", "runtime", "notebook", "cli"):
        assert importlib.import_module(f"openpai.{name}")
    assert not list(root.glob("packages/*/src/openpai/__init__.py"))


def test_import_contracts_catch_breach(root, tmp_path):
    """A planted breach is caught: the contracts are not decoration."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(root / "packages"), str(copy)], check=True)
    planted = copy / "openpai-storage" / "src" / "openpai" / "storage" / "breach.py"
    planted.write_text("import openpai.cli\n")
    paths = [str(path) for path in sorted(copy.glob("*/src"))]
    import os

    result = subprocess.run(
        ["lint-imports", "--config", str(root / ".importlinter"), "--no-cache"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode != 0
    assert "openpai.storage.breach" in result.stdout
