"""What the documents show does what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
GUIDE = README.parent.parent.parent / "docs" / "runtime.md"


@pytest.mark.process
def test_readme_example_prints_shown_output(tmp_path: Path) -> None:
    """The job file and the output are in the README."""
    block = re.search(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    assert block
    text = block.group(1)
    job = re.search(r"<<'END'\n(.*?)END\n", text, re.DOTALL)
    shown = re.search(r"execute job.yaml; echo \$\?\n(.*)", text, re.DOTALL)
    assert job
    assert shown
    (tmp_path / "job.yaml").write_text(job.group(1))
    (tmp_path / "team").mkdir()
    environ = {"PATH": os.environ["PATH"], "OPENPAI_STORAGES": f'{{"team": "{tmp_path}/team"}}'}
    done = subprocess.run(
        [sys.executable, "-m", "openpai.runtime", "execute", "job.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=environ,
        check=False,
    )
    printed = re.sub(r"after \d+\.\d s", "after 0.0 s", done.stdout)
    assert f"{printed}{done.returncode}\n" == shown.group(1)


@pytest.mark.process
def test_guide_python_example_runs(tmp_path: Path) -> None:
    """It is a whole program."""
    if not GUIDE.exists():
        pytest.skip("the guide is in the repository only")
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "training\n", "")


def test_guide_documents_keys_and_events() -> None:
    """What the schema knows is documented."""
    if not GUIDE.exists():
        pytest.skip("the guide is in the repository only")
    from openpai.core.protocol.runtime_parts import EVENTS
    from openpai.core.protocol.runtime_section import section_schema

    text = GUIDE.read_text()
    for word in (*EVENTS, *section_schema()["properties"]):
        assert f"| `{word}` |" in text, word


def test_guide_table_names_existing_tests() -> None:
    """The table has 25 rows, and the tests that it names are there."""
    if not GUIDE.exists():
        pytest.skip("the guide is in the repository only")
    table = GUIDE.read_text().partition("| held by |")[2]
    rows = re.findall(r"^\| (\d+) \| .* \| ([^|]*) \|$", table, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 26))
    root = GUIDE.parent.parent
    folders = [*root.glob("packages/*/tests"), root / "tests"]
    tests = ((folder, path) for folder in folders for path in folder.rglob("test_*.py"))
    there = {path.relative_to(folder).with_suffix("").as_posix() for folder, path in tests}
    for _, names in rows:
        assert names
        assert set(re.findall(r"`([\w/]+)`", names)) <= there
