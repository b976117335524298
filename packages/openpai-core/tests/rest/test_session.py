"""The session: what is sent, what is repeated, and what each refusal becomes."""

import time

import pytest
from werkzeug import Response

from openpai.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    JobNotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from openpai.core.rest.session import Session

INFO = "/rest-server/api/v2/info"

pytestmark = pytest.mark.usefixtures("clock")


def in_turn(*answers):
    """Answer each request with the next of these; the last one stays."""
    left = list(answers)

    def handler(request):
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


OK = {"response": b'{"ok": true}', "content_type": "application/json"}


def ok():
    """An answer as the server gives it."""
    return Response(**OK)


def test_token_and_user_agent_are_sent(session, httpserver):
    """The server learns who asks, and by which client."""
    httpserver.expect_request(INFO).respond_with_json({})
    session.get("/info")
    headers = httpserver.log[0][0].headers
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["User-Agent"].startswith("openpai-sdk/")


def test_address_with_rest_server_is_the_same_cluster(httpserver):
    """Users give either form."""
    httpserver.expect_request(INFO).respond_with_json({"ok": 1})
    session = Session(httpserver.url_for("/rest-server/"))
    assert session.get("/info") == {"ok": 1}
    session.close()


def test_session_closes_with_block(httpserver):
    """And can be used again, as a closed one can."""
    httpserver.expect_request("/rest-server/api/v2/info").respond_with_json({"version": "1"})
    with Session(httpserver.url_for("/")) as session:
        session.get("/info")
        first = session.http
        assert session.http is first
    with session:
        assert session.http is not first
        assert session.get("/info") == {"version": "1"}


def test_netrc_does_not_replace_token(session, httpserver, tmp_path, monkeypatch):
    """By default requests sends the credentials of ~/.netrc."""
    (tmp_path / ".netrc").write_text("machine localhost login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    httpserver.expect_request(INFO).respond_with_json({})
    session.http.trust_env = True
    session.get("/info")
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_safe_call_is_repeated_after_bad_gateway(session, httpserver, status):
    """Two bad gateways and then an answer: the caller sees the answer."""
    httpserver.expect_request(INFO).respond_with_handler(
        in_turn(Response(status=status), Response(status=status), ok())
    )
    assert session.get("/info") == {"ok": True}
    assert len(httpserver.log) == 3


def test_unsafe_call_is_not_repeated(session, httpserver):
    """A POST that failed may have taken effect."""
    httpserver.expect_request(INFO).respond_with_data("", status=503)
    with pytest.raises(ServerError):
        session.send("POST", "/info")
    assert len(httpserver.log) == 1


def test_plain_500_is_not_repeated(session, httpserver):
    """rest-server answers 500 to many permanent mistakes of the client."""
    httpserver.expect_request(INFO).respond_with_json({"message": "boom"}, status=500)
    with pytest.raises(ServerError, match="boom"):
        session.get("/info")
    assert len(httpserver.log) == 1


def test_fresh_token_refused_at_first_is_retried(session, httpserver):
    """The server does not wait until a new token is stored."""
    httpserver.expect_request(INFO).respond_with_handler(in_turn(Response(status=401), ok()))
    session.renew("new")
    assert session.get("/info") == {"ok": True}


def test_old_token_refused_raises_at_once(session, httpserver):
    """Nothing is gained by asking again."""
    httpserver.expect_request(INFO).respond_with_json(
        {"code": "UnauthorizedUserError", "message": "Your token is invalid."}, status=401
    )
    with pytest.raises(AuthenticationError) as caught:
        session.get("/info")
    assert len(httpserver.log) == 1
    assert "opai cluster login" in caught.value.hint


def test_short_rate_limit_is_waited_for(session, httpserver):
    """429 is text; X-RateLimit-Reset says when to come back."""
    limited = Response(
        "Too many requests", 429, {"X-RateLimit-Reset": str(int(time.time()) + 1)}, "text/html"
    )
    httpserver.expect_request(INFO).respond_with_handler(in_turn(limited, ok()))
    assert session.get("/info") == {"ok": True}


def test_long_rate_limit_raises_with_reset(session, httpserver):
    """An hour is not waited for inside one call."""
    reset = int(time.time()) + 3000
    httpserver.expect_request(INFO).respond_with_data(
        "Too many requests", 429, {"X-RateLimit-Reset": str(reset)}, "text/html"
    )
    with pytest.raises(RateLimitError) as caught:
        session.get("/info")
    assert caught.value.reset == reset


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "ForbiddenUserError", PermissionDeniedError),
        (404, "NoJobError", JobNotFoundError),
        (409, "ConflictJobError", ConflictError),
        (400, "IncorrectPasswordError", AuthenticationError),
        (400, "SomethingNew", ApiError),
        (500, "ECONNREFUSED", ServerError),
    ],
)
def test_refusal_class_follows_code(session, httpserver, status, code, kind):
    """Codes are an open set; the class is found by code, then by status."""
    httpserver.expect_request(INFO).respond_with_json({"code": code, "message": "no"}, status)
    with pytest.raises(kind) as caught:
        session.get("/info")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.request.startswith("GET http://localhost")


def test_schema_errors_are_parsed_from_message(session, httpserver):
    """The server packs a JSON array into the text of the message."""
    message = (
        '[{"dataPath": ".name", "message": "should be string"},'
        ' {"dataPath": "", "message": "should have required property \'type\'"}]'
    )
    httpserver.expect_request(INFO).respond_with_json(
        {"code": "InvalidProtocolError", "message": message}, 400
    )
    with pytest.raises(ApiError) as caught:
        session.get("/info")
    assert caught.value.message == (
        "The server refused the job: .name should be string; "
        "the job should have required property 'type'."
    )


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", "null", "[]", '{"message": 7}'])
def test_refusal_without_usable_body_is_described_by_status(session, httpserver, body):
    """Proxies send HTML, the server sometimes null."""
    httpserver.expect_request(INFO).respond_with_data(body, status=404)
    with pytest.raises(ApiError, match="The server answered 404"):
        session.get("/info")


def test_web_page_with_status_200_is_refused(session, httpserver):
    """Pylon serves the portal under unknown paths."""
    httpserver.expect_request(INFO).respond_with_data("<html>", content_type="text/html")
    with pytest.raises(ServerError, match="text/html where JSON was expected"):
        session.get("/info")


def test_redirect_keeps_method_body_and_token(session, httpserver):
    """Pylon answers 307 when https is on."""
    httpserver.expect_request("/rest-server/api/v2/old").respond_with_data(
        "", 307, {"Location": httpserver.url_for(INFO)}
    )
    httpserver.expect_request(INFO).respond_with_json({"ok": 1})
    assert session.send("PUT", "/old", {"value": "STOP"}) == {"ok": 1}
    last = httpserver.log[-1][0]
    assert (last.method, last.get_json()) == ("PUT", {"value": "STOP"})
    assert last.headers["Authorization"] == "Bearer t0ken"


def test_token_is_not_sent_to_logs_or_other_hosts(session, httpserver):
    """Log URLs carry a token of their own."""
    httpserver.expect_request("/log-manager/x").respond_with_data("log")
    session.request("GET", "/log-manager/x")
    session.request("GET", httpserver.url_for("/log-manager/x").replace("localhost", "127.0.0.1"))
    assert all("Authorization" not in request.headers for request, _ in httpserver.log)
