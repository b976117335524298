"""Entry points are found as importlib.metadata finds them, without importing it."""

import os
import subprocess
import sys
from importlib import metadata

import pytest

from openpai.core.entry_points import entry_points


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder on sys.path with one installed distribution."""
    info = tmp_path / "acme_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[other]\nx = y:z\n\n[acme.things]\none = acme_things:one\n# no = no:no\n"
        "two = acme_things:deep.two [extra]\n"
    )
    (tmp_path / "acme_things.py").write_text("one = 1\nclass deep:\n    two = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_entry_points_of_group_are_loaded(installed):
    """Names map to objects, nested attributes included."""
    found = entry_points("acme.things")
    assert {name: point.load() for name, point in found.items()} == {"one": 1, "two": 2}
    assert found["one"].distribution == "acme-tools"


def test_unknown_group_is_empty(installed):
    """Nobody offers it: no error."""
    assert entry_points("acme.nothing") == {}


def test_entry_points_match_importlib_metadata():
    """For every group of this environment both readers agree."""
    groups = {}
    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            groups.setdefault(point.group, {}).setdefault(point.name, point.value.split("[")[0])
    assert groups
    for group, expected in groups.items():
        found = {name: point.value for name, point in entry_points(group).items()}
        assert found == {name: value.replace(" ", "") for name, value in expected.items()}


@pytest.mark.process
def test_entry_points_do_not_import_importlib_metadata():
    """It would cost more than starting Python does."""
    code = (
        "import sys; from openpai.core.entry_points import entry_points; "
        "entry_points('openpai.storage'); sys.exit('importlib.metadata' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unreadable_folder_is_skipped(tmp_path, monkeypatch):
    """A place on sys.path that this user cannot look into hides nothing else."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    monkeypatch.syspath_prepend(closed / "site")
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)
    try:
        assert entry_points("acme.nothing") == {}
    finally:
        if as_root:
            os.seteuid(0)
        closed.chmod(0o700)
