"""Logs of tasks, and many jobs at once."""

from __future__ import annotations

import pytest

from openpai.core.errors import NotFoundError, OpenPaiError
from openpai.core.protocol.command_job import random_letters
from openpai.core.sweeps.parameters import grid, sweep_jobs
from openpai.core.sweeps.results import collect_results


def without_platform(lines):
    """Drop the lines that a platform's own runtime may add."""
    return [line for line in lines if line.startswith(("to ", "line ", "attempt ", "task "))]


def test_logs_selects_stream(finished):
    """stdout, stderr, and both."""
    assert without_platform(finished.logs(stream="stdout")) == ["to stdout"]
    assert without_platform(finished.logs(stream="stderr")) == ["to stderr"]
    assert sorted(without_platform(finished.logs())) == ["to stderr", "to stdout"]


def test_log_lines_names_task(submit, make_job, job_timeout):
    """All tasks are read where none is named."""
    job = make_job("echo task $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX")
    job.document["taskRoles"]["main"]["instances"] = 2
    remote = submit(job=job)
    remote.wait(timeout=job_timeout)
    every = [line for line in remote.log_lines() if line.text.startswith("task ")]
    assert sorted((line.role, line.task_index, line.text) for line in every) == [
        ("main", 0, "task 0"),
        ("main", 1, "task 1"),
    ]
    assert without_platform(remote.logs("main", 1)) == ["task 1"]


def test_logs_follow_running_job(submit):
    """Every line once, from before it begins until it has ended."""
    remote = submit("for i in $(seq 1 30); do echo line $i; sleep 0.1; done")
    lines = without_platform(remote.logs(follow=True))
    assert lines == [f"line {n}" for n in range(1, 31)]
    assert remote.status().ended


def test_logs_follow_retry(submit, make_job):
    """The lines of both attempts come."""
    job = make_job("echo attempt $FC_FRAMEWORK_ATTEMPT_ID", "sleep 1", "exit 3")
    job.document["jobRetryCount"] = 1
    assert without_platform(submit(job=job).logs(follow=True)) == ["attempt 0", "attempt 1"]


def test_logs_tail_reads_last_lines(submit, job_timeout):
    """Of a long log only the end is fetched."""
    remote = submit("for i in $(seq 1 5000); do echo line $i; done")
    remote.wait(timeout=job_timeout)
    assert list(remote.logs(stream="stdout", tail=3)) == ["line 4998", "line 4999", "line 5000"]
    assert len(without_platform(remote.logs(stream="stdout"))) == 5000


def test_logs_are_utf8(submit, job_timeout):
    """Logs are UTF-8."""
    remote = submit("echo 'line ☃ ü 漢字'")
    remote.wait(timeout=job_timeout)
    assert without_platform(remote.logs()) == ["line ☃ ü 漢字"]


def test_logs_of_unknown_task_raises_not_found(finished):
    """With those that are."""
    with pytest.raises(NotFoundError, match="main-0"):
        list(finished.logs("main", 9))


@pytest.fixture(scope="module")
def sweep(cluster, make_job, started, job_timeout):
    """A sweep of three jobs that were submitted, the last two by a second run."""
    job = make_job("exit <% $parameters.n %>")
    job.document["parameters"] = {"n": 0}
    jobs = sweep_jobs(job, grid(n=[0, 1, 2]))
    tag = "conformance_" + random_letters(8)
    first = cluster.submit_all(jobs[:1], tag=tag)
    second = cluster.submit_all(jobs, tag=tag, concurrency=2)
    started.extend(outcome.remote for outcome in second)
    for outcome in second:
        outcome.remote.wait(timeout=job_timeout)
    return jobs, tag, first, second


def test_submit_all_completes_interrupted_sweep(cluster, sweep):
    """What was there is not submitted again."""
    jobs, tag, first, second = sweep
    assert [outcome.status for outcome in first] == ["submitted"]
    assert [outcome.status for outcome in second] == ["existed", "submitted", "submitted"]
    assert cluster.count_jobs(tags=tag) == len(jobs)


def test_sweep_names_jobs_after_parameters(sweep):
    """In letters that PAI accepts."""
    jobs = sweep[0]
    assert [job.name.rpartition("_")[2] for job in jobs] == ["n-0", "n-1", "n-2"]


def test_results_have_parameters_and_exit_codes(cluster, sweep):
    """Parameters, state and the user's own exit code of each."""
    rows = collect_results(cluster, tag=sweep[1])
    assert [(row.parameters["n"], row.exit_code) for row in rows] == [(0, 0), (1, 1), (2, 2)]


def test_stop_all_selects_by_tag(cluster, submit, job_timeout):
    """Only those that have it."""
    tag = "conformance_" + random_letters(8)
    remote = submit("sleep 3000")
    remote.add_tag(tag)
    assert [outcome.name for outcome in cluster.stop_all(tag=tag)] == [remote.name]
    assert remote.wait(timeout=job_timeout).state == "STOPPED"


def test_stop_all_needs_selection(cluster):
    """Neither a prefix nor a tag was given."""
    with pytest.raises(OpenPaiError, match="No jobs are selected"):
        cluster.stop_all()
