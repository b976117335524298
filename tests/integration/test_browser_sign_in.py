"""`opai` signs in with a real browser, at a cluster whose users sign in elsewhere (OIDC)."""

from __future__ import annotations

import json
import sys

import pytest
from support.identity_provider import SignInCluster

#: Stands in for the browser that the user has set up: it opens Chromium and types.
BROWSER = """\
import sys
from playwright.sync_api import sync_playwright

program, password, address = sys.argv[1:]
quiet = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=program, args=quiet)
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.fill("[name=user]", "bob")
    page.fill("[name=password]", password)
    page.click("button")
    page.locator("body", has_text="You are logged in").wait_for()
    assert "token" not in page.url
    browser.close()
"""


def test_cluster_add_signs_in_with_browser(opai, needs, tmp_path, monkeypatch):
    """From `cluster add --sso` through the provider's page and back; then commands work."""
    pytest.importorskip("playwright")
    chromium = needs("chromium")
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    with SignInCluster({"bob": ["default"]}) as oidc:
        words = (sys.executable, str(script), chromium, oidc.password, "%s")
        monkeypatch.setenv("BROWSER", " ".join(words))
        opai("cluster", "add", "corp", "--pai-uri", oidc.uri, "--sso")
        (cluster,) = json.loads(opai("cluster", "list", "-o", "json").stdout)
        assert cluster["user"] == "bob", cluster
        submit = ("job", "sub", "--image", "i", "--name", "mine", "--cpu", "1", "--mem", "64m")
        assert opai(*submit, "--follow", "--", "echo hello").stdout == "hello\n"
        (job,) = json.loads(opai("job", "list", "-o", "json").stdout)
        assert job["username"] == "bob"
