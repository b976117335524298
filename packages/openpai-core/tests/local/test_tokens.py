"""Tokens: what they say, who may show them, and when they are good no more."""

import base64
import json

import pytest
import requests

from openpai.core.local.state.tokens import sign, verify


@pytest.fixture
def login(cluster, client, plain_client):
    """A client with a user token of its own, from a login."""
    clients = []

    def fresh():
        body = {"username": cluster.user, "password": cluster.password}
        answer = client("POST", "/authn/basic/login", json=body)
        clients.append(plain_client(cluster.uri, cluster.user, answer.json()["token"]))
        return clients[-1]

    yield fresh
    for one in clients:
        one.close()


def _token(client):
    return client.session.headers["Authorization"].partition(" ")[2]


def _claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_user_token_lives_seven_days(login):
    """Its claims are those of the real server, and say when it expires."""
    claims = _claims(_token(login()))
    assert list(claims) == [
        *("username", "application", "jobSpecific", "encodedFrameworkName", "iat", "exp")
    ]
    assert claims["exp"] - claims["iat"] == 7 * 24 * 3600


def test_application_token_never_expires(login):
    """It has no exp."""
    answer = login()("POST", "/tokens/application")
    assert answer.json()["application"] is True
    assert "exp" not in _claims(answer.json()["token"])


def test_application_token_cannot_manage_tokens(client):
    """It is refused with 403, though it is good."""
    answer = client("GET", "/tokens")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Applications are not allowed to do this operation."


def test_tokens_of_user_are_listed(login):
    """Both kinds are listed, without anything else."""
    client = login()
    application = client("POST", "/tokens/application").json()["token"]
    listed = client("GET", "/tokens").json()["tokens"]
    assert {_token(client), application} <= set(listed)


def test_revoked_token_is_refused(login):
    """Revoking is immediate; doing it twice is fine."""
    client = login()
    application = client("POST", "/tokens/application").json()["token"]
    header = {"Authorization": f"Bearer {application}"}
    for _ in range(2):
        answer = client("DELETE", f"/tokens/{application}")
        assert (answer.status_code, answer.json()) == (200, {"message": "revoke successfully"})
    assert client("GET", "/jobs", headers=header).status_code == 401


def test_logout_revokes_token(login):
    """Afterwards it opens nothing."""
    client = login()
    assert client("DELETE", "/authn/basic/logout").json()["message"] == "Logout successfully"
    assert client("GET", "/jobs").status_code == 401


def test_check_returns_user(cluster, login):
    """The claims, and whether the user is an admin now."""
    found = login()("GET", "/tokens/check").json()
    assert (found["username"], found["admin"]) == (cluster.user, True)


@pytest.mark.parametrize(
    "header",
    ["Bearer garbage", "Bearer  two-spaces", "Bearer ", "Digest x", "Basic !!", "nonsense"],
)
def test_invalid_authorization_header_is_401(cluster, header):
    """Whatever is wrong with it, the answer is one."""
    answer = requests.get(
        cluster.uri + "/api/v2/jobs", headers={"Authorization": header}, timeout=60
    )
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "UnauthorizedUserError",
        "message": "Your token is invalid.",
    }


def test_token_works_as_password(cluster, login):
    """Basic takes an application token under its user's name, and nothing else."""
    client = login()
    application = client("POST", "/tokens/application").json()["token"]
    uri = cluster.uri + "/api/v2/tokens/check"

    def status(name, secret):
        return requests.get(uri, auth=(name, secret), timeout=60).status_code

    assert status(cluster.user, application) == 200
    assert status("somebody", application) == 401
    assert status(cluster.user, _token(client)) == 401
    assert status(cluster.user, cluster.password) == 401


def test_new_password_ends_logins(cluster, client, login, plain_client):
    """User tokens are revoked; application tokens stay."""
    admin = login()
    admin("POST", "/users", json={"username": "pat", "password": "first-password"})
    body = {"username": "pat", "password": "first-password"}
    token = client("POST", "/authn/basic/login", json=body).json()["token"]
    pat = plain_client(cluster.uri, "pat", token)
    application = pat("POST", "/tokens/application").json()["token"]
    change = {"oldPassword": "first-password", "newPassword": "second-password"}
    assert pat("PUT", "/users/pat/password", json=change).status_code == 201
    assert pat("GET", "/jobs").status_code == 401
    header = {"Authorization": f"Bearer {application}"}
    assert pat("GET", "/jobs", headers=header).status_code == 200
    pat.close()


def test_token_of_deleted_user_is_refused(cluster, client, login, plain_client):
    """Who is gone is nobody."""
    admin = login()
    admin("POST", "/users", json={"username": "gone", "password": "some-password"})
    body = {"username": "gone", "password": "some-password"}
    token = client("POST", "/authn/basic/login", json=body).json()["token"]
    gone = plain_client(cluster.uri, "gone", token)
    assert gone("GET", "/jobs").status_code == 200
    assert admin("DELETE", "/users/gone").status_code == 200
    assert gone("GET", "/jobs").status_code == 401
    gone.close()


def test_token_signed_with_other_key_is_refused():
    """A token signed with another key, or changed, is refused."""
    token = sign({"username": "x"}, "key")
    assert verify(token, "key", 0) == {"username": "x"}
    assert verify(token, "other", 0) is None
    assert verify(token[:-2], "key", 0) is None
    assert verify("a.b.c", "key", 0) is None
    assert verify("", "key", 0) is None


def test_unsigned_token_is_refused():
    """The algorithm named in a token's head is not believed."""
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert verify(f"{head}.e30.", "key", 0) is None
