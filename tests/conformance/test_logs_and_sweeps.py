"""Logs of tasks, and many jobs at once."""

from __future__ import annotations

import pytest

from openpai.core.command_job import random_letters
from openpai.core.errors import NotFoundError, OpenPaiError
from openpai.core.results import results
from openpai.core.sweep import grid, sweep_jobs


def without_platform(lines):
    """Drop the lines that a platform's own runtime may add."""
    return [line for line in lines if line.startswith(("to ", "line ", "attempt ", "task "))]


def test_streams_are_apart_and_together(finished):
    """stdout, stderr, and both."""
    assert without_platform(finished.logs(stream="stdout")) == ["to stdout"]
    assert without_platform(finished.logs(stream="stderr")) == ["to stderr"]
    assert sorted(without_platform(finished.logs())) == ["to stderr", "to stdout"]


def test_lines_know_their_task(submit, make_job, patience):
    """All tasks are read where none is named."""
    job = make_job("echo task $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX")
    job.document["taskRoles"]["main"]["instances"] = 2
    remote = submit(job=job)
    remote.wait(timeout=patience)
    every = [line for line in remote.log_lines() if line.text.startswith("task ")]
    assert sorted((line.role, line.task_index, line.text) for line in every) == [
        ("main", 0, "task 0"),
        ("main", 1, "task 1"),
    ]
    assert without_platform(remote.logs("main", 1)) == ["task 1"]


def test_a_running_job_is_followed_to_its_end(submit):
    """Every line once, from before it begins until it has ended."""
    remote = submit("for i in $(seq 1 30); do echo line $i; sleep 0.1; done")
    lines = without_platform(remote.logs(follow=True))
    assert lines == [f"line {n}" for n in range(1, 31)]
    assert remote.status().ended


def test_a_retry_is_followed(submit, make_job):
    """The lines of both attempts come."""
    job = make_job("echo attempt $FC_FRAMEWORK_ATTEMPT_ID", "sleep 1", "exit 3")
    job.document["jobRetryCount"] = 1
    assert without_platform(submit(job=job).logs(follow=True)) == ["attempt 0", "attempt 1"]


def test_the_last_lines_are_read(submit, patience):
    """Of a long log only the end is fetched."""
    remote = submit("for i in $(seq 1 5000); do echo line $i; done")
    remote.wait(timeout=patience)
    assert list(remote.logs(stream="stdout", tail=3)) == ["line 4998", "line 4999", "line 5000"]
    assert len(without_platform(remote.logs(stream="stdout"))) == 5000


def test_letters_of_all_scripts_arrive(submit, patience):
    """Logs are UTF-8."""
    remote = submit("echo 'line ☃ ü 漢字'")
    remote.wait(timeout=patience)
    assert without_platform(remote.logs()) == ["line ☃ ü 漢字"]


def test_a_task_that_is_not_there_is_told(finished):
    """With those that are."""
    with pytest.raises(NotFoundError, match="main-0"):
        list(finished.logs("main", 9))


@pytest.fixture(scope="module")
def sweep(cluster, make_job, started, patience):
    """A sweep of three jobs that were submitted, the last two by a second run."""
    job = make_job("exit <% $parameters.n %>")
    job.document["parameters"] = {"n": 0}
    jobs = sweep_jobs(job, grid(n=[0, 1, 2]))
    tag = "conformance_" + random_letters(8)
    first = cluster.submit_all(jobs[:1], tag=tag)
    second = cluster.submit_all(jobs, tag=tag, concurrency=2)
    started.extend(outcome.remote for outcome in second)
    for outcome in second:
        outcome.remote.wait(timeout=patience)
    return jobs, tag, first, second


def test_a_sweep_that_was_broken_off_is_completed(cluster, sweep):
    """What was there is not submitted again."""
    jobs, tag, first, second = sweep
    assert [outcome.status for outcome in first] == ["submitted"]
    assert [outcome.status for outcome in second] == ["existed", "submitted", "submitted"]
    assert cluster.count_jobs(tags=tag) == len(jobs)


def test_names_tell_the_parameters(sweep):
    """In letters that PAI accepts."""
    jobs = sweep[0]
    assert [job.name.rpartition("_")[2] for job in jobs] == ["n-0", "n-1", "n-2"]


def test_results_are_told(cluster, sweep):
    """Parameters, state and the user's own exit code of each."""
    rows = results(cluster, tag=sweep[1])
    assert [(row.parameters["n"], row.exit_code) for row in rows] == [(0, 0), (1, 1), (2, 2)]


def test_jobs_are_stopped_by_tag(cluster, submit, patience):
    """Only those that have it."""
    tag = "conformance_" + random_letters(8)
    remote = submit("sleep 3000")
    remote.add_tag(tag)
    assert [outcome.name for outcome in cluster.stop_all(tag=tag)] == [remote.name]
    assert remote.wait(timeout=patience).state == "STOPPED"


def test_stopping_everything_by_accident_is_refused(cluster):
    """Neither a prefix nor a tag was given."""
    with pytest.raises(OpenPaiError, match="Which jobs"):
        cluster.stop_all()
