"""Signing in by OIDC: the local cluster as one that has no passwords of its own."""

from __future__ import annotations

import html
import re
import threading
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests

from openpai.core import Cluster
from openpai.core.browser_login import BrowserLogin
from openpai.core.errors import AuthenticationError
from openpai.core.local import LocalCluster
from openpai.core.rest.authn import check_token

DIRECTORY = {"bob": ["default"], "eve": [], "carl": ["default", "admingroup"]}


@pytest.fixture(scope="module")
def oidc():
    """A cluster whose users sign in elsewhere."""
    with LocalCluster(authn="OIDC", directory=DIRECTORY) as cluster:
        yield cluster


@pytest.fixture
def browser():
    """What a browser does with addresses and forms."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def _submit(browser, page, **fields):
    """Send the form of a page, filled in."""
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    values = {name: html.unescape(value) for name, value in hidden}
    action = urljoin(page.url, re.search(r'action="([^"]+)"', page.text).group(1))
    return browser.post(action, data={**values, **fields}, timeout=60)


def _sign_in(browser, url, user, password):
    """Go through the provider's pages; return where it ends."""
    page = browser.get(url, timeout=60)
    code = _submit(browser, page, user=user, password=password)
    return _submit(browser, code) if "code" in code.text else code


def test_login_mode_is_reported(oidc, browser):
    """Where clients ask for it; the addresses of the other way are not served."""
    info = browser.get(f"{oidc.uri}/rest-server/api/v2/authn/info", timeout=60).json()
    assert info == {
        "authn_type": "OIDC",
        "loginURI": "/api/v1/authn/oidc/login",
        "loginURIMethod": "get",
    }
    assert browser.get(f"{oidc.uri}/api/v2/info", timeout=60).json()["authnMethod"] == "OIDC"
    for path in ("/api/v2/authn/basic/login", "/api/v2/tokens", "/api/v2/users"):
        answer = browser.post(oidc.uri + path, json={}, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (404, "NoApiError")


def test_oidc_routes_are_off_by_default(cluster, browser):
    """A cluster with passwords has no such addresses."""
    answer = browser.get(f"{cluster.uri}/api/v1/authn/oidc/login", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (404, "NoApiError")


@pytest.mark.parametrize(("user", "admin"), [("bob", False), ("carl", True)])
def test_client_logs_in_with_browser(oidc, browser, user, admin):
    """From the client's listener to the provider and back; the user is made with his groups."""
    with Cluster(oidc.uri) as cluster, BrowserLogin(cluster.session) as login:
        arguments = (browser, login.url, user, oidc.password)
        thread = threading.Thread(target=_sign_in, args=arguments)
        thread.start()
        found = login.wait(timeout=60)
        thread.join()
        assert (found.user, found.admin) == (user, admin)
        cluster.use_token(found.token)
        assert check_token(cluster.session).username == user


def test_wrong_password_is_refused(oidc, browser):
    """The provider asks again and gives out no code."""
    page = _sign_in(browser, f"{oidc.uri}/api/v1/authn/oidc/login", "bob", "wrong-one")
    assert "User or password is wrong" in page.text
    assert "code" not in page.text


def test_user_without_group_is_refused(oidc, browser):
    """He is sent back with the reason, as by the real server."""
    with Cluster(oidc.uri) as cluster, BrowserLogin(cluster.session) as login:
        assert "The login failed" in _sign_in(browser, login.url, "eve", oidc.password).text
        with pytest.raises(AuthenticationError, match="not in any group"):
            login.wait(timeout=60)


def test_code_is_used_once_and_expires(oidc, browser):
    """A second use, or one after a minute, gives no token."""
    page = browser.get(f"{oidc.uri}/api/v1/authn/oidc/login", timeout=60)
    for wait in ("0s", "2m"):
        code = _submit(browser, page, user="bob", password=oidc.password)
        oidc.advance(wait)
        if wait == "0s":
            assert "token=" in _submit(browser, code).url
        assert "errorMessage=" in _submit(browser, code).url


def test_unknown_code_is_refused(oidc, browser):
    """The second version of the address answers in JSON."""
    body = {"code": "guess", "state": '{"redirect": "/", "from": ""}'}
    answer = browser.post(f"{oidc.uri}/api/v2/authn/oidc/return", data=body, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, "UnauthorizedUserError")


@pytest.mark.parametrize("target", ["https://evil.example/x", "//evil.example/x"])
def test_redirect_is_limited_to_loopback(oidc, browser, target):
    """Unlike the real server it sends nobody elsewhere, whatever the state says."""
    query = urlencode({"redirect_uri": target})
    answer = browser.get(f"{oidc.uri}/api/v1/authn/oidc/login?{query}", timeout=60)
    assert answer.status_code == 400
    page = browser.get(f"{oidc.uri}/api/v1/authn/oidc/login", timeout=60)
    code = _submit(browser, page, user="bob", password=oidc.password)
    state = f'{{"redirect": "{target}", "from": ""}}'
    assert _submit(browser, code, state=state).status_code == 400


def test_return_parameters_match_server(oidc, browser):
    """The real server's query; ``from`` is what was given."""
    query = urlencode({"from": "a&b"})
    end = _sign_in(browser, f"{oidc.uri}/api/v1/authn/oidc/login?{query}", "bob", oidc.password)
    found = parse_qs(urlsplit(end.url).query, keep_blank_values=True)
    assert sorted(found) == ["admin", "from", "hasGitHubPAT", "token", "user"]
    assert (found["user"], found["admin"], found["from"]) == (["bob"], ["false"], ["a&b"])


def test_logout_keeps_tokens(oidc, browser):
    """Only the provider's session ends."""
    page = browser.get(f"{oidc.uri}/api/v2/authn/oidc/logout", timeout=60)
    assert "signed out" in page.text
    token = {"Authorization": f"Bearer {oidc.token}"}
    answer = browser.get(f"{oidc.uri}/api/v2/tokens/check", headers=token, timeout=60)
    assert answer.status_code == 200


def test_unknown_login_mode_raises():
    """It is refused with the known ones."""
    with pytest.raises(Exception, match="no way 'ldap' to log in"):
        LocalCluster(authn="ldap").start()
