"""Logs: found, read in ranges, followed, bounded."""

import pytest
import requests
from support.wait import wait_until

from openpai.core.local import LocalCluster


@pytest.fixture(scope="module")
def log_uri(cluster, plain_client, job_text):
    """The address of a finished task's log of 26 lines."""
    client = plain_client(cluster.uri, cluster.user, cluster.token)
    client.submit(job_text("alphabet", "printf '%s\\n' {a..z}"))
    client.wait("alphabet")
    uri = cluster.uri + client.locations("alphabet")["stdout"]
    client.close()
    return uri


def test_whole_log_is_served(log_uri):
    """Without a range it comes whole, as a file to keep."""
    answer = requests.get(log_uri, timeout=60)
    assert (answer.status_code, len(answer.content)) == (200, 52)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    ("wanted", "content", "range_"),
    [
        ("bytes=0-3", "a\nb\n", "bytes 0-3/52"),
        ("bytes=48-", "y\nz\n", "bytes 48-51/52"),
        ("bytes=-2", "z\n", "bytes 50-51/52"),
        ("bytes=50-999", "z\n", "bytes 50-51/52"),
    ],
)
def test_range_is_served(log_uri, wanted, content, range_):
    """A part is 206 and says which."""
    answer = requests.get(log_uri, headers={"Range": wanted}, timeout=60)
    assert (answer.status_code, answer.text) == (206, content)
    assert answer.headers["Content-Range"] == range_


def test_range_behind_end_is_416(log_uri):
    """The answer has the size."""
    answer = requests.get(log_uri, headers={"Range": "bytes=52-"}, timeout=60)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */52")


@pytest.mark.parametrize("wanted", ["bytes=x-", "lines=1-2", "bytes=1-2,5-6"])
def test_unsupported_range_gives_whole_log(log_uri, wanted):
    """It is as if there were none."""
    assert requests.get(log_uri, headers={"Range": wanted}, timeout=60).status_code == 200


def test_log_address_needs_its_own_token(log_uri):
    """The address alone opens the log; a changed one opens nothing."""
    assert requests.get(log_uri, timeout=60).status_code == 200
    broken = log_uri.replace("token=", "token=x")
    assert requests.get(broken, timeout=60).status_code == 403
    other = log_uri.replace("pod-uid=", "pod-uid=0")
    assert requests.get(other, timeout=60).status_code == 403


@pytest.mark.parametrize("file", ["..%2F..%2Fplan.json", "plan.json", "../plan.json", "nothing"])
def test_other_files_are_not_served(log_uri, file):
    """A log's address leads to logs only."""
    answer = requests.get(log_uri.replace("user-stdout", file), timeout=60)
    assert answer.status_code == 404


@pytest.mark.process
def test_tail_mode_gives_last_bytes(client, job_text, cluster):
    """Tail mode gives the last 16384 bytes, whatever range is asked for."""
    client.submit(job_text("longlog", "head -c 20000 /dev/zero | tr '\\0' x; echo end"))
    client.wait("longlog")
    task = client.task("longlog")["containerLog"]
    answer = client("GET", "/rest-server" + task, params={"tail-mode": "true"})
    (uri,) = (item["uri"] for item in answer.json()["locations"] if item["name"] == "all")
    tail = requests.get(cluster.uri + uri, headers={"Range": "bytes=0-1"}, timeout=60)
    assert (tail.status_code, len(tail.content)) == (206, 16384)
    assert tail.text.endswith("xend\n")


@pytest.mark.process
def test_tail_of_empty_log_is_416(client, job_text, cluster):
    """There is nothing to give: 416."""
    client.submit(job_text("silent", "true"))
    client.wait("silent")
    answer = client(
        "GET", "/rest-server" + client.task("silent")["containerLog"] + "?tail-mode=true"
    )
    for item in answer.json()["locations"]:
        if item["name"] == "all":
            assert requests.get(cluster.uri + item["uri"], timeout=60).status_code == 416


@pytest.mark.process
def test_log_of_running_task_grows(client, job_text, cluster, gate):
    """What a task writes can be read while it runs."""
    client.submit(job_text("grows", "echo one", gate.command, "echo two", "sleep 600"))
    client.wait("grows", "RUNNING")
    uri = cluster.uri + client.locations("grows")["all"]
    wait_until(lambda: requests.get(uri, timeout=60).text == "one\n")
    gate.open()
    wait_until(lambda: requests.get(uri, headers={"Range": "bytes=4-"}, timeout=60).text == "two\n")
    client.stop("grows")
    client.wait("grows")


@pytest.mark.process
def test_log_size_is_limited(plain_client, job_text):
    """A full file becomes .1, and what was there before is dropped; the task does not notice."""
    with LocalCluster(log_limit=100_000) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("flood", "seq 1 100000"))
        assert client.wait("flood")["jobStatus"]["state"] == "SUCCEEDED"
        places = client.locations("flood")
        newest = requests.get(cluster.uri + places["stdout"], timeout=60).text
        older = requests.get(cluster.uri + places["stdout.1"], timeout=60).text
        assert newest.endswith("\n100000\n")
        assert len(newest) <= 100_000
        assert len(older) <= 100_000
        assert (older + newest).split()[-1000:] == [str(n) for n in range(99001, 100001)]
        client.close()


@pytest.mark.process
def test_task_without_output_has_logs(client, job_text):
    """All names are there, with nothing in them."""
    client.submit(job_text("quiet", "true"))
    client.wait("quiet")
    assert set(client.locations("quiet")) == {"all", "stdout", "stderr", "runtime.log"}


@pytest.mark.process
def test_binary_output_is_kept(client, job_text, cluster):
    """Bytes are kept as they are."""
    client.submit(job_text("bytes", "printf '\\000\\377\\xfe'"))
    client.wait("bytes")
    answer = requests.get(cluster.uri + client.locations("bytes")["stdout"], timeout=60)
    assert answer.content == b"\x00\xff\xfe"


@pytest.mark.process
def test_command_with_closed_output_continues(client, job_text, gate):
    """It runs on, and its status counts."""
    client.submit(job_text("closed", f"echo before; exec >&- 2>&-; {gate.command}; exit 4"))
    client.wait("closed", "RUNNING")
    wait_until(lambda: client.log("closed") == "before\n")
    gate.open()
    status = client.wait("closed")["jobStatus"]
    assert status["appExitMessages"]["runtime"]["originUserExitCode"] == 4
    assert client.log("closed") == "before\n"


@pytest.mark.process
def test_endless_output_is_limited(plain_client, job_text):
    """A hundred times what is kept: the disk holds two files of each log, the server answers."""
    limit = 1_000_000
    with LocalCluster(log_limit=limit, grace=1) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("endless", "yes", memoryMB=512))
        client.wait("endless", "RUNNING")
        wait_until(lambda: "stdout.1" in client.locations("endless"))
        for _ in range(100):
            assert client("GET", "/info").status_code == 200
        client.stop("endless")
        assert client.wait("endless")["jobStatus"]["state"] == "STOPPED"
        files = list(cluster.folder.glob("jobs/*/*/logs/*"))
        assert max(file.stat().st_size for file in files) <= limit
        assert sum(file.stat().st_size for file in files) <= 6 * limit
        client.close()


@pytest.mark.process
def test_endless_background_output_does_not_block_end(client, job_text, gate):
    """It does not keep a task alive whose command has ended."""
    client.submit(job_text("babbler", f"yes & {gate.command}"))
    client.wait("babbler", "RUNNING")
    wait_until(lambda: client.log("babbler"))
    gate.open()
    assert client.wait("babbler")["jobStatus"]["state"] == "SUCCEEDED"
