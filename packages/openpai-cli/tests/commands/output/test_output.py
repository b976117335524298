"""`opai output`: what a job saved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def ended():
    """Names of jobs that have ended and that several tests only look at."""
    return []


@pytest.fixture
def saved(opai, local, ended):
    """A job that has saved `a.txt` and `d/b.txt`; its name."""
    if not ended:
        result = opai(
            *("job", "sub", "--image", "img", "--output", "a.txt", "--output", "d", "--wait"),
            "echo a > a.txt; mkdir d; echo bb > d/b.txt",
        )
        assert result.exit_code == 0, result.stderr
        ended.append(result.stdout.strip())
    return ended[0]


def test_output_list_shows_relative_paths(opai, saved):
    """The list names files as `output download` takes them, with the documented fields."""
    rows = opai("output", "list", saved, "-o", "json").json
    assert [(row["path"], row["size"]) for row in rows] == [("a.txt", 2), ("d/b.txt", 3)]


def test_output_download_selected_paths(opai, saved):
    """PATHS are files or folders; --to names where they go."""
    assert opai("output", "download", saved, "d", "--to", "here").exit_code == 0
    assert Path("here/d/b.txt").read_text() == "bb\n"
    assert not Path("here/a.txt").exists()


def test_output_download_keeps_changed_file(opai, saved):
    """What exists and differs is a conflict, unless --overwrite says so; the same again is fine."""
    fetch = ("output", "download", saved, "a.txt", "--to", "here")
    assert [opai(*fetch).exit_code, opai(*fetch).exit_code] == [0, 0]
    Path("here/a.txt").write_text("mine")
    assert opai(*fetch).exit_code == 5
    assert Path("here/a.txt").read_text() == "mine"
    assert opai(*fetch, "--overwrite").exit_code == 0
    assert Path("here/a.txt").read_text() == "a\n"


def test_output_download_unknown_path_exits_4(opai, saved):
    """An unknown path is named and writes nothing."""
    result = opai("output", "download", saved, "nope.txt", "--to", "here")
    assert result.exit_code == 4
    assert "nope.txt" in result.stderr
    assert not Path("here").exists()


@pytest.mark.process
def test_output_download_refuses_parent_path(opai, saved):
    """`..` leads nowhere."""
    result = opai("output", "download", saved, "../../../secret", "--to", "here")
    assert result.exit_code == 1
    assert ".." in result.stderr


@pytest.mark.process
def test_output_list_without_outputs_exits_4(opai, job):
    """A job that was not asked to save anything is 4, with how to ask."""
    name = job("true")
    result = opai("output", "list", name)
    assert result.exit_code == 4
    assert "--output" in result.stderr


@pytest.mark.process
def test_output_list_of_running_job_is_empty(opai, local):
    """While the job runs the list is empty and says that it runs; downloading is 4."""
    result = opai("job", "sub", "--image", "img", "--output", "x", "sleep 600")
    name = result.stdout.strip()
    listed = opai("output", "list", name, "-o", "json")
    assert (listed.exit_code, listed.json) == (0, [])
    assert "yet" in listed.stderr
    assert opai("output", "download", name).exit_code == 4
    opai("job", "stop", name)


def test_output_peek_writes_file(opai, saved):
    """`peek` writes the very bytes of the file; one that does not exist is 4."""
    assert opai("output", "peek", saved, "d/b.txt").stdout == "bb\n"
    missing = opai("output", "peek", saved, "nope.txt")
    assert (missing.exit_code, missing.stdout) == (4, "")


@pytest.mark.process
def test_output_peek_follow_ends_with_job(opai, local):
    """`peek -f` waits for the file, writes each byte once, and ends with the job."""
    job = opai("job", "sub", "--image", "img", "--output", "x", "sleep 600").stdout.strip()
    place = local.folder / "storage/users/alice/jobs" / job.partition("~")[2] / "output"
    command = [sys.executable, "-m", "openpai.cli", "output", "peek", job, "log.txt", "-f"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peek:
        assert peek.stdout is not None
        place.mkdir(parents=True)
        with (place / "log.txt").open("w") as file:
            file.write("one\n")
            file.flush()
            assert peek.stdout.readline() == "one\n"
            file.write("two\n")
        opai("job", "stop", job)
        assert peek.stdout.read() == "two\n"
    assert peek.returncode == 0
