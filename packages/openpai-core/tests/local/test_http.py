"""The server as an HTTP server: what clients may rely on, and what must not harm it."""

import gzip
import http.client
import socket
import threading

import pytest
import requests
from support.wait import wait_until
from werkzeug import Response

from openpai.core.local import LocalCluster
from openpai.core.local.api.server import Server


def _exchange(cluster, *parts):
    """Send bytes as they are; return all that comes back."""
    port = int(cluster.uri.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_connection_is_kept_alive(cluster):
    """Keep-alive: one socket, several requests, also after a refusal."""
    connection = http.client.HTTPConnection(cluster.uri.partition("//")[2], timeout=60)
    connection.connect()
    first = connection.sock
    for path in ("/api/v2/info", "/api/v2/jobs", "/api/v2/nothing", "/api/v2/info"):
        connection.request("GET", path)
        connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_paths_work_with_and_without_prefix(cluster):
    """/rest-server/api/v2 and /api/v2 are one; case and a trailing slash do not matter."""
    for path in ("/api/v2/info", "/rest-server/api/v2/info", "/API/v2/INFO", "/api/v2/info/"):
        answer = requests.get(cluster.uri + path, timeout=60)
        assert answer.json()["name"] == "PAI RESTful API"


def test_head_has_length_and_no_body(client):
    """HEAD is answered as GET is, without the body."""
    assert client("HEAD", "/info").headers["Content-Length"] == "87"


@pytest.mark.process
@pytest.mark.parametrize("size", [102400, 102401])
def test_body_limit_is_100_kib(client, job_text, size):
    """102400 bytes are taken, one more is refused with 413 and no code."""
    text = job_text(f"big-{size}")
    text += "#" * (size - len(text) - 1) + "\n"
    answer = client.submit(text)
    if size == 102400:
        assert answer.status_code == 202
    else:
        assert (answer.status_code, answer.json()) == (413, {"message": "request entity too large"})


def test_huge_body_is_refused_with_413(client):
    """100 MB do not hang the client nor fill the server."""
    answer = client("POST", "/jobs", data=b"x" * 100_000_000, headers={"Content-Type": "text/yaml"})
    assert answer.status_code == 413
    assert client("GET", "/info").status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_compressed_body_is_read(client, job_text, encoding):
    """It is refused with 415, as the real server refuses those that it does not know."""
    headers = {"Content-Type": "text/yaml", "Content-Encoding": encoding}
    packed = gzip.compress(job_text("packed").encode())
    assert client("POST", "/jobs", data=packed, headers=headers).status_code == 415


@pytest.mark.process
def test_chunked_body_is_read(client, job_text):
    """A body without a length, in chunks, is read like any other."""
    text = job_text("chunked").encode()
    answer = client(
        "POST", "/jobs", data=iter([text[:50], text[50:]]), headers={"Content-Type": "text/yaml"}
    )
    assert answer.status_code == 202
    client.wait("chunked")


def test_json_and_form_bodies_are_read(cluster, client):
    """Logging in works with both; what is not an object is refused in Joi's words."""
    login = "/authn/basic/login"
    fields = {"username": cluster.user, "password": cluster.password}
    assert client("POST", login, json=fields).json()["admin"] is True
    assert client("POST", login, data=fields).json()["user"] == cluster.user
    text = client("POST", login, data="hello", headers={"Content-Type": "text/plain"})
    message = "'body' must be a mapping of keys to values, not the string 'hello'."
    assert text.json() == {"code": "InvalidParametersError", "message": message}


@pytest.mark.parametrize("path", ["/jobs/a~%E0%A4%A", "/jobs/a~%E9"])
def test_invalid_escape_in_path_is_400(cluster, path):
    """It is the client's mistake: 400."""
    request = f"GET /api/v2{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    assert _exchange(cluster, request.encode()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_cross_origin_request_is_refused(client, headers):
    """Other origins, and other names for this machine, get 403 even with a good token."""
    assert client("GET", "/jobs", headers=headers).status_code == 403
    assert client("OPTIONS", "/jobs", headers=headers).status_code == 403


def test_same_origin_and_plain_clients_are_served(cluster, client):
    """The same origin, and localhost."""
    assert client("GET", "/jobs", headers={"Origin": cluster.uri}).status_code == 200
    port = cluster.uri.rpartition(":")[2]
    assert client("GET", "/info", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_answers_allow_no_other_origin(client):
    """Unlike the real server's, answers carry no permission for other origins."""
    assert "Access-Control-Allow-Origin" not in client("GET", "/info").headers


def test_too_many_headers_are_431(cluster):
    """The server keeps running."""
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
    answer = _exchange(cluster, b"GET /api/v2/info HTTP/1.1\r\nHost: 127.0.0.1\r\n", flood, b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert requests.get(cluster.uri + "/api/v2/info", timeout=60).status_code == 200


def test_slow_clients_do_not_block_others(cluster):
    """Connections that dribble a request do not block the rest."""
    port = int(cluster.uri.rpartition(":")[2])
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(b"GET /api/v2/in")
        assert requests.get(cluster.uri + "/api/v2/info", timeout=60).status_code == 200
    finally:
        for connection in slow:
            connection.close()


def test_too_many_connections_get_503(monkeypatch):
    """Beyond a bound a connection gets 503 at once; when others end there is room again."""
    monkeypatch.setattr("openpai.core.local.api.server.MAX_CONNECTIONS", 1)
    server = Server(Response("here"))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as first:
            first.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200" in first.recv(4096)
            assert requests.get(server.uri, timeout=60).status_code == 503
        wait_until(lambda: requests.get(server.uri, timeout=60).text == "here")
    finally:
        server.end()
        thread.join()


def test_garbage_request_gets_400(cluster):
    """The server keeps running."""
    assert b"400" in _exchange(cluster, b"\x00\xff garbage\r\n\r\n")
    assert requests.get(cluster.uri + "/api/v2/info", timeout=60).status_code == 200


def test_invalid_utf8_is_replaced(client):
    """As on the real server."""
    answer = client("POST", "/jobs", data=b"name: \xff\xfe", headers={"Content-Type": "text/yaml"})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidProtocolError")


def test_server_listens_on_loopback_only(cluster):
    """No other address of this machine leads to it."""
    port = int(cluster.uri.rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in others - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), timeout=60)
    assert cluster.uri.startswith("http://127.0.0.1:")


def test_rate_limits_are_applied(plain_client):
    """The third list of a minute is refused as by the real server; a minute later all is well."""
    with LocalCluster(rate_limits={"lists_per_minute": 2}) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        left = [client("GET", "/jobs").headers["X-RateLimit-Remaining"] for _ in range(2)]
        assert left == ["1", "0"]
        refused = client("GET", "/jobs")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert refused.headers["Content-Type"] == "text/html; charset=utf-8"
        assert client("GET", "/virtual-clusters").status_code == 200
        cluster.advance("61s")
        assert client("GET", "/jobs").status_code == 200
        client.close()
