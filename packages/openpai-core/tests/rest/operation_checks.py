"""What each operation does to a local cluster, one check under the name of its function.

A check gets the ``World`` of ``test_local_operations.py``.
"""

from __future__ import annotations

import pytest

from openpai.core import Cluster
from openpai.core.errors import AuthenticationError, ConflictError, NotFoundError
from openpai.core.rest import (
    authn,
    cluster as rest_cluster,
    groups,
    history,
    jobs,
    storages,
    tasks,
    users,
    virtual_clusters,
)

PASSWORD = "a-good-password"
CHECKS: dict = {}


def check(function):
    """Note a check under the name of the function of the client that it is about."""
    CHECKS[function.__name__[1:]] = function
    return function


@check
def _get_info(w):
    assert rest_cluster.get_info(w.session).authn_method == "basic"


@check
def _get_authn_info(w):
    assert rest_cluster.get_authn_info(w.session).login_uri.endswith("/login")


@check
def _list_tokens(w):
    assert w.session.token in authn.list_tokens(w.session)


@check
def _revoke_token(w):
    token = authn.create_application_token(w.session)
    authn.revoke_token(w.session, token)
    assert token not in authn.list_tokens(w.session)


@check
def _create_application_token(w):
    token = authn.create_application_token(w.session)
    with Cluster(w.cluster.uri, token=token) as other:
        assert authn.check_token(other.session).application


@check
def _check_token(w):
    assert authn.check_token(w.session).username == w.cluster.user


@check
def _basic_login(w):
    assert authn.basic_login(w.session, w.cluster.user, w.password).admin


@check
def _basic_logout(w):
    name = w.user("leaving")
    with Cluster(w.cluster.uri, user=name, password=PASSWORD) as other:
        token = other.session.token
        other.session.http.hooks["response"].append(w._note)
        other.logout()
    with Cluster(w.cluster.uri, token=token) as other, pytest.raises(AuthenticationError):
        authn.check_token(other.session)


@check
def _create_user(w):
    users.create_user(w.session, "newcomer", PASSWORD, email="new@example.com")
    assert users.get_user(w.session, "newcomer").email == "new@example.com"
    with pytest.raises(ConflictError):
        users.create_user(w.session, "newcomer", PASSWORD)


@check
def _list_users(w):
    assert w.cluster.user in {user.username for user in users.list_users(w.session)}


@check
def _get_user(w):
    assert users.get_user(w.session, w.cluster.user).admin
    with pytest.raises(NotFoundError):
        users.get_user(w.session, "nobody")


@check
def _update_user(w):
    users.update_user(w.session, w.user("changed"), email="changed@example.com")
    assert users.get_user(w.session, "changed").email == "changed@example.com"


@check
def _update_own_user(w):
    users.update_own_user(w.session, w.cluster.user, extension={"color": "red"})
    assert users.get_user(w.session, w.cluster.user).extension["color"] == "red"


@check
def _delete_user(w):
    users.delete_user(w.session, w.user("gone"))
    with pytest.raises(NotFoundError):
        users.get_user(w.session, "gone")


@check
def _change_password(w):
    users.change_password(w.session, w.user("careful"), PASSWORD, "another-password")
    assert authn.basic_login(w.session, "careful", "another-password").user == "careful"


@check
def _add_user_to_group(w):
    users.add_user_to_group(w.session, w.user("joining"), w.group("joined"))
    assert "joined" in users.get_user(w.session, "joining").groups


@check
def _remove_user_from_group(w):
    users.add_user_to_group(w.session, w.user("parting"), w.group("parted"))
    users.remove_user_from_group(w.session, "parting", "parted")
    assert "parted" not in users.get_user(w.session, "parting").groups


@check
def _set_user_groups(w):
    users.set_user_groups(w.session, w.user("grouped"), ["default", w.group("only")])
    assert set(users.get_user(w.session, "grouped").groups) == {"default", "only"}


@check
def _set_user_email(w):
    users.set_user_email(w.session, w.user("mailed"), "m@example.com")
    assert users.get_user(w.session, "mailed").email == "m@example.com"


@check
def _set_user_admin(w):
    users.set_user_admin(w.session, w.user("raised"), True)
    assert users.get_user(w.session, "raised").admin


@check
def _set_user_extension(w):
    users.set_user_extension(w.session, w.user("extended"), {"x": 1})
    assert users.get_user(w.session, "extended").extension["x"] == 1


@check
def _set_user_virtual_clusters(w):
    users.set_user_virtual_clusters(w.session, w.user("placed"), ["default"])
    assert "default" in users.get_user(w.session, "placed").virtual_clusters


@check
def _list_groups(w):
    assert "default" in {group.name for group in groups.list_groups(w.session)}


