"""Memory limit and kills of control groups."""

import pytest

from openpai.core.cgroups import memory_limit, oom_kills

EVENTS_2 = "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n"
EVENTS_1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"


@pytest.mark.parametrize(
    ("own", "path", "text"),
    [
        ("", "memory.events", EVENTS_2),
        ("", "memory/memory.oom_control", EVENTS_1),
        ("0::/user.slice/x.scope\n", "user.slice/x.scope/memory.events", EVENTS_2),
        ("9:cpu:/a\n8:memory:/a/b\n", "memory/a/b/memory.oom_control", EVENTS_1),
        ("8:memory:/elsewhere\n", "memory/memory.oom_control", EVENTS_1),
    ],
)
def test_oom_kills_reads_own_group_or_root(tmp_path, own, path, text):
    (tmp_path / "own").write_text(own)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    assert oom_kills(tmp_path, tmp_path / "own") == 2


def test_oom_kills_prefers_own_group(tmp_path):
    (tmp_path / "own").write_text("0::/mine\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "memory.events").write_text("oom_kill 1\n")
    (tmp_path / "memory.events").write_text("oom_kill 7\n")
    assert oom_kills(tmp_path, tmp_path / "own") == 1


def test_oom_kills_without_control_groups_is_0(tmp_path):
    assert oom_kills(tmp_path, tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("path", "text", "limit"),
    [
        ("memory.max", "1048576\n", 1048576),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "4096\n", 4096),
    ],
)
def test_memory_limit_is_in_bytes(tmp_path, path, text, limit):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(text)
    assert memory_limit(tmp_path, tmp_path / "none") == limit
