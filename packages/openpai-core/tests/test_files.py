"""Atomic writes and locks."""

import os
import stat
import subprocess
import sys

import pytest

from openpai.core.files import file_lock, is_locked, lock_handle, write_file, write_private


def test_write_private_is_readable_by_its_owner_only(tmp_path):
    write_private(tmp_path / "token", "secret")
    assert (tmp_path / "token").read_text() == "secret"
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_write_file_keeps_the_mode_of_the_file_it_replaces(tmp_path):
    path = tmp_path / "x"
    write_file(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o640)
    write_file(str(path), "zwei ä")
    assert path.read_bytes() == "zwei ä".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "x"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert path.read_text() == "old"


@pytest.mark.process
def test_file_lock_keeps_another_process_out(tmp_path):
    path = tmp_path / "lock"
    attempt = (
        "import sys; from openpai.core.files import file_lock\n"
        "with file_lock(sys.argv[1], wait=False): print('locked')"
    )
    with file_lock(path):
        done = subprocess.run(
            [sys.executable, "-c", attempt, path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "BlockingIOError" in done.stderr
    done = subprocess.run([sys.executable, "-c", attempt, path], capture_output=True, check=True)
    assert done.stdout == b"locked\n"


def test_lock_handle_is_seen_until_the_file_is_closed(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    assert lock_handle(handle, timeout=0)
    assert is_locked(path)
    other = os.open(path, os.O_RDWR)
    assert not lock_handle(other, timeout=0)
    os.close(handle)
    os.close(other)
    assert not is_locked(path)
