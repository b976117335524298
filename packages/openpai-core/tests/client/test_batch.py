"""Many jobs at once: every one exactly once, within the server's limits, whatever goes wrong."""

from __future__ import annotations

import re
import time

import pytest
from werkzeug import Response

from openpai.core import Cluster
from openpai.core.client.batch import Outcome
from openpai.core.errors import AuthenticationError, ConflictError, OpenPaiError, ProtocolError
from openpai.core.rest.jobs import list_jobs
from openpai.core.sweeps.parameters import grid, sweep_jobs
from openpai.core.sweeps.results import collect_results


@pytest.fixture
def sweep(make_job):
    """Return a function that makes the jobs of a small sweep."""

    def make(name, count):
        job = make_job("exit <% $parameters.n %>", name=name)
        job.document["parameters"] = {"n": 0}
        return sweep_jobs(job, grid(n=range(count)))

    return make


def names_of(cluster, prefix):
    """The names of the user's jobs, once for each job."""
    found = list_jobs(cluster.session, username=cluster.user, limit=50_000)
    return sorted(job.name for job in found if job.name.startswith(prefix))


@pytest.mark.process
def test_submit_all_returns_outcomes_in_order(cluster, sweep):
    """The outcomes come to the callback as they are, and in the end in the jobs' order."""
    jobs, seen = sweep("batch", 20), []
    outcomes = cluster.submit_all(jobs, on_outcome=seen.append, tag="batched")
    assert [o.name for o in outcomes] == [job.name for job in jobs]
    assert {o.status for o in outcomes} == {"submitted"}
    assert sorted(o.name for o in seen) == sorted(o.name for o in outcomes)
    assert all(o.remote.status().tags == ("batched",) for o in outcomes)


@pytest.mark.process
def test_submit_all_completes_partial_sweep(cluster, sweep):
    """What is there with the same config counts as done."""
    jobs = sweep("resumed", 12)
    cluster.submit_all(jobs[:5])
    outcomes = cluster.submit_all(jobs, tag="again")
    assert [o.status for o in outcomes] == ["existed"] * 5 + ["submitted"] * 7
    assert names_of(cluster, "resumed") == sorted(job.name for job in jobs)
    assert outcomes[0].remote.status().tags == ("again",)


@pytest.mark.process
def test_submit_all_with_taken_name_fails_alone(cluster, sweep, make_job):
    """The others are submitted."""
    jobs = sweep("partly", 3)
    cluster.submit(make_job("echo another", name=jobs[1].name))
    outcomes = cluster.submit_all(jobs)
    assert [o.status for o in outcomes] == ["submitted", "failed", "submitted"]
    assert isinstance(outcomes[1].error, ConflictError)


@pytest.mark.process
def test_submit_all_refuses_duplicate_names(cluster, make_job):
    """One of them would be lost."""
    with pytest.raises(OpenPaiError, match="Two of the jobs are named 'twin'"):
        cluster.submit_all([make_job(name="twin"), make_job(name="twin")])
    assert names_of(cluster, "twin") == []


def test_submit_all_with_invalid_job_sends_nothing(cluster, sweep):
    """Half a sweep helps nobody."""
    jobs = sweep("broken", 3)
    del jobs[2].document["taskRoles"]["main"]["commands"]
    with pytest.raises(ProtocolError):
        cluster.submit_all(jobs)
    assert names_of(cluster, "broken") == []


def test_submit_all_without_jobs_does_nothing(cluster):
    """An empty sweep is not an error."""
    assert cluster.submit_all([]) == []


class LimitedServer:
    """Takes 20 submissions and then none for a second, as rest-server does for an hour.

    However slow the machine is, the limit is met.
    """

    def __init__(self) -> None:
        self.accepted: dict = {}
        self.taken = 0
        self.closed_until = 0.0
        self.refused = 0

    def post(self, request) -> Response:
        """Answer a submission."""
        now = time.time()
        if self.taken >= 20 and now >= self.closed_until:
            self.taken = 0
        headers = {"X-RateLimit-Reset": str(int(now) + 1), "Retry-After": "3600"}
        if self.taken >= 20:
            self.refused += 1
            return Response("Too many requests", 429, headers, content_type="text/html")
        text = request.get_data(as_text=True)
        name = re.search(r"^name: (\S+)", text, re.MULTILINE).group(1)
        assert name not in self.accepted
        self.accepted[name] = text
        self.taken += 1
        self.closed_until = now + 1
        return Response('{"status": 202}', 202, headers, content_type="application/json")

    def config(self, request) -> Response:
        """Answer with a submitted text."""
        name = request.path.split("~")[1].split("/")[0]
        return Response(self.accepted[name], content_type="text/yaml")


