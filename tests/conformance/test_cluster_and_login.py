"""The cluster itself, who one is there, and tokens."""

from __future__ import annotations

import socket
from datetime import datetime, timezone

import pytest

from openpai.core import Cluster
from openpai.core.client.discovery import discover
from openpai.core.errors import (
    AuthenticationError,
    ConfigError,
    ConnectionFailed,
    NotFoundError,
    OpenPaiError,
    PermissionDeniedError,
    ServerError,
)
from openpai.core.rest import authn, cluster as rest_cluster, groups, users, virtual_clusters


def test_info_needs_no_token(place):
    """So an address can be tried before anybody logs in."""
    with Cluster(place.uri) as cluster:
        found = cluster.info()
    assert found.launcher_type == "k8s"
    assert found.authn_method in ("basic", "OIDC")


def test_authn_info_names_login(cluster):
    """By password or with a browser."""
    found = rest_cluster.get_authn_info(cluster.session)
    assert found.authn_type in ("basic", "OIDC")
    assert found.login_uri.startswith("/")


@pytest.mark.parametrize("ending", ["/", "/rest-server", "/rest-server/", "/rest-server/api/v2"])
def test_cluster_accepts_address_variants(place, ending):
    """With and without rest-server."""
    if place.uri.endswith("/api/v2"):
        pytest.skip("this cluster is reached without its proxy")
    with place.open() as plain, Cluster(place.uri.rstrip("/") + ending) as other:
        assert other.uri == plain.uri
        assert other.info() == plain.info()


@pytest.mark.parametrize("page", ["", "/index.html", "/job-list.html?vc=default#/"])
def test_discover_accepts_portal_page(place, page):
    """As people paste it; nothing of the user's is sent while looking."""
    if place.uri.endswith("/api/v2"):
        pytest.skip("this cluster is reached without its proxy")
    with place.open() as plain:
        found = discover(place.uri.rstrip("/") + page)
        assert (found.uri, found.info) == (plain.uri, plain.info())


def test_info_of_other_page_raises_error(place):
    """Whatever stands under another folder of the host answers otherwise than PAI."""
    with Cluster(place.uri + "/no/such/folder") as cluster, pytest.raises(OpenPaiError) as caught:
        cluster.info()
    assert isinstance(caught.value, (NotFoundError, ServerError))


def test_info_of_closed_port_raises_connection_failed():
    """In a sentence, within seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    cluster = Cluster(f"http://127.0.0.1:{port}", timeout=1)
    with cluster, pytest.raises(ConnectionFailed, match="refused"):
        cluster.info()


def test_cluster_refuses_address_without_scheme():
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="is not an address of a cluster"):
        Cluster("pai.example.org")


def test_user_is_read_from_token(place, cluster):
    """A token alone is enough to learn whose it is."""
    if not place.token:
        pytest.skip("needs OPENPAI_CONFORMANCE_TOKEN")
    with Cluster(place.uri, token=place.token) as other:
        assert other.user == cluster.user


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c"])
def test_invalid_token_raises_authentication_error(place, token):
    """With the way to get one."""
    with Cluster(place.uri, token=token) as cluster, pytest.raises(AuthenticationError) as caught:
        list(cluster.jobs(limit=1))
    assert caught.value.status == 401
    assert "opai cluster login" in caught.value.hint


def test_login_returns_token(place, password):
    """The token's own end is the one that counts: seven days unless configured otherwise."""
    with Cluster(place.uri, user=place.user) as cluster:
        token = cluster.login(password)
        claims = authn.check_token(cluster.session)
        assert claims.username == place.user
        assert not claims.application
        assert authn.TokenClaims.from_token(token).expires_at > datetime.now(timezone.utc)


def test_new_token_is_valid_at_once(place, password):
    """The server may refuse it for a moment; the client does not show it."""
    for _ in range(3):
        with Cluster(place.uri, user=place.user, password=password) as cluster:
            assert authn.check_token(cluster.session).username == place.user


def test_login_refuses_wrong_password(place, password):
    """As what it is, although the server answers 400."""
    with Cluster(place.uri, user=place.user) as cluster, pytest.raises(AuthenticationError):
        cluster.login(password + "x")


def test_login_refuses_unknown_user(place, password):
    """The server answers 400 here, too."""
    cluster = Cluster(place.uri, user="conformance-nobody")
    with cluster, pytest.raises(AuthenticationError, match="knows no user"):
        cluster.login("some-password")


def test_revoked_token_is_renewed_with_password(place, password):
    """The call succeeds after one more login."""
    with (
        place.open(token="", password=password) as cluster,
        place.open(token="", password=password) as other,
    ):
        token = cluster.session.token
        authn.check_token(other.session)
        authn.revoke_token(other.session, token)
        assert authn.check_token(cluster.session).username == place.user


def test_application_token_is_created_and_revoked(place, password):
    """It reads and submits, but does not make tokens."""
    with place.open(token="", password=password) as cluster:
        token = authn.create_application_token(cluster.session)
        assert token in authn.list_tokens(cluster.session)
        with Cluster(place.uri, token=token) as other:
            claims = authn.check_token(other.session)
            assert (claims.application, claims.expires_at) == (True, None)
            with pytest.raises(PermissionDeniedError):
                authn.list_tokens(other.session)
        authn.revoke_token(cluster.session, token)
        assert token not in authn.list_tokens(cluster.session)


def test_logout_revokes_token(place, password):
    """A token that somebody finds later is invalid."""
    with Cluster(place.uri, user=place.user, password=password) as cluster:
        token = cluster.session.token
        extra = authn.basic_login(cluster.session, place.user, password).token
        cluster.logout()
    if extra != token:  # two logins in one second give one token
        with Cluster(place.uri, token=token) as cluster, pytest.raises(AuthenticationError):
            authn.check_token(cluster.session)


def test_resources_lists_virtual_clusters(cluster):
    """What is free is never below zero."""
    mine = cluster.resources()
    assert mine
    assert set(mine) <= set(cluster.virtual_clusters())
    for found in mine.values():
        assert min(found.free.cpu, found.free.memory_mb, found.free.gpu) >= 0


def test_unknown_virtual_cluster_raises_not_found(cluster):
    """By name."""
    with pytest.raises(NotFoundError):
        virtual_clusters.get_virtual_cluster(cluster.session, "conformance_no_such_vc")


def test_storages_hide_keys(cluster):
    """Those granted to the user; their keys are in no message."""
    for spec in cluster.storages():
        assert spec.name
        for value in (spec.data or {}).values():
            assert len(str(value)) < 4 or str(value) not in repr(spec)


def test_unknown_storage_raises_not_found(cluster):
    """The server knows no such name."""
    with pytest.raises(NotFoundError):
        cluster.storage("conformance-no-such-storage")


def test_user_hides_keys(cluster):
    """What the server tells of users holds private keys; no repr does."""
    found = users.get_user(cluster.session, cluster.user)
    assert found.username == cluster.user
    assert "PRIVATE KEY" not in repr(found)
    known = {group.name for group in groups.list_groups(cluster.session)}
    assert set(found.groups) <= known


def test_unknown_user_raises_not_found(cluster):
    """The server answers 400."""
    with pytest.raises(NotFoundError):
        users.get_user(cluster.session, "conformance-nobody")
