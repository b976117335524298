"""Over https: who is trusted, who is not, and where a redirect may lead."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from openpai.core.errors import ConfigError, ConnectionFailed
from openpai.core.rest.session import Session

TLS = Path(__file__).resolve().parent.parent / "data" / "tls"  # keys of nothing but these tests
INFO = "/rest-server/api/v2/info"


@pytest.fixture
def open_session():
    """Return a function that opens sessions; they are closed in the end."""
    opened = []

    def start(server, **options):
        uri = server if isinstance(server, str) else server.url_for("/")
        opened.append(Session(uri, token="t0ken", timeout=60, **options))
        return opened[-1]

    yield start
    for session in opened:
        session.close()


def test_certificate_of_given_authority_is_trusted(https, open_session):
    """Clusters often have an authority of their own."""
    session = open_session(https(), verify=str(TLS / "ca.pem"))
    assert session.get("/info") == {"version": "1.8.0"}


@pytest.mark.parametrize(
    ("certificate", "verify", "words"),
    [
        ("server.pem", True, "is not trusted"),
        ("expired.pem", str(TLS / "ca.pem"), "has expired"),
        ("future.pem", str(TLS / "ca.pem"), "is not valid yet"),
    ],
)
def test_untrusted_certificate_raises(https, open_session, certificate, verify, words):
    """With what may be done; nothing was sent."""
    session = open_session(https(certificate), verify=verify)
    with pytest.raises(ConnectionFailed, match=words) as caught:
        session.get("/info")
    assert not caught.value.sent
    assert caught.value.hint


def test_verify_false_trusts_any_certificate(https, open_session, caplog):
    """And the log says so, once."""
    caplog.set_level(logging.WARNING)
    session = open_session(https(), verify=False)
    assert session.get("/info") == session.get("/info")
    assert [r.message for r in caplog.records if "not checked" in r.message] == [
        f"{session.uri}: certificates are not checked, as the settings say"
    ]


def test_environment_does_not_override_cluster_choice(https, open_session, monkeypatch, tmp_path):
    """REQUESTS_CA_BUNDLE is meant for those who made none."""
    other = tmp_path / "other.pem"
    other.write_bytes((TLS / "expired.pem").read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    session = open_session(https(), verify=str(TLS / "ca.pem"))
    session.http.trust_env = True
    assert session.get("/info") == {"version": "1.8.0"}


def test_missing_ca_file_raises_at_once():
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="There is no CA file /nowhere"):
        Session("https://pai.example.org", verify="/nowhere/ca.pem")


def test_ca_file_without_certificates_raises(https, open_session, tmp_path):
    """It may be the key, or empty."""
    (tmp_path / "ca.pem").write_text("nothing")
    session = open_session(https(), verify=str(tmp_path / "ca.pem"))
    with pytest.raises(ConnectionFailed, match="the CA file holds no certificate"):
        session.get("/info")


def test_plain_http_on_https_port_raises(https, open_session):
    """The answer is not HTTP."""
    session = open_session(https().url_for("/").replace("https:", "http:"))
    with pytest.raises(ConnectionFailed) as caught:
        session.get("/info")
    assert "write https://" in caught.value.hint


def test_redirect_to_https_is_followed_and_remembered(https, httpserver, open_session):
    """Pylon answers 307 to everything once https is on."""
    secure = https()
    secure.expect_request("/rest-server/api/v2/jobs").respond_with_json({"ok": 1})
    target = secure.url_for("/rest-server/api/v2/jobs")
    httpserver.expect_request("/rest-server/api/v2/jobs").respond_with_data(
        "", 307, {"Location": target}
    )
    session = open_session(httpserver, verify=str(TLS / "ca.pem"))
    assert session.send("POST", "/jobs", {"a": 1}) == {"ok": 1}
    assert session.send("POST", "/jobs", {"a": 2}) == {"ok": 1}
    first, second = (request for request, _ in secure.log)
    assert (first.method, first.get_json()) == ("POST", {"a": 1})
    assert first.headers["Authorization"] == second.headers["Authorization"] == "Bearer t0ken"
    assert len(httpserver.log) == 1
    assert session.uri == secure.url_for("").rstrip("/")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_post_stays_post_after_redirect(httpserver, open_session, status):
    """Others make a GET of it, whose answer looks like success."""
    httpserver.expect_request("/rest-server/api/v2/old").respond_with_data(
        "", status, {"Location": "/rest-server/api/v2/new?x=1"}
    )
    httpserver.expect_request("/rest-server/api/v2/new", method="POST").respond_with_json({})
    session = open_session(httpserver)
    session.json("POST", "/old", json={"a": 1}, params={"x": "1"})
    request = httpserver.log[-1][0]
    assert (request.get_json(), request.query_string) == ({"a": 1}, b"x=1")


@pytest.mark.parametrize(
    ("status", "target"),
    [(303, "/rest-server/api/v2/jobs"), (307, "http://127.0.0.1:9/jobs")],
    ids=["see other", "another host"],
)
def test_unsafe_call_is_not_redirected_to_other_host(httpserver, open_session, status, target):
    """A job or a password is not sent to a host that nobody named."""
    httpserver.expect_request("/rest-server/api/v2/jobs").respond_with_data(
        "", status, {"Location": target}
    )
    session = open_session(httpserver)
    with pytest.raises(ConnectionFailed, match="where this is not sent"):
        session.send("POST", "/jobs", {"a": 1})
    assert len(httpserver.log) == 1


def test_read_is_redirected_to_other_host_without_token(https, httpserver, open_session):
    """Another host, port or scheme gets no credentials."""
    other = HTTPServer(host="127.0.0.1")
    other.start()
    other.expect_request("/page").respond_with_json({"ok": 1})
    httpserver.expect_request(INFO).respond_with_data("", 302, {"Location": other.url_for("/page")})
    assert open_session(httpserver).get("/info") == {"ok": 1}
    assert "Authorization" not in other.log[0][0].headers
    other.stop()


def test_redirect_to_http_drops_token(https, httpserver, open_session):
    """Anybody could read it there."""
    secure = https()
    secure.clear()
    secure.expect_request(INFO).respond_with_data(
        "", 307, {"Location": httpserver.url_for("/page")}
    )
    httpserver.expect_request("/page").respond_with_json({"ok": 1})
    assert open_session(secure, verify=str(TLS / "ca.pem")).get("/info") == {"ok": 1}
    assert "Authorization" not in httpserver.log[0][0].headers


def test_environment_proxy_is_used(httpserver, open_session, monkeypatch):
    """The proxy sees the whole address of a cluster that cannot be reached without it."""
    monkeypatch.setenv("HTTP_PROXY", httpserver.url_for("").rstrip("/"))
    monkeypatch.setenv("http_proxy", httpserver.url_for("").rstrip("/"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    httpserver.expect_request(INFO).respond_with_json({"via": "proxy"})
    assert open_session("http://pai.invalid").get("/info") == {"via": "proxy"}
    assert httpserver.log[0][0].headers["Host"] == "pai.invalid"


def test_unreachable_proxy_raises(open_session, monkeypatch):
    """It is not the cluster's fault."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    session = open_session("http://pai.invalid")
    session.timeout = 0.3
    with pytest.raises(ConnectionFailed, match="proxy") as caught:
        session.get("/info")
    assert "HTTP_PROXY" in caught.value.hint


def test_loopback_cluster_bypasses_proxy(httpserver, open_session, monkeypatch):
    """A proxy cannot reach it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    httpserver.expect_request(INFO).respond_with_json({"ok": 1})
    assert open_session(httpserver).get("/info") == {"ok": 1}
