"""`opai job list`."""

from __future__ import annotations

import pytest


@pytest.mark.process
def test_job_list_as_json_has_fields(opai, job):
    """The JSON of each job holds exactly the keys of docs/cli.md."""
    name = job("true")
    (row,) = opai("job", "list", "--keyword", name, "-o", "json").json
    assert (row["job"], row["tasks"], row["gpus"]) == (f"alice~{name}", 1, 0)


@pytest.mark.process
def test_job_list_is_newest_first(opai, job):
    """Jobs are listed from the newest to the oldest."""
    first, second = job("true", suffix="_a"), job("true", suffix="_b")
    names = [row["name"] for row in opai("job", "list", "-o", "json").json]
    assert set(names[:2]) == {first, second}


@pytest.mark.process
def test_job_list_names_are_accepted_by_status(opai, job):
    """-o name prints what every other command takes: USER~NAME."""
    name = job("true")
    opai("job", "wait", name)
    listed = opai("job", "list", "--keyword", name, "-o", "name").stdout
    assert listed == f"alice~{name}\n"
    assert opai("job", "status", listed.strip()).exit_code == 0


@pytest.mark.process
def test_job_list_in_pipe_is_plain(opai, job):
    """What is piped is plain: aligned columns, ISO times, nothing left out."""
    name = job("true")
    opai("job", "wait", name)
    header, row = opai("job", "list", "--keyword", name).stdout.splitlines()
    assert header.split() == ["NAME", "STATE", "SUBMITTED", "DURATION", "TASKS", "GPUS", "VC"]
    assert row.split()[:2] == [name, "SUCCEEDED"]
    assert row.split()[2].endswith("Z")


@pytest.mark.process
def test_job_list_filters_by_state(opai, job):
    """--state keeps the jobs in that state, in any spelling of it."""
    name = job("exit 3")
    opai("job", "wait", name)
    assert name in opai("job", "list", "--state", "failed").stdout
    assert name not in opai("job", "list", "--state", "SUCCEEDED").stdout


@pytest.mark.process
def test_job_list_limits_rows(opai, job):
    """--limit N lists at most N; 0 lists all."""
    job("true", suffix="_a")
    job("true", suffix="_b")
    assert len(opai("job", "list", "--limit", 1, "-o", "json").json) == 1
    assert len(opai("job", "list", "--limit", 0, "-o", "json").json) >= 2


@pytest.mark.process
def test_job_list_of_other_users(opai, job):
    """--user NAME lists another's jobs, and __all__ (as the old opai) or -A everybody's."""
    name = job("true")
    assert opai("job", "list", "--user", "nobody", "-o", "json").json == []
    assert name in opai("job", "list", "--user", "__all__").stdout
    assert name in opai("job", "list", "-A").stdout


def test_job_list_without_jobs_writes_note(opai, local):
    """Without jobs stdout stays empty and stderr says so."""
    result = opai("job", "list", "--tag", "no-such-tag")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No jobs.\n")
    assert opai("job", "list", "--tag", "no-such-tag", "-o", "json").json == []


def test_job_list_refuses_unknown_state(opai, local):
    """A state that does not exist ends with 2 and the states that do."""
    result = opai("job", "list", "--state", "DONE")
    assert result.exit_code == 2
    assert "SUCCEEDED" in result.stderr
