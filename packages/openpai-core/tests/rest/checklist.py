"""What a real rest-server does to its clients, one check a row of the table in docs/rest.md."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from datetime import datetime, timezone

import pytest
from werkzeug import Response

from openpai.core import Cluster, Job
from openpai.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    ServerError,
)
from openpai.core.rest import authn, cluster as rest_cluster, jobs, models, storages, tasks, users
from openpai.core.rest.session import Session

V2 = "/rest-server/api/v2"
CHECKS: dict = {}


def row(behaviour: str):
    """Register the check of one row."""

    def keep(check):
        assert behaviour not in CHECKS
        CHECKS[behaviour] = check
        return check

    return keep


def answers(httpserver, path, *items, method="GET"):
    """Answer each request with the next of these; the last one stays. Return what was asked."""
    left = list(items)

    def answer(_request) -> Response:
        status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
        kind = "text/html" if isinstance(body, str) else "application/json"
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, status, dict(*headers), content_type=kind)

    httpserver.expect_request(re.compile(f".*{path}"), method=method).respond_with_handler(answer)
    return lambda: [r for r, _ in httpserver.log if re.search(path, r.path) and r.method == method]


def a_token(**claims) -> str:
    """A token of the server's form."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.signature"


REFUSED = (401, {"code": "UnauthorizedUserError", "message": "Your token is invalid."})


@row("a fresh token is refused for an instant; any outage of the user store looks like 401")
def _fresh_token(httpserver, clock):
    asked = answers(httpserver, "/tokens/check$", REFUSED, REFUSED, (200, {"username": "alice"}))
    token = a_token(username="alice", iat=time.time(), exp=time.time() + 900)
    logins = answers(httpserver, "/basic/login$", (200, {"token": token}), method="POST")
    cluster = Cluster(httpserver.url_for("/"), user="alice", password="secret", timeout=60)
    assert authn.check_token(cluster.session).username == "alice"
    assert (len(asked()), len(logins())) == (3, 1)  # asked again, before a second login
    httpserver.clear()
    asked = answers(httpserver, "/tokens/check$", REFUSED)
    logins = answers(httpserver, "/basic/login$", (200, {"token": token}), method="POST")
    with pytest.raises(AuthenticationError):
        authn.check_token(cluster.session)
    assert len(logins()) <= 2  # then it fails
    cluster.close()


@row("a login can hang without end")
def _hanging_login(httpserver):
    over = threading.Event()

    def hang(_request):
        over.wait(60)
        return Response("{}")

    httpserver.expect_request(f"{V2}/authn/basic/login").respond_with_handler(hang)
    session = Session(httpserver.url_for("/"), timeout=0.2)
    with pytest.raises(ConnectionFailed, match="no answer in time"):
        authn.basic_login(session, "alice", "secret")
    over.set()
    session.close()


@row("a token's life is the server's choice; application tokens have no end, and can be revoked")
def _token_life(local):
    session = Session(local.uri)
    session.renew(authn.basic_login(session, local.user, local.password).token)
    users.create_user(session, "shortlived", "a-password")  # tokens of one second are the same
    session.renew(authn.basic_login(session, "shortlived", "a-password").token)
    end = authn.TokenClaims.from_token(session.token).expires_at
    assert end > datetime.now(timezone.utc)
    token = authn.create_application_token(session)
    assert authn.TokenClaims.from_token(token).expires_at is None
    authn.revoke_token(session, token)
    with pytest.raises(AuthenticationError):
        authn.check_token(Session(local.uri, token=token))
    session.close()


@row("202 means recorded; a job can fail minutes later without having run")
def _recorded(cluster, make_job, httpserver):
    assert cluster.submit(make_job()).status().name
    waiting = {"name": "j", "jobStatus": {"state": "WAITING"}, "taskRoles": {}}
    failed = {"name": "j", "jobStatus": {"state": "FAILED", "appExitCode": -1100}}
    answers(httpserver, "/jobs/a~j$", (200, waiting), (200, waiting), (200, failed))
    detail = Cluster(httpserver.url_for("/"), user="a", token="t").job("j").wait(poll=0.01)
    assert (detail.state, detail.exit_code, list(detail.tasks())) == ("FAILED", -1100, [])


