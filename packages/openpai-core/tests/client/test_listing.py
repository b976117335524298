"""The list of jobs: filters, order, and pages that do not fit together."""

from __future__ import annotations

import json

import pytest
from werkzeug import Response

from openpai.core import Cluster
from openpai.core.errors import ApiError, NotFoundError


class Jobs:
    """A server's list of jobs, paged by offset as the real one's is."""

    def __init__(self, count: int) -> None:
        self.rows = [self.row(number) for number in range(count)]
        self.between = lambda: None
        self.requests = 0

    @staticmethod
    def row(number) -> dict:
        """One job of the list."""
        return {"debugId": f"{number:032x}", "name": f"job_{number}", "username": "alice"}

    def page(self, request) -> Response:
        """Answer one request, then change the list."""
        self.requests += 1
        offset, limit = int(request.args["offset"]), int(request.args["limit"])
        body = json.dumps(self.rows[offset : offset + limit])
        self.between()
        return Response(body, content_type="application/json")


@pytest.fixture
def listed(httpserver):
    """Return a function that puts up a list of jobs and gives a cluster that shows it."""
    opened = []

    def show(count):
        jobs = Jobs(count)
        httpserver.expect_request("/rest-server/api/v2/jobs").respond_with_handler(jobs.page)
        opened.append(Cluster(httpserver.url_for("/"), user="alice", token="t"))
        return jobs, opened[-1]

    yield show
    for cluster in opened:
        cluster.close()


@pytest.mark.parametrize("count", [0, 1, 101, 4999, 5000, 5001, 12_345])
def test_every_job_is_listed_once(listed, count):
    """Pages overlap, and what comes twice is dropped."""
    _, cluster = listed(count)
    assert [job.name for job in cluster.jobs()] == [f"job_{n}" for n in range(count)]


def test_short_list_takes_one_request(listed):
    """Lists are limited to 60 a minute."""
    jobs, cluster = listed(300)
    assert len(list(cluster.jobs())) == 300
    assert jobs.requests == 1


def test_jobs_submitted_while_listing_double_no_others(listed):
    """They come first and push all others down."""
    jobs, cluster = listed(9000)
    jobs.between = lambda: jobs.rows.insert(0, Jobs.row(10_000 + len(jobs.rows)))
    names = [job.name for job in cluster.jobs()]
    assert len(names) == len(set(names))
    assert {f"job_{n}" for n in range(9000)} <= set(names)


def test_jobs_leaving_filter_hide_no_others(listed):
    """All later ones move up by as many."""
    jobs, cluster = listed(9000)

    def leave():
        del jobs.rows[:50]

    jobs.between = leave
    names = {job.name for job in cluster.jobs()}
    assert {f"job_{n}" for n in range(200, 9000)} <= names


def test_limit_is_kept(listed):
    """And little more is fetched."""
    jobs, cluster = listed(9000)
    assert [job.name for job in cluster.jobs(limit=7)] == [f"job_{n}" for n in range(7)]
    assert jobs.requests == 1


def test_jobs_are_fetched_lazily(listed):
    """Stopping early has requested one page."""
    jobs, cluster = listed(12_000)
    next(cluster.jobs())
    assert jobs.requests == 1


@pytest.mark.process
def test_filters_are_applied_by_server(cluster, make_job):
    """State, user, virtual cluster, tags and keyword."""
    one, two = (cluster.submit(make_job()) for _ in range(2))
    one.add_tag("listed")
    for remote in (one, two):
        remote.wait(timeout=60)

    def names(**filters):
        return {job.name for job in cluster.jobs(**filters)}

    assert names(tags="listed") == {one.name}
    assert names(tags=["listed", "other"], state=["SUCCEEDED", "FAILED"]) == {one.name}
    assert one.name not in names(without_tags="listed")
    assert names(keyword=two.name) == {two.name}
    assert names(keyword=one.name, user="nobody") == set()
    assert names(keyword=one.name, state="RUNNING") == set()
    assert names(keyword=one.name, virtual_cluster="default") == {one.name}


@pytest.mark.process
def test_count_jobs_is_done_by_server(cluster, make_job):
    """Nothing is fetched for it."""
    remote = cluster.submit(make_job())
    assert cluster.count_jobs(keyword=remote.name) == 1
    assert cluster.count_jobs(keyword=remote.name, user="nobody") == 0


@pytest.mark.process
def test_order_is_applied_by_server(cluster, make_job):
    """By name, for instance."""
    names = sorted(cluster.submit(make_job(name=f"order_{n}")).name for n in (2, 1, 3))
    found = [job.name for job in cluster.jobs(keyword="order", order="jobName,ASC")]
    assert found == names


@pytest.mark.process
def test_job_is_found_with_and_without_user(cluster, make_job):
    """Both forms are used in PAI."""
    remote = cluster.submit(make_job())
    assert cluster.job(remote.name).status().debug_id == cluster.job(remote.key).status().debug_id


def test_default_storage_is_listed(cluster, local):
    """The local cluster offers one."""
    specs = cluster.storages()
    assert specs[0].name == cluster.default_storage() == "local-storage"
    assert specs[0].type == "nfs"
    assert str(local.folder) in specs[0].data["path"]


def test_missing_storage_raises(cluster):
    """By the server."""
    with pytest.raises(NotFoundError, match="nowhere"):
        cluster.storage("nowhere")


def test_resources_are_those_of_virtual_clusters(cluster):
    """What is free is what there is without what is used."""
    vc = cluster.resources()["default"]
    assert 0 <= vc.free.cpu <= vc.total.cpu == 16
    assert vc.free.memory_mb <= vc.total.memory_mb


def test_invalid_filter_raises(cluster):
    """50,000 is the most that a page may have."""
    from openpai.core.rest.jobs import list_jobs

    with pytest.raises(ApiError):
        list_jobs(cluster.session, limit=50_001)
