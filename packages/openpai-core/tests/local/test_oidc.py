"""Signing in by OIDC: the client's login in a browser."""

from __future__ import annotations

import html
import re
import threading
from urllib.parse import urljoin

import pytest
import requests
from support.identity_provider import SignInCluster

from openpai.core import Cluster
from openpai.core.client.browser_login import BrowserLogin
from openpai.core.errors import AuthenticationError
from openpai.core.rest.authn import check_token

DIRECTORY = {"bob": ["default"], "eve": [], "carl": ["default", "admingroup"]}


@pytest.fixture(scope="module")
def oidc():
    """A cluster whose users sign in elsewhere."""
    with SignInCluster(DIRECTORY) as cluster:
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


def test_user_without_group_is_refused(oidc, browser):
    """He is sent back with the reason, as by the real server."""
    with Cluster(oidc.uri) as cluster, BrowserLogin(cluster.session) as login:
        assert "The login failed" in _sign_in(browser, login.url, "eve", oidc.password).text
        with pytest.raises(AuthenticationError, match="not in any group"):
            login.wait(timeout=60)
