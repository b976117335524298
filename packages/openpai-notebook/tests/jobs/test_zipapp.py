"""The archive that travels with a notebook's job."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openpai.notebook.jobs.zipapp import write_bundle

pytestmark = pytest.mark.process


@pytest.fixture
def bundle(tmp_path):
    """Write a bundle and return its path."""
    path = tmp_path / "bundle.pyz"
    write_bundle(path)
    return path


def older_pythons():
    """Return interpreters of this machine that job images still have, by version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for version in ("3.8", "3.9"):
        places = [*sorted(pyenv.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")]
        found[version] = next(filter(None, places), None)
    return found


def test_write_bundle_is_reproducible(bundle, tmp_path):
    """Two bundles of one version are one file, so that code is sent once."""
    write_bundle(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == bundle.read_bytes()


def test_bundle_runs_without_openpai(bundle, make_notebook):
    """The bundle runs a notebook as a script in a Python that has nothing installed."""
    path = make_notebook(
        "from openpai.notebook import record, submit_notebook\nrecord('x', n)", "print(n)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(bundle), str(path), "--script", "--parameters", "-"],
        input="json n 7\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "7\n")
    assert path.with_suffix(".results.jsonl").read_text() == '{"x": 7}\n'


@pytest.mark.parametrize("version", ["3.8", "3.9"])
def test_bundle_runs_on_older_python(bundle, make_notebook, version):
    """Images are older than the submitter's machine; the bundle runs there too."""
    python = older_pythons()[version]
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    path = make_notebook("!echo {n}", "%matplotlib inline", "print(n)")
    done = subprocess.run(
        [str(python), "-S", str(bundle), str(path), "--script", "--parameters", "-"],
        input="float n 1\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1.0\n1.0\n")


def test_bundle_without_nbclient_explains(bundle, make_notebook):
    """Without nbclient the error says what to do, and the notebook stays as it was."""
    path = make_notebook("1")
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-S", str(bundle), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "requirements 'nbclient' and 'ipykernel'" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_bundle_is_importable_in_kernel(bundle, make_notebook, outputs):
    """In a kernel whose Python lacks openpai-notebook, `record` works all the same."""
    path = make_notebook(
        "import sys; sys.path[:] = [p for p in sys.path if 'packages' not in p or 'site' in p]",
        "sys.path[-1]",
    )
    done = subprocess.run(
        [sys.executable, str(bundle), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert outputs(path)[1][0]["data"]["text/plain"] == [repr(str(bundle))]