@pytest.fixture
def limited(httpserver):
    """Such a server, and a cluster that talks to it."""
    server = LimitedServer()
    jobs = "/rest-server/api/v2/jobs"
    httpserver.expect_request(jobs, method="POST").respond_with_handler(server.post)
    httpserver.expect_request(jobs, method="GET").respond_with_json([])
    httpserver.expect_request(re.compile(".*/config$")).respond_with_handler(server.config)
    with Cluster(httpserver.url_for("/"), user="alice", token="t") as cluster:
        yield server, cluster


def test_submit_in_loop_waits_for_rate_limit(limited, make_job):
    """30 submissions one after the other all arrive, and none of them fails."""
    server, cluster = limited
    for number in range(30):
        cluster.submit(make_job(name=f"loop_{number}"))
    assert len(server.accepted) == 30
    assert server.refused > 0


def test_submit_all_waits_for_rate_limit(limited, sweep):
    """A single call does not wait; the batch continues in the server's next window."""
    server, cluster = limited
    cluster.session.longest_rate_wait = 0.0
    outcomes = cluster.submit_all(sweep("limited", 50))
    assert {o.status for o in outcomes} == {"submitted"}
    assert len(server.accepted) == 50
    assert server.refused > 0


@pytest.mark.process
def test_submit_all_survives_network_failures(through_proxy, proxy, sweep, clock):
    """Requests lost on their way there and answers lost on their way back."""
    for how in ("lose", "refuse", "cut"):
        proxy.fail("POST", "/jobs$", how, times=4)
    proxy.fail("GET", "/config$", "refuse", times=8)
    proxy.fail("POST", "/jobs$", "answer", times=2, status=502)
    jobs = sweep("stormy", 30)
    outcomes = through_proxy.submit_all(jobs)
    assert {o.status for o in outcomes} == {"submitted"}
    assert names_of(through_proxy, "stormy") == sorted(job.name for job in jobs)


def test_submit_all_ends_after_refused_token(through_proxy, proxy, sweep):
    """All that are left fail for it, and are not tried one by one."""
    body = b'{"code": "UnauthorizedUserError", "message": "Your token is invalid."}'
    proxy.fail("POST", "/jobs$", "instead", times=1000, status=401, body=body)
    outcomes = through_proxy.submit_all(sweep("untrusted", 40), concurrency=2)
    assert {o.status for o in outcomes} == {"failed"}
    assert all(isinstance(o.error, AuthenticationError) for o in outcomes)
    assert proxy.count("POST", "/jobs$") < 10


@pytest.mark.process
def test_interrupt_leaves_whole_jobs(cluster, sweep):
    """What was sent is there, the rest is not, and running it again completes it."""
    jobs, seen = sweep("interrupted", 30), []

    def interrupt(outcome: Outcome) -> None:
        seen.append(outcome)
        if len(seen) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.submit_all(jobs, concurrency=2, on_outcome=interrupt)
    there = names_of(cluster, "interrupted")
    assert 5 <= len(there) < 30
    outcomes = cluster.submit_all(jobs)
    assert sum(o.status == "existed" for o in outcomes) == len(there)
    assert len(names_of(cluster, "interrupted")) == 30


@pytest.mark.process
def test_stop_all_selects_by_prefix_and_tag(cluster, make_job):
    """Only active jobs of the user."""
    one, two, three = (cluster.submit(make_job("sleep 600", name=f"stop_{n}")) for n in "abc")
    three.add_tag("old")
    outcomes = cluster.stop_all(prefix="stop_a")
    assert [(o.name, o.status) for o in outcomes] == [("stop_a", "stopped")]
    assert [o.name for o in cluster.stop_all(tag="old")] == ["stop_c"]
    assert cluster.stop_all(prefix="stop_b", tag="old") == []
    assert [r.wait(timeout=60).state for r in (one, three)] == ["STOPPED", "STOPPED"]
    assert two.state() in ("WAITING", "RUNNING")
    two.stop()


@pytest.mark.process
def test_stop_all_without_selection_raises(cluster):
    """An empty prefix fits every job."""
    with pytest.raises(OpenPaiError, match="No jobs are selected"):
        cluster.stop_all()


@pytest.mark.process
def test_results_have_parameters_and_exit_codes(cluster, sweep):
    """One row a job, in the order of names, with the user's own exit codes."""
    for outcome in cluster.submit_all(sweep("report", 3), tag="report"):
        outcome.remote.wait(timeout=60)
    rows = collect_results(cluster, tag="report")
    assert [(row.name, row.state, row.exit_code, row.parameters["n"]) for row in rows] == [
        ("report_n-0", "SUCCEEDED", 0, 0),
        ("report_n-1", "FAILED", 1, 1),
        ("report_n-2", "FAILED", 2, 2),
    ]
    assert all(row.seconds >= 0 and row.submitted.tzinfo for row in rows)
    with pytest.raises(OpenPaiError, match="No jobs are selected"):
        collect_results(cluster)
