"""Zip applications."""

import os
import subprocess
import sys

import pytest

from openpai.core.zipapp import module_files, write_zipapp

MEMBERS = [("program.py", b"def main():\n    print('ran')\n    return 3\n")]


@pytest.mark.process
def test_write_zipapp_runs_main(tmp_path):
    path = tmp_path / "a.pyz"
    assert write_zipapp(path, "program", "program", MEMBERS) == path.stat().st_size
    assert os.access(path, os.X_OK)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "ran\n")


def test_write_zipapp_is_reproducible(tmp_path):
    write_zipapp(tmp_path / "one", "program", "program", MEMBERS)
    write_zipapp(tmp_path / "two", "program", "program", MEMBERS)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_module_files_are_named_below_openpai(tmp_path):
    for name in ("core/a.py", "core/rest/b.json", "core/notes.md", "core/rest/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = dict(module_files(tmp_path / "core", lambda name: name != "rest/c.py"))
    assert found == {
        "openpai/core/a.py": b"core/a.py",
        "openpai/core/rest/b.json": b"core/rest/b.json",
    }
