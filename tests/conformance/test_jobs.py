"""Jobs: submitted, listed, waited for, stopped, read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from openpai.core import Job
from openpai.core.errors import (
    ApiError,
    ConflictError,
    JobNotFoundError,
    NotFoundError,
    ProtocolError,
    WaitTimeout,
)
from openpai.core.rest import history as rest_history, jobs

STATES = ("WAITING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "UNKNOWN")


def test_submitted_job_is_readable_at_once(submit, cluster):
    """202 means recorded; what comes later may be missing yet."""
    detail = submit().status()
    assert detail.username == cluster.user
    assert detail.state in STATES
    assert detail.attempt_id in (None, 0)
    assert abs(detail.submission_time - datetime.now(timezone.utc)) < timedelta(days=1)


def test_submit_refuses_used_name(submit, make_job):
    """By the same job, too."""
    job = make_job()
    submit(job=job)
    with pytest.raises(ConflictError):
        submit(job=job)


def test_generated_names_are_unique(make_job):
    """Names are single-use and the server's check races."""
    assert len({make_job().name for _ in range(200)}) == 200


def test_submit_refuses_invalid_job(submit, make_job):
    """Refused submissions use up the hour's quota, too."""
    job = make_job()
    del job.document["taskRoles"]["main"]["commands"]
    with pytest.raises(ProtocolError) as caught:
        submit(job=job)
    assert caught.value.problems


def test_submit_refuses_large_job(submit):
    """100 KiB is the most."""
    with pytest.raises(ProtocolError, match="100 KiB"):
        submit("echo " + "x" * 102_400)


def test_submit_reports_refusal_of_server(submit, make_job):
    """A storage that nobody granted."""
    job = make_job()
    job.document["extras"] = {"storages": [{"name": "conformance-no-such-storage"}]}
    with pytest.raises(ApiError):
        submit(job=job)


def test_config_returns_submitted_job(submit, make_job):
    """Numbers stay numbers and texts stay texts."""
    job = make_job("echo <% $parameters.rate %>")
    job.document["parameters"] = {"rate": 0.1, "text": "1e-4", "yes": "yes", "n": 12}
    assert submit(job=job).config().document == job.document


def test_config_masks_secrets(submit, make_job):
    """Everybody may read the config, so the server masks them on the text's layout."""
    job = make_job("true")
    job.document["secrets"] = {"key": "a-secret-of-this-test"}
    config = submit(job=job).config()
    assert "a-secret-of-this-test" not in str(config.document)
    assert config.document["secrets"] == "******"


def test_submit_refuses_masked_secrets(submit, make_job):
    """New ones are needed."""
    job = make_job("true")
    job.document["secrets"] = {"key": "a-secret-of-this-test"}
    again = submit(job=job).config().renamed(make_job().name)
    with pytest.raises(ProtocolError):
        submit(job=again)


def test_succeeded_job_has_exit_code_and_times(finished):
    """Code 0, and times in their order."""
    detail = finished.status()
    assert (detail.state, detail.exit_code, detail.ended) == ("SUCCEEDED", 0, True)
    assert detail.submission_time <= detail.launched_time + timedelta(seconds=1)
    assert detail.launched_time <= detail.completed_time


def test_failed_job_keeps_exit_code(failed):
    """PAI replaces it by one of its table, and keeps it."""
    assert failed.exit_code() == 3
    assert failed.status().app_exit_spec["code"] != 0


def test_explain_describes_failed_job(failed):
    """With code, advice and the last line of its log."""
    reported = failed.explain()
    assert "exit code 3" in reported.summary
    assert "about to fail" in str(reported)


def test_wait_times_out(submit):
    """The job keeps running."""
    remote = submit("sleep 300")
    with pytest.raises(WaitTimeout):
        remote.wait(timeout=0.5)
    assert not remote.status().ended
    remote.stop()


def test_stop_ends_job(submit, job_timeout):
    """Asynchronously; asking twice is harmless."""
    remote = submit("sleep 3000")
    remote.stop()
    remote.stop()
    detail = remote.wait(timeout=job_timeout)
    assert (detail.state, detail.execution_type) == ("STOPPED", "STOP")


def test_stop_of_ended_job_changes_nothing(finished):
    """The server may answer 500."""
    finished.stop()
    assert finished.state() == "SUCCEEDED"


