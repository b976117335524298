"""Admin calls report their true result when the response is lost, cut, or dropped by a proxy."""

from __future__ import annotations

import pytest

from openpai.core.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    ServerError,
)
from openpai.core.rest import authn, groups, users
from openpai.core.rest.session import Session

pytestmark = pytest.mark.usefixtures("clock")

PASSWORD = "a-password-of-tests"
JSON = {"Content-Type": "application/json"}
LOST = [
    {"how": "lose"},
    {"how": "cut"},
    {"how": "answer", "status": 502, "body": b"<html>"},
    {"how": "answer", "status": 504},
]
NEVER_SENT = [{"how": "refuse"}, {"how": "instead", "status": 502, "body": b"<html>"}]


def how(fault) -> str:
    """The name of a fault in a test's id."""
    return f"{fault['how']}{fault.get('status', '')}"


@pytest.fixture
def admin(local, proxy):
    """An admin's session through the proxy; it has answered once."""
    session = Session(proxy.uri, timeout=60)
    session.renew(authn.basic_login(session, local.user, local.password).token)
    yield session
    session.close()


@pytest.fixture
def name():
    """A name that nobody has."""
    from openpai.core.protocol.command_job import random_letters

    return f"x{random_letters(10)}"


@pytest.mark.parametrize("fault", LOST, ids=how)
def test_completed_call_with_lost_answer_is_success(admin, proxy, name, fault):
    """Made, changed or removed although the answer said otherwise; nothing is done twice."""
    proxy.fail("POST", "/(users|groups)$", times=2, **fault)
    users.create_user(admin, name, PASSWORD, email="x@example.com")
    groups.create_group(admin, name, description="d")
    proxy.fail("PUT", "/password$", **fault)
    users.change_password(admin, name, PASSWORD, PASSWORD + "2")
    assert authn.basic_login(admin, name, PASSWORD + "2").user == name
    proxy.fail("DELETE", f"/(users|groups)/{name}$", times=2, **fault)
    users.delete_user(admin, name)
    groups.delete_group(admin, name)
    assert proxy.count("POST", "/(users|groups)$") == proxy.count("DELETE", f"/{name}$") == 2
    for look in (users.get_user, groups.get_group):
        with pytest.raises(NotFoundError):
            look(admin, name)


@pytest.mark.parametrize("fault", NEVER_SENT, ids=how)
def test_call_that_never_arrived_raises(admin, proxy, name, fault):
    """And nothing has changed."""
    unsure = (ConnectionFailed, ServerError)
    proxy.fail("POST", "/(users|groups)$", times=2, **fault)
    with pytest.raises(unsure):
        users.create_user(admin, name, PASSWORD)
    with pytest.raises(unsure):
        groups.create_group(admin, name)
    users.create_user(admin, name, PASSWORD)
    groups.create_group(admin, name)
    proxy.fail("PUT", "/password$", **fault)
    with pytest.raises(unsure):
        users.change_password(admin, name, PASSWORD, PASSWORD + "2")
    with pytest.raises(AuthenticationError):
        authn.basic_login(admin, name, PASSWORD + "2")
    proxy.fail("DELETE", f"/(users|groups)/{name}$", times=2, **fault)
    with pytest.raises(unsure):
        users.delete_user(admin, name)
    with pytest.raises(unsure):
        groups.delete_group(admin, name)
    assert users.get_user(admin, name).username == groups.get_group(admin, name).name == name


def test_existing_other_item_raises_conflict(admin, proxy, name):
    """The answer is lost, and what stands there is not what was to be made."""
    users.create_user(admin, name, PASSWORD, email="first@example.com")
    groups.create_group(admin, name, description="first")
    proxy.fail("POST", "/(users|groups)$", "lose", times=2)
    with pytest.raises(ConflictError):
        users.create_user(admin, name, PASSWORD, email="second@example.com")
    with pytest.raises(ConflictError):
        groups.create_group(admin, name, description="second")


def test_real_server_500_is_interpreted(tmp_path, name):
    """rest-server answers 500 to a group that exists, and to one that does not."""
    from openpai.core.local import LocalCluster

    with LocalCluster(tmp_path, cpus=1, memory_mb=512) as cluster:
        session = Session(cluster.uri, timeout=60)
        session.renew(authn.basic_login(session, cluster.user, cluster.password).token)
        groups.create_group(session, name)
        cluster.faults.answer(500, '{"code": "UnknownError"}', JSON, method="POST", path="groups$")
        with pytest.raises(ConflictError, match="Another group"):
            groups.create_group(session, name)
        groups.delete_group(session, name)
        cluster.faults.answer(500, '{"code": "UnknownError"}', JSON, method="DELETE")
        with pytest.raises(NotFoundError, match="There is no group"):
            groups.delete_group(session, name)
        session.close()


def test_original_error_stays_when_check_fails(admin, proxy, name):
    """Nobody answers any more: the first error is the one to know."""
    proxy.fail("POST", "/users$", "lose")
    proxy.fail("GET", f"/users/{name}$", "refuse", times=9)
    with pytest.raises(ConnectionFailed, match=r"POST .*/users: the connection was cut"):
        users.create_user(admin, name, PASSWORD)