@row("an answer to POST is lost, or 5xx: the job may exist, and 409 may be our own first try")
def _lost_answer(through_proxy, proxy, make_job, clock):
    job = make_job()
    proxy.fail("POST", "/jobs$", "lose")
    proxy.fail("GET", "/config$", "instead", status=404, body=b'{"code": "NoJobError"}')
    through_proxy.submit(job)
    proxy.fail("POST", "/jobs$", "answer", status=502)
    through_proxy.submit(make_job())
    keyword = {"username": through_proxy.user, "keyword": job.name}
    assert jobs.count_jobs(through_proxy.session, **keyword) == 1


@row("names are single-use, and the check for conflicts races")
def _single_use(cluster, make_job, through_proxy, proxy, clock):
    job = make_job("true")
    cluster.submit(job)
    with pytest.raises(ConflictError):
        cluster.submit(make_job("false", name=job.name))
    other = make_job("false", name=make_job().name)
    stored = json.dumps(make_job("true", name=other.name).to_dict()).encode()
    proxy.fail("GET", "/config$", "instead", status=200, body=stored)
    with pytest.raises(ConflictError, match="in the same moment"):
        through_proxy.submit(other)  # accepted, and another one's job is there


@row("a refused submission counts against the limit")
def _refused_counts(through_proxy, proxy, make_job, clock):
    before = proxy.count("POST", "/jobs$")
    broken = make_job()
    broken.document["taskRoles"]["main"]["dockerImage"] = "nowhere"
    with pytest.raises(ProtocolError):
        through_proxy.submit(broken)
    assert proxy.count("POST", "/jobs$") == before
    soon = {"X-RateLimit-Reset": str(int(time.time()) + 1), "Retry-After": "3600"}
    proxy.fail("POST", "/jobs$", "instead", status=429, body=b"Too many", headers=soon)
    through_proxy.submit(make_job())  # waited for a second, not for an hour
    late = {"X-RateLimit-Reset": str(int(time.time()) + 3000), "Retry-After": "3600"}
    proxy.fail("POST", "/jobs$", "instead", status=429, body=b"Too many", headers=late)
    with pytest.raises(RateLimitError) as caught:
        through_proxy.submit(make_job())
    assert caught.value.reset > time.time() + 2000


@row("429 is text, 404 may be null, the portal answers HTML with 200, codes are missing or new")
def _odd_bodies(httpserver, session):
    session.longest_rate_wait = 0
    for status, body, kind in (
        (429, "Too many requests, please try again later.", RateLimitError),
        (404, None, NotFoundError),
        (200, "<html>portal</html>", ServerError),
        (413, {"message": "request entity too large"}, ApiError),
        (400, {"code": "BrandNewError", "message": "new"}, ApiError),
        (500, {}, ServerError),
    ):
        httpserver.clear()
        answers(httpserver, "/info$", (status, body, {"X-RateLimit-Reset": "9999999999"}))
        with pytest.raises(kind) as caught:
            rest_cluster.get_info(session)
        assert caught.value.status == status
        assert caught.value.message


@row("permanent mistakes of the client arrive as 500")
def _no_blind_retry(httpserver, session):
    posted = answers(httpserver, "/jobs$", (500, {"message": "YAMLException"}), method="POST")
    read = answers(httpserver, "/jobs$", (500, {"message": "bad limit"}))
    with pytest.raises(ServerError, match="YAMLException"):
        jobs.submit_job(session, "a: [")
    with pytest.raises(ServerError, match="bad limit"):
        jobs.list_jobs(session, limit=-1)
    assert (len(posted()), len(read())) == (1, 1)


@row("the mask for secrets works on the layout of the text")
def _masked(cluster, make_job):
    job = make_job()
    job.document["secrets"] = {"key": "s3cret-of-checklist"}
    remote = cluster.submit(job)
    text = jobs.get_config(cluster.session, remote.key)
    assert "s3cret-of-checklist" not in text
    assert Job.from_remote(text).document["taskRoles"] == job.document["taskRoles"]


