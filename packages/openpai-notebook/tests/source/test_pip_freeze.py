"""The packages of an environment as requirements."""

from __future__ import annotations

import json
import re
import sys

import pytest

from openpai.notebook.source.pip_freeze import freeze, with_frozen


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Make an environment of packages that are described as installers describe them."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    def install(name: str, version: str, origin: dict | None = None, by: str = "pip") -> None:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (folder / "INSTALLER").write_text(f"{by}\n")
        if origin is not None:
            (folder / "direct_url.json").write_text(json.dumps(origin))

    return install


def test_freeze_pins_packages(install, tmp_path):
    """What came from an index is pinned; installers, and broken installations, are left out."""
    install("numpy", "2.1.0")
    install("Pillow", "11.0")
    install("pip", "24.0")
    install("broken", "1.0")
    (tmp_path / "broken-1.0.dist-info" / "METADATA").write_text("")
    assert freeze() == (["numpy==2.1.0", "Pillow==11.0"], [])


def test_with_frozen_keeps_named_packages(install):
    """What is asked for by name is not pinned a second time, however it is spelt."""
    install("scikit-learn", "1.5")
    install("numpy", "2.1.0")
    wanted = ["Scikit_Learn>=1.6", "pandas"]
    assert with_frozen(wanted).requirements == [*wanted, "numpy==2.1.0"]


def test_freeze_leaves_out_local_packages(install):
    """Editable and local packages exist nowhere else; each gets a sentence."""
    install("mine", "0.1", {"url": "file:///home/me/mine", "dir_info": {"editable": True}})
    install("wheel_here", "2.0", {"url": "file:///home/me/w.whl", "archive_info": {}})
    install("numpy", "2.1.0", {"url": "file:///croot/numpy/work", "dir_info": {}}, by="conda")
    found = freeze()
    assert found.requirements == ["numpy==2.1.0"]
    assert found.left_out == [
        "mine 0.1 (editable) is left out; give its code by --src.",
        "wheel_here 2.0 (from this machine) is left out; give its code by --src.",
    ]


def test_freeze_keeps_origin_of_packages(install):
    """A commit and a file of the web are pinned as such; a private build by its public version."""
    commit = {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "12ab"}}
    install("a", "1", commit)
    install("b", "1", {"url": "https://example.org/b.whl", "archive_info": {}})
    install("torch", "2.5.1+cu124")
    found = freeze()
    assert found.requirements == [
        "a @ git+https://example.org/a.git@12ab",
        "b @ https://example.org/b.whl",
        "torch==2.5.1",
    ]
    assert found.left_out == [
        "torch 2.5.1+cu124 becomes 2.5.1, the version that everybody can get."
    ]


@pytest.mark.process
def test_freeze_agrees_with_pip():
    """What pip itself would freeze is what is frozen, the packages of this machine aside."""
    import subprocess
    from importlib.util import find_spec

    pip = ["pip"] if find_spec("pip") else ["uv", "pip"]
    if not find_spec(pip[0]):
        pytest.skip("this environment has neither pip nor uv")
    words = [sys.executable, "-m", *pip, "freeze", "--exclude-editable"]
    reported = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    expected = [line for line in reported.splitlines() if not re.search("file:|[+]|^openpai", line)]
    assert expected

    def normal(line: str) -> str:
        name, separator, version = line.partition("==")
        return re.sub(r"[-_.]+", "-", name).lower() + separator + version

    assert {normal(line) for line in expected} <= {normal(line) for line in freeze().requirements}
