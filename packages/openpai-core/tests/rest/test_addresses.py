"""Addresses of clusters as users write them, and of everything on a cluster."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given, strategies as st

from openpai.core.errors import ConfigError, NotFoundError
from openpai.core.rest.address import Address, masked, segment


@pytest.mark.parametrize(
    ("written", "uri", "info"),
    [
        ("https://pai.org", "https://pai.org", "https://pai.org/rest-server/api/v2/info"),
        ("https://pai.org/", "https://pai.org", "https://pai.org/rest-server/api/v2/info"),
        ("http://pai.org:8080/rest-server/", "http://pai.org:8080", None),
        ("http://pai.org/rest-server/api/v2", "http://pai.org", None),
        ("http://m:9186/api/v2", "http://m:9186/api/v2", "http://m:9186/api/v2/info"),
        ("https://gate.org/pai", "https://gate.org/pai", None),
        ("https://pai.org/?x=1#y", "https://pai.org", None),
        ("http://[::1]:80", "http://[::1]:80", None),
    ],
)
def test_address_forms_are_equivalent(written, uri, info):
    """With and without rest-server, with and without pylon."""
    address = Address.parse(written)
    assert address.uri == uri
    assert Address.parse(address.uri) == address
    if info:
        assert address.url("/info") == info


@pytest.mark.parametrize(
    "written",
    [
        "",
        "pai.org",
        "ftp://pai.org",
        "http://",
        "https://:80",
        "http://h:99999",
        "http://h:x",
        "http://[",
    ],
)
def test_invalid_address_raises(written):
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="is not an address of a cluster"):
        Address.parse(written)


def test_password_in_address_is_refused_and_hidden():
    """Every message would show it."""
    with pytest.raises(ConfigError) as caught:
        Address.parse("https://alice:s3cret@pai.org")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        Address.parse("htps://alice:s3cret@pai.org")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "path", "url"),
    [
        (
            "http://p",
            "/log-manager/10.0.0.1:9103/api/x?a=1",
            "http://p/log-manager/10.0.0.1:9103/api/x?a=1",
        ),
        (
            "http://m:9186/api/v2",
            "/log-manager/10.0.0.1:9103/api/x?a=1",
            "http://10.0.0.1:9103/api/x?a=1",
        ),
        ("http://p", "/api/v2/jobs/a~b/x", "http://p/rest-server/api/v2/jobs/a~b/x"),
        ("http://m:9186/api/v2", "/api/v2/jobs/a~b/x", "http://m:9186/api/v2/jobs/a~b/x"),
        ("http://p", "/rest-server/api/internal/tail", "http://p/rest-server/api/internal/tail"),
        (
            "http://m:9186/api/v2",
            "/rest-server/api/internal/tail",
            "http://m:9186/api/internal/tail",
        ),
        (
            "http://p",
            "https://x.blob.core.windows.net/l?sig=1",
            "https://x.blob.core.windows.net/l?sig=1",
        ),
    ],
)
def test_server_paths_are_resolved(written, path, url):
    """Without pylon, logs are on another server."""
    assert Address.parse(written).url(path) == url


NAMES = st.text(min_size=1, max_size=40).filter(lambda t: "/" not in t and t not in (".", ".."))


@given(name=NAMES)
def test_names_are_encoded(name):
    """With ~, dots, blanks, percent signs and letters of all scripts."""
    url = Address.parse("http://pai.org").url(f"/jobs/{segment(name)}/config")
    sent = requests.Request("GET", url).prepare().url
    assert unquote(urlsplit(sent).path) == f"/rest-server/api/v2/jobs/{name}/config"
    assert urlsplit(sent).query == ""


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../users"])
def test_names_that_change_the_path_are_refused(name):
    """Nothing on a cluster is called so."""
    with pytest.raises(NotFoundError):
        segment(name)


def test_tilde_is_not_encoded():
    """Pylon forwards paths decoded; user~job needs no quoting."""
    assert segment("alice~job_1") == "alice~job_1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/api/v2/tokens/eyJ.a.b", "/api/v2/tokens/***"),
        ("/api/v2/tokens/application", "/api/v2/tokens/application"),
        ("/api/v2/tokens/check", "/api/v2/tokens/check"),
        ("/api/v1/token/eyJ.a.b", "/api/v1/token/***"),
        (
            "/log-manager/n:1/x?username=a&token=eyJ.a.b&t=1",
            "/log-manager/n:1/x?username=a&token=***&t=1",
        ),
        ("https://x.blob/l?sv=1&sig=abc%3D", "https://x.blob/l?sv=1&sig=***"),
    ],
)
def test_tokens_in_addresses_are_masked(url, shown):
    """They stand in paths and in queries."""
    assert masked(url) == shown
