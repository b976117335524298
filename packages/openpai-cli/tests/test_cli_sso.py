"""Signing in with a browser, against a stand-in for a cluster whose users do so."""

from __future__ import annotations

import sys
from urllib.parse import urlencode

import pytest
from werkzeug import Response

FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"


@pytest.fixture
def uri(httpserver):
    """A cluster of OIDC users: its login sends the browser back with a token."""
    api = "/rest-server/api/v2"
    httpserver.expect_request(f"{api}/info").respond_with_json({"authnMethod": "OIDC"})
    httpserver.expect_request(f"{api}/tokens/check").respond_with_json({"username": "alice"})

    def sign_in(request):
        query = {"user": "alice", "token": "a.b.c", "admin": "false", "from": request.args["from"]}
        return Response("", 302, {"Location": f"{request.args['redirect_uri']}?{urlencode(query)}"})

    httpserver.expect_request("/rest-server/api/v1/authn/oidc/login").respond_with_handler(sign_in)
    return httpserver.url_for("").rstrip("/")


@pytest.mark.process
def test_sso_login_by_browser(opai, uri, monkeypatch, tmp_path):
    """The token that the browser brought is stored and never shown."""
    (tmp_path / "fetch.py").write_text(FETCH)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {tmp_path / 'fetch.py'} %s")
    monkeypatch.setattr("webbrowser._tryorder", None)
    added = opai("cluster", "add", "corp", "--pai-uri", uri, "--sso")
    assert added.exit_code == 0, added.stderr
    assert "a.b.c" not in added.stdout + added.stderr
    assert opai("cluster", "token", "corp").stdout.strip() == "a.b.c"


def test_sso_without_browser_requires_pasted_address(opai, uri, monkeypatch):
    """The address is shown, and what is pasted must be the one at which the sign-in ended."""
    monkeypatch.setenv("BROWSER", "false")
    monkeypatch.setattr("webbrowser._tryorder", [])
    refused = opai("cluster", "add", "corp", "--pai-uri", uri, "--sso", stdin="http://x/y\n")
    assert refused.exit_code == 3
    assert "Sign in here: http" in refused.stderr
    assert "not where the sign-in ended" in refused.stderr
    assert "corp" not in opai("cluster", "list").stdout
