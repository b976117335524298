"""Discovery finds a cluster at any pasted address, and reports anything else as an error."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from werkzeug import Response

from openpai.core.client.discovery import discover
from openpai.core.errors import ConfigError, ConnectionFailed, RateLimitError

CA = str(Path(__file__).resolve().parent.parent / "data" / "tls" / "ca.pem")
pytestmark = pytest.mark.usefixtures("clock")

INFO = {"name": "PAI RESTful API", "version": "1.8.0", "authnMethod": "basic"}


@pytest.fixture
def pai(httpserver):
    """Return a function that puts a PAI under a folder of a server whose other pages are HTML."""

    def serve(path="/rest-server/api/v2/info", **headers):
        httpserver.expect_request(path).respond_with_json(INFO, headers=headers)
        portal = Response("<html>portal</html>", 200, content_type="text/html")
        httpserver.expect_request("/").respond_with_response(portal)
        return httpserver.url_for("").rstrip("/")

    return serve


@pytest.fixture
def nobody():
    """HOST:PORT where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    "suffix",
    [
        *("", "/", "/rest-server", "/rest-server/", "/rest-server/api/v2/info"),
        *("/index.html", "/job-list.html?vc=default#/", "/login.html", "/job-detail.html?a=b"),
        *("/api/v2", "/some/page"),
    ],
)
@pytest.mark.parametrize("scheme", ["http://", ""], ids=["with scheme", "without"])
def test_any_page_leads_to_cluster(pai, suffix, scheme):
    """With and without scheme, API path, trailing slash, page of the portal."""
    uri = pai()
    found = discover(f" {scheme}{uri[len('http://') :]}{suffix} ")
    assert (found.uri, found.info.version, found.clock_ahead) == (uri, "1.8.0", 0)


@pytest.mark.parametrize("suffix", ["", "/api/v2", "/api/v2/info", "/api/v1"])
def test_rest_server_without_pylon_is_found(pai, suffix):
    """Its address is kept with /api/v2, since logs are read elsewhere then."""
    uri = pai("/api/v2/info")
    assert discover(uri + suffix).uri == f"{uri}/api/v2"


def test_cluster_in_folder_is_found(pai):
    """Some sites put all of PAI behind a path."""
    uri = pai("/pai/rest-server/api/v2/info")
    assert discover(f"{uri}/pai/job-list.html").uri == f"{uri}/pai"


def test_no_token_is_sent(pai, httpserver):
    """Nobody knows yet who answers there."""
    discover(pai())
    assert all("Authorization" not in request.headers for request, _ in httpserver.log)


def test_https_is_found_under_http(https):
    """`http://` on a port that speaks https: the safer one is taken."""
    uri = https().url_for("").rstrip("/")
    assert discover(uri.replace("https:", "http:"), verify=CA).uri == uri
    assert discover(uri[len("https://") :], verify=CA).uri == uri


def test_http_is_not_used_for_https(pai):
    """Who wrote https does not send a password in the open; the hint names what answers."""
    uri = pai()
    with pytest.raises(ConnectionFailed, match="does not speak https") as caught:
        discover(uri.replace("http:", "https:"))
    assert f"A PAI cluster answers at {uri}" in caught.value.hint


@pytest.mark.parametrize(
    ("certificate", "verify", "words"),
    [
        ("server.pem", True, "is not trusted"),
        ("expired.pem", CA, "has expired"),
        ("future.pem", CA, "is not valid yet"),
    ],
)
@pytest.mark.parametrize("scheme", ["https://", "http://", ""])
def test_untrusted_certificate_ends_search(https, certificate, verify, words, scheme):
    """Whatever was written: nothing falls back to http behind a bad certificate."""
    uri = https(certificate).url_for("").rstrip("/")
    with pytest.raises(ConnectionFailed, match=words) as caught:
        discover(scheme + uri[len("https://") :], verify=verify)
    assert caught.value.hint


def test_wrong_port_raises(nobody):
    """Nothing listens there."""
    with pytest.raises(ConnectionFailed, match="was refused") as caught:
        discover(f"http://{nobody}")
    assert nobody in caught.value.message


def test_other_server_is_refused(httpserver):
    """It answers, with pages of its own or JSON of its own."""
    httpserver.expect_request("/rest-server/api/v2/info").respond_with_json(["other"])
    with pytest.raises(ConnectionFailed, match="is not a PAI cluster") as caught:
        discover(httpserver.url_for("/"))
    assert "web portal" in caught.value.hint


def test_cluster_behind_failing_proxy_raises(httpserver):
    """The address may be right."""
    page = Response("<html>502</html>", 502, content_type="text/html")
    httpserver.expect_request("/rest-server/api/v2/info").respond_with_response(page)
    with pytest.raises(ConnectionFailed, match="answered 502: what stands behind it is down"):
        discover(httpserver.url_for("/"))


def test_rate_limit_raises(httpserver):
    """A limit of an hour is not waited for."""
    headers = {"X-RateLimit-Reset": str(int(time.time()) + 3600), "Retry-After": "3600"}
    page = Response("Too many", 429, content_type="text/html", headers=headers)
    httpserver.expect_request("/rest-server/api/v2/info").respond_with_response(page)
    with pytest.raises(RateLimitError):
        discover(httpserver.url_for("/"))


@pytest.mark.parametrize("hours", [1, -1])
def test_clock_skew_is_measured(proxy, hours):
    """The Date of an answer says how late it is there."""
    proxy.date = formatdate(time.time() + 3600 * hours, usegmt=True)
    assert abs(discover(proxy.uri).clock_ahead - 3600 * hours) < 120


@pytest.mark.parametrize("text", ["", "ftp://pai.example.org", "http://", "http://h:port", "a b:c"])
def test_invalid_address_raises(text):
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="is not an address"):
        discover(text)