@row("a config that had secrets cannot be submitted again")
def _no_secrets_left(cluster, make_job):
    job = make_job()
    job.document["secrets"] = {"key": "s3cret"}
    copy = cluster.submit(job).config().renamed(make_job().name)
    assert copy.document["secrets"] == "******"
    with pytest.raises(ProtocolError, match="secret"):
        cluster.submit(copy)
    copy.document["secrets"] = {"key": "new"}
    cluster.submit(copy)


@row("task roles change their spelling, and two may become one")
def _role_names(cluster, make_job):
    job = make_job("echo here")
    job.document["taskRoles"] = {"My_Worker": job.document["taskRoles"]["main"]}
    with pytest.raises(ProtocolError, match="for instance 'myworker'"):
        cluster.submit(job)
    remote = cluster.submit(job, strict=False)
    remote.wait(timeout=60)
    assert [role for role, _ in remote.tasks()] == ["myworker"]
    assert list(remote.logs("My_Worker", 0)) == ["here"]
    job.document["taskRoles"]["my-worker"] = job.document["taskRoles"]["My_Worker"]
    reported = [problem.message for problem in job.problems(strict=True)]
    assert any("one name" in message for message in reported)


@row("attemptId, appId and taskRoles are missing at first")
def _early_fields(httpserver, session):
    answers(httpserver, "/jobs/a~j$", (200, {"name": "j", "jobStatus": {"state": "WAITING"}}))
    detail = jobs.get_job(session, "a~j")
    assert (detail.attempt_id, detail.app_id, list(detail.tasks())) == (None, "", [])
    assert (detail.exit_code, detail.launched_time, detail.ended) == (None, None, False)


@row("a retry takes a job from RUNNING back to WAITING")
def _back_to_waiting(httpserver):
    states = ("RUNNING", "WAITING", "RUNNING", "SUCCEEDED")
    items = [(200, {"jobStatus": {"state": state}}) for state in states]
    answers(httpserver, "/jobs/a~j$", *items)
    remote = Cluster(httpserver.url_for("/"), user="a", token="t").job("j")
    assert remote.wait(poll=0.01).state == "SUCCEEDED"


@row("a stop is asynchronous, and 500 for a job that has ended")
def _stop(cluster, through_proxy, proxy, make_job):
    remote = cluster.submit(make_job("sleep 600"))
    remote.stop()
    assert remote.wait(timeout=60).state == "STOPPED"
    proxy.fail("PUT", "/executionType$", "instead", status=500, body=b'{"message": "gone"}')
    through_proxy.job(remote.key).stop()


@row("log addresses live for two minutes")
def _log_addresses(httpserver):
    answers(httpserver, "/jobs/a~j$", (200, _RUN))
    listed = answers(httpserver, "/logs$", (200, _place("old")), (200, _place("new")))
    query = {"query_string": "token=old"}
    httpserver.expect_request("/log-manager/n/log", **query).respond_with_data("", 403)
    query = {"query_string": "token=new"}
    httpserver.expect_request("/log-manager/n/log", **query).respond_with_data("a line\n")
    remote = Cluster(httpserver.url_for("/"), user="a", token="t").job("j")
    assert list(remote.logs("main", 0)) == ["a line"]
    assert len(listed()) >= 2


_TASK = {"taskIndex": 0, "taskState": "SUCCEEDED", "attemptId": 0, "containerIp": "10.0.0.1"}
_TASK.update(launchedTime=1, currentAttemptLaunchedTime=1, completedTime=2, containerId="c")
_RUN = {
    "name": "j",
    "jobStatus": {"state": "SUCCEEDED", "attemptId": 0},
    "taskRoles": {"main": {"taskStatuses": [_TASK]}},
}


def _place(token):
    return {"locations": [{"name": "all", "uri": f"/log-manager/n/log?token={token}"}]}


@row("the logs call answers 500 while a task is not ready")
def _logs_not_ready(through_proxy, proxy, make_job, clock):
    remote = through_proxy.submit(make_job("echo here"))
    proxy.fail("GET", "/logs$", "instead", times=3, status=500, body=b'{"message": "no pod"}')
    assert list(remote.logs(follow=True)) == ["here"]