@check
def _get_group(w):
    assert groups.get_group(w.session, "default").virtual_clusters == ("default",)
    with pytest.raises(NotFoundError):
        groups.get_group(w.session, "nogroup")


@check
def _create_group(w):
    assert groups.get_group(w.session, w.group("made")).description == "a test's"


@check
def _update_group(w):
    groups.update_group(w.session, w.group("renewed"), description="new")
    assert groups.get_group(w.session, "renewed").description == "new"


@check
def _set_group_extension(w):
    keys = ["acls", "virtualClusters"]
    groups.set_group_extension(w.session, w.group("granted"), keys, ["default"])
    assert groups.get_group(w.session, "granted").virtual_clusters == ("default",)


@check
def _delete_group(w):
    groups.delete_group(w.session, w.group("dissolved"))
    with pytest.raises(NotFoundError):
        groups.get_group(w.session, "dissolved")


@check
def _list_group_members(w):
    found = {m.username: m.admin for m in groups.list_group_members(w.session, "default")}
    assert found[w.cluster.user] is True


@check
def _list_virtual_clusters(w):
    assert virtual_clusters.list_virtual_clusters(w.session)["default"].total.cpu == 16


@check
def _get_virtual_cluster(w):
    assert virtual_clusters.get_virtual_cluster(w.session, "default").free.cpu <= 16
    with pytest.raises(NotFoundError):
        virtual_clusters.get_virtual_cluster(w.session, "novc")


@check
def _list_node_gpus(w):
    assert all(n.total >= n.used for n in virtual_clusters.list_node_gpus(w.session).values())


@check
def _list_sku_types(w):
    assert virtual_clusters.list_sku_types(w.session) == {}


@check
def _list_storages(w):
    assert [s.name for s in storages.list_storages(w.session, default=True)] == ["local-storage"]


@check
def _get_storage(w):
    assert storages.get_storage(w.session, "local-storage").type == "nfs"


@check
def _submit_job(w):
    jobs.submit_job(w.session, w.make_job("true").to_yaml())


@check
def _list_jobs(w):
    assert w.remote.name in {j.name for j in jobs.list_jobs(w.session, username=w.cluster.user)}


@check
def _count_jobs(w):
    assert jobs.count_jobs(w.session, keyword=w.remote.name) == 1


@check
def _get_job(w):
    assert jobs.get_job(w.session, w.key).exit_code == 0
    assert jobs.get_job(w.session, w.key, 0).attempt_id == 0
    assert jobs.get_job(w.session, jobs.get_job(w.session, w.key).debug_id).key == w.key


@check
def _get_config(w):
    assert '"echo hello"' in jobs.get_config(w.session, w.key)


@check
def _set_execution_type(w):
    remote = w.cluster.submit(w.make_job("sleep 600"))
    jobs.set_execution_type(w.session, remote.key, "STOP")
    assert remote.wait(timeout=60).state == "STOPPED"


@check
def _add_tag(w):
    jobs.add_tag(w.session, w.key, "two words")
    assert "two words" in jobs.get_job(w.session, w.key).tags


@check
def _delete_tag(w):
    jobs.add_tag(w.session, w.key, "brief")
    jobs.delete_tag(w.session, w.key, "brief")
    assert "brief" not in jobs.get_job(w.session, w.key).tags


@check
def _list_events(w):
    assert jobs.list_events(w.session, w.key)[0].last_time.tzinfo is not None
    assert all(e.type == "Normal" for e in jobs.list_events(w.session, w.key, "Normal"))


@check
def _has_history(w):
    assert history.has_history(w.session, w.key)


@check
def _list_attempts(w):
    assert [a.index for a in history.list_attempts(w.session, w.key)] == [0]


@check
def _get_attempt(w):
    assert history.get_attempt(w.session, w.key, 0).exit_code == 0


@check
def _get_task(w):
    assert tasks.get_task(w.session, w.key, 0, "main", 0).attempts[0].container_exit_code == 0


@check
def _log_locations(w):
    assert {"all", "stdout", "stderr"} <= set(tasks.log_locations(w.session, w.task))


@check
def _read_chunk(w):
    uri = tasks.log_locations(w.session, w.task)["all"]
    assert tasks.read_chunk(w.session, uri, 1, 3) == tasks.LogChunk(b"ell", size=6)
    assert tasks.read_chunk(w.session, uri, 6, 3).data == b""
    assert tasks.read_chunk(w.session, uri.replace("token=", "token=x"), 0, 3).expired


@check
def _list_nodes(w):
    assert len(rest_cluster.list_nodes(w.session)) == 1


@check
def _list_pods(w):
    assert isinstance(rest_cluster.list_pods(w.session, namespace="default"), list)


@check
def _list_alerts(w):
    assert isinstance(rest_cluster.list_alerts(w.session), list)
