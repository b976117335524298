"""Signing in with a browser, against a stand-in for a cluster whose users do so."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from werkzeug import Response

pytestmark = pytest.mark.process

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


def run(*arguments, stdin="", **environ):
    """Run `opai` in a process of its own, with these variables."""
    return subprocess.run(
        [sys.executable, "-m", "openpai.cli", *arguments],
        input=stdin,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_sso_login_by_browser(opai, uri, tmp_path):
    """The token that the browser brought is stored and never shown."""
    (tmp_path / "fetch.py").write_text(FETCH)
    browser = f"{sys.executable} {tmp_path / 'fetch.py'} %s"
    added = run("cluster", "add", "corp", "--pai-uri", uri, "--sso", BROWSER=browser)
    assert added.returncode == 0, added.stderr
    assert "a.b.c" not in added.stdout + added.stderr
    assert opai("cluster", "token", "corp").stdout.strip() == "a.b.c"


def test_sso_without_browser_requires_pasted_address(opai, uri):
    """The address is shown, and what is pasted must be the one at which the sign-in ended."""
    line = ("cluster", "add", "corp", "--pai-uri", uri, "--sso")
    refused = run(*line, stdin="http://x/y\n", BROWSER="false", PATH="", DISPLAY="")
    assert refused.returncode == 3
    assert "Sign in here: http" in refused.stderr
    assert "not where the sign-in ended" in refused.stderr
    assert "corp" not in opai("cluster", "list").stdout