def test_wait_includes_retries(submit, make_job, job_timeout):
    """Leaving RUNNING is not the end."""
    job = make_job("exit 3")
    job.document["jobRetryCount"] = 1
    remote = submit(job=job)
    detail = remote.wait(timeout=job_timeout)
    assert (detail.state, detail.retries) == ("FAILED", 1)
    assert [attempt.attempt_id for attempt in remote.attempts()] == [0, 1]


def test_unknown_job_raises_not_found(cluster):
    """Whatever is asked of it."""
    remote = cluster.job("conformance_never_submitted")
    for ask in (remote.status, remote.config, remote.events, remote.stop):
        with pytest.raises(JobNotFoundError):
            ask()


def test_unknown_attempt_raises_not_found(finished):
    """There was one."""
    with pytest.raises(JobNotFoundError):
        finished.status(attempt=99)


def test_attempts_agree_with_status(cluster, finished):
    """Two calls tell of the same attempt, where the cluster keeps a history."""
    if not rest_history.has_history(cluster.session, finished.key):
        pytest.skip("this cluster keeps no history")
    found = rest_history.list_attempts(cluster.session, finished.key)
    assert [attempt.index for attempt in found] == [0]
    assert found[0].exit_code == 0


def test_get_job_accepts_debug_id(cluster, finished):
    """As admins know it."""
    assert jobs.get_job(cluster.session, finished.status().debug_id).key == finished.key


def test_tasks_have_host_and_ports(finished):
    """Ssh and http are always among the ports."""
    ((role, task),) = finished.tasks()
    assert (role, task.index, task.state) == ("main", 0, "SUCCEEDED")
    assert task.container_ip
    assert len(task.ports("ssh")) == len(task.ports("http")) == 1
    assert finished.task("main").attempts[-1].container_exit_code == 0


def test_logs_accept_original_role_name(cluster, make_job, started, job_timeout):
    """The server folds names to lower case, letters and digits."""
    remote = cluster.submit(make_job("echo hello", role="My_Worker"), strict=False)
    started.append(remote)
    remote.wait(timeout=job_timeout)
    assert [role for role, _ in remote.tasks()] == ["myworker"]
    assert "hello" in list(remote.logs("My_Worker"))


def test_events_have_times(finished):
    """Texts on the wire, unlike all other times."""
    for event in finished.events():
        assert event.type in ("Normal", "Warning")
        assert event.last_time is None or event.last_time.tzinfo is not None


def test_tags_are_added_and_deleted(finished):
    """Adding one twice is fine, removing one that does not exist is reported."""
    finished.add_tag("conformance tag")
    finished.add_tag("conformance tag")
    assert finished.status().tags.count("conformance tag") == 1
    finished.delete_tag("conformance tag")
    with pytest.raises(NotFoundError):
        finished.delete_tag("conformance tag")


def test_jobs_filters_match(cluster, finished):
    """Whatever the filter."""
    for filters in (
        {"keyword": finished.name},
        {"keyword": finished.name, "user": cluster.user, "state": "SUCCEEDED"},
        {"keyword": finished.name, "state": ["SUCCEEDED", "FAILED"], "limit": 5},
        {"keyword": finished.name, "order": "jobName,ASC"},
    ):
        assert [job.name for job in cluster.jobs(**filters)] == [finished.name]
    assert cluster.count_jobs(keyword=finished.name) == 1


def test_jobs_filters_exclude(cluster, finished):
    """An unknown state or user is not an error and matches nothing."""
    assert list(cluster.jobs(keyword=finished.name, state="RUNNING")) == []
    assert list(cluster.jobs(keyword=finished.name, user="conformance-nobody")) == []
    assert list(cluster.jobs(tags="conformance no such tag")) == []


def test_jobs_has_no_duplicates(cluster):
    """Pages overlap on the wire."""
    ids = [job.debug_id for job in cluster.jobs(limit=300)]
    assert len(ids) == len(set(ids)) <= 300


def test_status_is_immutable_and_keeps_raw_answer(finished):
    """The server's own object is at hand."""
    detail = finished.status()
    with pytest.raises(AttributeError):
        detail.state = "SUCCEEDED"
    assert detail.raw["jobStatus"]["state"] == detail.state


def test_config_resubmits_under_other_name(submit, finished, make_job):
    """Cloning is reading, renaming and submitting."""
    config = finished.config()
    assert isinstance(config, Job)
    clone = submit(job=config.renamed(make_job().name))
    assert clone.name != finished.name
    clone.stop()
