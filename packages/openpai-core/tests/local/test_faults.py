"""Faults and time on request, each counting how often it struck."""

import pytest
import requests
from support.wait import wait_until

from openpai.core.local import LocalCluster


@pytest.fixture(autouse=True)
def no_faults(cluster):
    """Leave the cluster healthy."""
    yield
    cluster.faults.clear()


def test_cut_connections_breaks_every_third_request(client, cluster):
    """Every third request ends without an answer, and is not carried out."""
    fault = cluster.faults.cut_connections(every=3)
    assert client("GET", "/info").status_code == 200
    assert client("GET", "/info").status_code == 200
    with pytest.raises(requests.ConnectionError):
        client("GET", "/info")
    assert (fault.seen, fault.fired) == (3, 1)


@pytest.mark.process
def test_lose_answers_keeps_job(client, cluster, job_text):
    """The job is accepted, but the client gets no answer."""
    fault = cluster.faults.lose_answers(method="POST", path="/jobs$", times=1)
    with pytest.raises(requests.ConnectionError):
        client.submit(job_text("unheard"))
    assert fault.fired == 1
    assert client.submit(job_text("unheard")).status_code == 409
    client.wait("unheard")


def test_answer_replaces_answers(client, cluster):
    """503 twice, then all is well."""
    cluster.faults.answer(503, "busy", {"Retry-After": "1"}, times=2)
    answers = [client("GET", "/info") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].text, answers[0].headers["Retry-After"]) == ("busy", "1")


def test_delay_slows_answers(client, cluster):
    """A client that waits shorter than the delay gives up; one that waits is served."""
    cluster.faults.delay(0.5, path="/info")
    with pytest.raises(requests.Timeout):
        client("GET", "/info", timeout=0.1)
    assert client("GET", "/info", timeout=60).status_code == 200


@pytest.mark.process
def test_lost_node_is_platform_failure(client, cluster, job_text, tmp_path):
    """All running tasks are lost with -1001, and their jobs are tried again."""
    flag = tmp_path / "flag"
    client.submit(job_text("node", f"test -e {flag} && exit 0; sleep 600"))
    client.wait("node", "RUNNING")
    flag.touch()
    assert cluster.lose_node() == 1
    status = client.wait("node")["jobStatus"]
    assert (status["state"], status["retryDetails"]["platform"]) == ("SUCCEEDED", 1)
    first = client("GET", client.path("node") + "/attempts/0").json()
    assert first["jobStatus"]["appExitCode"] == -1001


@pytest.mark.process
def test_preempted_job_is_retried(client, cluster, job_text, tmp_path):
    """-1003 for the one job that was named."""
    flag = tmp_path / "flag"
    client.submit(job_text("way", f"test -e {flag} && exit 0; sleep 600"))
    client.wait("way", "RUNNING")
    flag.touch()
    assert cluster.preempt("way") == 1
    client.wait("way")
    first = client("GET", client.path("way") + "/attempts/0").json()
    assert first["jobStatus"]["appExitCode"] == -1003


@pytest.mark.process
def test_tokens_expire_with_time(plain_client, job_text):
    """After a week a login is over, the application token is not; log addresses live 120 s."""
    with LocalCluster() as cluster:
        first = plain_client(cluster.uri, cluster.user, cluster.token)
        body = {"username": cluster.user, "password": cluster.password}
        token = first("POST", "/authn/basic/login", json=body).json()["token"]
        login = plain_client(cluster.uri, cluster.user, token)
        login.submit(job_text("timed", "echo hi"))
        login.wait("timed")
        address = cluster.uri + login.locations("timed")["all"]
        assert requests.get(address, timeout=60).text == "hi\n"
        cluster.advance("2m")
        expired = requests.get(address, timeout=60)
        assert (expired.status_code, expired.content) == (403, b"")
        assert login("GET", "/jobs").status_code == 200
        cluster.advance("7d")
        assert login("GET", "/jobs").status_code == 401
        assert first("GET", "/jobs").status_code == 200
        first.close()
        login.close()


@pytest.mark.process
def test_retry_delay_ends_with_time(plain_client, job_text, tmp_path):
    """A conflict is retried after 60 to 900 seconds, which a test need not wait."""
    flag = tmp_path / "flag"
    with LocalCluster() as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("later", f"test -e {flag} && exit 0; sleep 600"))
        client.wait("later", "RUNNING")
        flag.touch()
        cluster.fail_tasks("later", 251)
        job = client.wait("later", "RUNNING", "WAITING")
        while job["jobStatus"]["subState"] != "AttemptCompleted":
            job = client.job("later")
        assert 60 <= job["jobStatus"]["retryDelayTime"] <= 900
        assert job["jobStatus"]["state"] == "RUNNING"
        cluster.advance("15m")
        assert client.wait("later")["jobStatus"]["state"] == "SUCCEEDED"
        client.close()


def test_expire_tokens_ends_logins(plain_client):
    """Every login is over, and counted; the application token is good."""
    with LocalCluster() as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        body = {"username": cluster.user, "password": cluster.password}
        tokens = [client("POST", "/tokens", json=body).json()["token"] for _ in range(2)]
        assert cluster.expire_tokens() == len(set(tokens))  # one a second, as in PAI
        assert cluster.expire_tokens() == 0
        answers = [
            client("GET", "/tokens/check", headers={"Authorization": f"Bearer {token}"})
            for token in (*tokens, cluster.token)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 200]
        client.close()


@pytest.mark.process
def test_change_logs_rotates_followed_log(client, cluster, job_text, gate):
    """What was written is in .1, what follows in a new file; the task does not notice."""
    client.submit(job_text("turn", "echo before", f"{gate.command}; echo after"))
    wait_until(lambda: client.status("turn")["state"] == "RUNNING" and client.log("turn"))
    assert cluster.rotate_logs("turn") == 1
    wait_until(lambda: client.log("turn") == "")
    gate.open()
    client.wait("turn")
    assert (client.log("turn", "stdout.1"), client.log("turn")) == ("before\n", "after\n")
    assert cluster.rotate_logs("turn") == 0
