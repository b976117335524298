"""`opai job list`."""

from __future__ import annotations

import pytest


@pytest.mark.process
def test_a_job_has_the_documented_fields(opai, job):
    """The JSON of each job holds exactly the keys of docs/cli.md."""
    name = job("true")
    (row,) = opai("job", "list", "--keyword", name, "-o", "json").json
    assert (row["job"], row["tasks"], row["gpus"]) == (f"alice~{name}", 1, 0)


@pytest.mark.process
def test_the_newest_job_is_first(opai, job):
    """Jobs are listed from the newest to the oldest."""
    first, second = job("true", suffix="_a"), job("true", suffix="_b")
    names = [row["name"] for row in opai("job", "list", "-o", "json").json]
    assert set(names[:2]) == {first, second}


@pytest.mark.process
def test_names_can_be_piped_to_other_commands(opai, job):
    """-o name prints what every other command takes: USER~NAME."""
    name = job("true")
    opai("job", "wait", name)
    listed = opai("job", "list", "--keyword", name, "-o", "name").stdout
    assert listed == f"alice~{name}\n"
    assert opai("job", "status", listed.strip()).exit_code == 0


@pytest.mark.process
def test_a_table_has_no_colour_and_exact_times_in_a_pipe(opai, job):
    """What is piped is plain: aligned columns, ISO times, nothing left out."""
    name = job("true")
    opai("job", "wait", name)
    header, row = opai("job", "list", "--keyword", name).stdout.splitlines()
    assert header.split() == ["NAME", "STATE", "SUBMITTED", "DURATION", "TASKS", "GPUS", "VC"]
    assert row.split()[:2] == [name, "SUCCEEDED"]
    assert row.split()[2].endswith("Z")


@pytest.mark.process
def test_states_filter_the_list(opai, job):
    """--state keeps the jobs in that state, in any spelling of it."""
    name = job("exit 3")
    opai("job", "wait", name)
    assert name in opai("job", "list", "--state", "failed").stdout
    assert name not in opai("job", "list", "--state", "SUCCEEDED").stdout


@pytest.mark.process
def test_the_limit_is_kept(opai, job):
    """--limit N lists at most N; 0 lists all."""
    job("true", suffix="_a")
    job("true", suffix="_b")
    assert len(opai("job", "list", "--limit", 1, "-o", "json").json) == 1
    assert len(opai("job", "list", "--limit", 0, "-o", "json").json) >= 2


@pytest.mark.process
def test_other_users_jobs_are_asked_for(opai, job):
    """--user NAME lists another's jobs, and __all__ (as the old opai) or -A everybody's."""
    name = job("true")
    assert opai("job", "list", "--user", "nobody", "-o", "json").json == []
    assert name in opai("job", "list", "--user", "__all__").stdout
    assert name in opai("job", "list", "-A").stdout


def test_an_empty_list_says_so_to_people_only(opai, local):
    """Without jobs stdout stays empty and stderr tells."""
    result = opai("job", "list", "--tag", "no-such-tag")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No jobs.\n")
    assert opai("job", "list", "--tag", "no-such-tag", "-o", "json").json == []


def test_an_unknown_state_is_a_usage_error(opai, local):
    """A state that does not exist ends with 2 and the states that do."""
    result = opai("job", "list", "--state", "DONE")
    assert result.exit_code == 2
    assert "SUCCEEDED" in result.stderr
