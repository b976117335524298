"""Signing in with a browser, against a stand-in for the server and its identity provider."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from werkzeug import Response

from openpai.core import Cluster
from openpai.core.client.browser_login import BrowserLogin
from openpai.core.errors import AuthenticationError, WaitTimeout
from openpai.core.rest.authn import oidc_logout_url

TOKEN = "header.claims.signature"


@pytest.fixture
def provider(httpserver):
    """Answer the login as the server does after a sign-in; tests may change what it says."""
    said = {"user": "alice", "token": TOKEN, "admin": "false", "hasGitHubPAT": ""}

    def sign_in(request):
        query = {**said, "from": request.args["from"]}
        return Response("", 302, {"Location": f"{request.args['redirect_uri']}?{urlencode(query)}"})

    httpserver.expect_request("/rest-server/api/v1/authn/oidc/login").respond_with_handler(sign_in)
    return said


def browse(url):
    """What a browser does: follow the redirects."""
    with requests.Session() as browser:
        browser.trust_env = False
        return browser.get(url, timeout=60)


def test_browser_delivers_token(session, provider):
    """The redirect reaches the listener, whose page asks the user to close the window."""
    with BrowserLogin(session) as login:
        answer = []
        thread = threading.Thread(target=lambda: answer.append(browse(login.url)))
        thread.start()
        found = login.wait(timeout=60)
        thread.join()
    assert (found.user, found.token, found.admin) == ("alice", TOKEN, False)
    assert "You are logged in" in answer[0].text
    assert TOKEN not in answer[0].text
    assert TOKEN not in repr(found)


def test_admin_flag_is_parsed(session, provider):
    """The server says it by a text."""
    provider["admin"] = "true"
    with BrowserLogin(session) as login:
        browse(login.url)
        assert login.wait(timeout=60).admin is True


def test_refused_login_raises(session, provider):
    """The server sends the browser back with a message."""
    provider.clear()
    provider["errorMessage"] = "User is not in any group"
    with BrowserLogin(session) as login:
        assert "The login failed" in browse(login.url).text
        with pytest.raises(AuthenticationError, match="not in any group"):
            login.wait(timeout=60)


def test_foreign_token_is_ignored(session):
    """The path is secret, and what the server gives back must be this sign-in's."""
    with BrowserLogin(session) as login:
        back = parse_qs(urlsplit(login.url).query)["redirect_uri"][0]
        origin = back.rpartition("/")[0]
        assert browse(f"{origin}/?user=eve&token=evil").status_code == 404
        assert browse(f"{back}?user=eve&token=evil&from=other").status_code == 404
        with pytest.raises(WaitTimeout, match="Nobody signed in"):
            login.wait(timeout=0.05)


def test_pasted_address_is_accepted(session, provider):
    """The browser elsewhere ends at an address that it cannot open."""
    with BrowserLogin(session) as login:
        with requests.Session() as browser:
            browser.trust_env = False
            address = browser.get(login.url, allow_redirects=False, timeout=60).headers["Location"]
        assert login.accept(f" {address}\n").token == TOKEN


@pytest.mark.parametrize("address", ["", "https://example.org", "http://127.0.0.1:1/x?token=evil"])
def test_other_address_is_refused(session, address):
    """With a word on what to copy."""
    with BrowserLogin(session) as login, pytest.raises(AuthenticationError) as caught:
        login.accept(address)
    assert "Copy the whole address" in caught.value.hint


def test_password_login_on_oidc_cluster_raises(httpserver):
    """The routes of the other way to log in do not exist there."""
    httpserver.expect_request("/rest-server/api/v2/authn/basic/login").respond_with_json(
        {"code": "NoApiError", "message": "API is not found."}, 404
    )
    cluster = Cluster(httpserver.url_for("/"), user="alice")
    with cluster, pytest.raises(AuthenticationError, match="takes no passwords"):
        cluster.login("a-password")


def test_logout_address_is_the_providers(session):
    """It is the provider's; PAI's tokens stay good."""
    assert oidc_logout_url(session).endswith("/rest-server/api/v2/authn/oidc/logout")