@row("paging by offset is unstable; a page has 5,000 jobs, 50,000 at most")
def _pages(httpserver):
    rows = [{"debugId": str(number), "name": f"job_{number}"} for number in range(5200)]

    def page(request):
        first, size = int(request.args["offset"]), int(request.args["limit"])
        assert size <= 50_000
        assert request.args["order"] == "submissionTime,DESC"
        shown = rows[first : first + size]
        rows.insert(0, {"debugId": f"new {len(rows)}", "name": "new"})  # all others move down
        return Response(json.dumps(shown), content_type="application/json")

    httpserver.expect_request(f"{V2}/jobs").respond_with_handler(page)
    names = [job.name for job in Cluster(httpserver.url_for("/"), token="t").jobs()]
    assert sorted(name for name in names if name != "new") == sorted(
        f"job_{number}" for number in range(5200)
    )


@row("the list has two shapes")
def _two_shapes(cluster, make_job):
    name = cluster.submit(make_job()).name
    assert [job.name for job in jobs.list_jobs(cluster.session, keyword=name)] == [name]
    assert jobs.count_jobs(cluster.session, keyword=name) == 1


@row("times are milliseconds in jobs, ISO texts in events, seconds in tokens and limits")
def _times():
    when = datetime(2026, 11, 22, 17, 14, 37, tzinfo=timezone.utc)
    seconds = int(when.timestamp())
    assert models.JobSummary({"submissionTime": seconds * 1000}).submission_time == when
    assert tasks.TaskHistory({"launchedTime": seconds * 1000}).launched_time == when
    assert models.Event({"lastTimestamp": "2026-11-22T17:14:37.000Z"}).last_time == when
    assert authn.TokenClaims.from_token(a_token(exp=seconds)).expires_at == when


@row("a body may have 100 KiB")
def _size(through_proxy, proxy, make_job, httpserver, session):
    before = proxy.count("POST", "/jobs$")
    with pytest.raises(ProtocolError, match="100 KiB"):
        through_proxy.submit(make_job("echo " + "x" * 102_400))
    assert proxy.count("POST", "/jobs$") == before
    answers(httpserver, "/jobs$", (413, {"message": "request entity too large"}), method="POST")
    with pytest.raises(ApiError) as caught:
        jobs.submit_job(session, "name: big\n")
    assert "100 KiB" in caught.value.hint


@row("http leads to https by 307")
def _redirect(https, httpserver):
    secure = https()
    secure.expect_request(f"{V2}/jobs", method="POST").respond_with_json({"status": 202})
    target = {"Location": secure.url_for(f"{V2}/jobs")}
    httpserver.expect_request(f"{V2}/jobs").respond_with_data("", 307, target)
    session = Session(httpserver.url_for("/"), token="t0ken", verify=AUTHORITY)
    jobs.submit_job(session, "name: a-job\n")
    request = secure.log[-1][0]
    assert request.get_data() == b"name: a-job\n"
    assert request.headers["Authorization"] == "Bearer t0ken"
    elsewhere = {"Location": "http://127.0.0.1:9/jobs"}
    httpserver.clear()
    httpserver.expect_request(f"{V2}/jobs").respond_with_data("", 307, elsewhere)
    other = Session(httpserver.url_for("/"), token="t0ken")
    with pytest.raises(ConnectionFailed, match="where this is not sent"):
        jobs.submit_job(other, "name: a-job\n")
    session.close()
    other.close()


AUTHORITY = ""


@row("users and storages come with private keys and passwords")
def _keys(httpserver, session):
    key = {"extension": {"jobSSH": {"key": "s3cret"}}, "username": "alice"}
    answers(httpserver, "/users/alice$", (200, key))
    storage = {"name": "s", "type": "azureFile", "data": {"accountKey": "s3cret"}}
    answers(httpserver, "/storages$", (200, {"storages": [storage]}))
    answers(httpserver, "/storages/s$", (200, storage))
    found = [users.get_user(session, "alice"), storages.get_storage(session, "s")]
    cluster = Cluster(httpserver.url_for("/"), user="alice", token="s3cret")
    answers(httpserver, "/log", (500, {}))
    with pytest.raises(ServerError) as caught:
        tasks.read_chunk(session, "/log-manager/n/log?token=s3cret", 0, 1)
    shown = [*found, cluster, *cluster.storages(), caught.value, vars(caught.value)]
    assert "s3cret" not in " ".join(f"{one!r} {one!s}" for one in shown)
