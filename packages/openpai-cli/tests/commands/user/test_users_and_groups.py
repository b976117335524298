"""`opai user` and `opai group`: who may use a cluster, and what."""

from __future__ import annotations

import os
import secrets
import sys

import pexpect
import pytest

PASSWORD = "a-password-of-tests"


@pytest.fixture
def admin(opai, local):
    """The local cluster, logged in to with the admin's password."""
    done = opai("cluster", "login", "local", "--password-stdin", stdin=local.password)
    assert done.exit_code == 0
    return local


@pytest.fixture
def user(opai, admin):
    """Make a user of a new name; return the name."""
    name = f"u{secrets.token_hex(4)}"
    made = opai("user", "create", name, "--password-stdin", stdin=PASSWORD + "\n")
    assert (made.exit_code, made.stdout) == (0, "")
    return name


@pytest.fixture
def group(opai, admin):
    """Make a group of a new name; return the name."""
    name = f"g{secrets.token_hex(4)}"
    line = ("--vc", "default", "--storage", "local-storage", "--description", "of tests")
    assert opai("group", "create", name, *line).exit_code == 0
    return name


def test_user_create_show_delete(opai, user):
    """The whole life of a user; neither passwords nor keys are shown."""
    shown = opai("user", "show", user, "-o", "json")
    assert shown.json["username"] == user
    assert (shown.json["admin"], shown.json["groups"]) == (False, ["default"])
    names = opai("user", "list", "-o", "name").stdout.splitlines()
    assert {user, "alice"} <= set(names)
    assert opai("user", "delete", user, "--yes").exit_code == 0
    assert opai("user", "show", user).exit_code == 4


def test_user_show_defaults_to_self(opai, local):
    """`show` needs no rights, so an application token does, too."""
    assert opai("user", "show", "-o", "json").json["username"] == "alice"


def test_user_update_changes_given_fields(opai, user, group):
    """Address, right and groups, each alone; what is not named stays."""
    assert opai("user", "update", user, "--email", "u@example.org", "--admin").exit_code == 0
    assert opai("user", "update", user, "--add-group", group).exit_code == 0
    shown = opai("user", "show", user, "-o", "json").json
    assert (shown["email"], shown["admin"]) == ("u@example.org", True)
    assert group in shown["groups"]
    assert shown["storages"] == ["local-storage"]
    rows = opai("group", "members", group, "-o", "json").json
    assert rows == [{"username": user, "admin": True}]
    assert opai("user", "delete", user, "--yes").exit_code == 3
    done = opai("user", "update", user, "--no-admin", "--remove-group", group)
    assert done.exit_code == 0
    assert opai("user", "show", user, "-o", "json").json["groups"] == ["default"]


def test_group_update_changes_given_fields(opai, group):
    """What is named is replaced, the rest stays."""
    assert opai("group", "update", group, "--description", "other").exit_code == 0
    assert opai("group", "update", group, "--admin").exit_code == 0
    shown = opai("group", "show", group, "-o", "json").json
    assert shown == {
        "groupname": group,
        "admin": True,
        "virtualClusters": ["default"],
        "storages": ["local-storage"],
        "description": "other",
        "externalName": "",
    }
    assert group in opai("group", "list").stdout
    assert opai("group", "delete", group, "--yes").exit_code == 0
    for action in (["show"], ["members"], ["delete", "--yes"], ["update", "--admin"]):
        assert opai("group", action[0], group, *action[1:]).exit_code == 4


def test_user_update_reports_partial_changes(opai, user):
    """The second of two changes fails; the first one was made, and that is said."""
    line = ("--email", "u@example.org", "--add-group", "no_such_group")
    result = opai("user", "update", user, *line)
    assert result.exit_code == 4
    assert f"Changed user '{user}': email." in result.stderr
    assert opai("user", "show", user, "-o", "json").json["email"] == "u@example.org"


def test_group_update_warns_of_unknown_virtual_cluster(opai, group):
    """Servers take any name."""
    result = opai("group", "update", group, "--vc", "default", "--vc", "defualt")
    assert result.exit_code == 0
    assert "no virtual cluster 'defualt' (there is: default)" in result.stderr


def test_user_delete_refuses_admin(opai, admin):
    """The server refuses; the right must go first."""
    result = opai("user", "delete", "alice", "--yes")
    assert result.exit_code == 3
    assert "--no-admin" in result.stderr


def test_create_existing_name_exits_5(opai, user, group):
    """Whether it is a user or a group."""
    assert opai("user", "create", user, "--password-stdin", stdin=PASSWORD).exit_code == 5
    assert opai("group", "create", group).exit_code == 5


def test_user_delete_continues_after_unknown_user(opai, user):
    """Each is reported; the exit code is that of the first failure."""
    result = opai("user", "delete", "nobody_at_all", user, "--yes")
    assert result.exit_code == 4
    assert f"User '{user}' deleted." in result.stderr


def test_delete_without_confirmation_is_refused(opai, user, group):
    """Without a terminal the answer is no."""
    for kind, name in (("user", user), ("group", group)):
        assert opai(kind, "delete", name).exit_code == 2
        assert opai(kind, "show", name).exit_code == 0


def test_application_token_is_named_as_reason(opai, local):
    """The server only says that it is forbidden."""
    result = opai("user", "create", "somebody", "--password-stdin", stdin=PASSWORD)
    assert result.exit_code == 3
    assert "application token" in result.stderr


def test_admin_commands_refuse_other_users(opai, user):
    """A user without the right gets 3 and the reason."""
    login = ("cluster", "login", "local", "--user", user, "--password-stdin")
    assert opai(*login, stdin=PASSWORD).exit_code == 0
    for line in (["group", "create", "g1"], ["group", "members", "default"]):
        result = opai(*line)
        assert result.exit_code == 3
        assert "Only admins" in result.stderr


def test_password_changes_own_password(opai, user):
    """The new one is good, the old one is not, and one stays logged in."""
    login = ("cluster", "login", "local", "--user", user, "--password-stdin")
    opai(*login, stdin=PASSWORD)
    wrong = opai("user", "password", "--password-stdin", stdin="wrong-one\nnew-password\n")
    assert wrong.exit_code == 3
    assert "Only admins" not in wrong.stderr
    good = opai("user", "password", "--password-stdin", stdin=f"{PASSWORD}\nnew password \n")
    assert good.exit_code == 0
    assert opai("user", "show", "-o", "json").json["username"] == user
    assert opai(*login, stdin=PASSWORD).exit_code == 3
    assert opai(*login, stdin="new password ").exit_code == 0
    assert "new password" not in good.stdout + good.stderr


def test_password_of_other_user_set_by_admin(opai, user):
    """Without knowing the old one."""
    assert opai("user", "password", user, "--password-stdin", stdin="other-word").exit_code == 0
    login = ("cluster", "login", "local", "--user", user, "--password-stdin")
    assert opai(*login, stdin="other-word").exit_code == 0


@pytest.mark.parametrize("word", ["", "short"])
def test_short_password_is_refused_before_sending(opai, admin, word):
    """Too short or none: 2, and nothing is sent."""
    assert opai("user", "create", "x", "--password-stdin", stdin=word).exit_code == 2


def test_password_option_does_not_exist(opai, admin):
    """No option takes one, and there is no prompt without a terminal."""
    assert opai("user", "create", "x", "--password", PASSWORD).exit_code == 2
    result = opai("user", "create", "x")
    assert result.exit_code == 2
    assert "--password-stdin" in result.stderr


def test_update_without_options_exits_2(opai, admin):
    """An update without an option is a mistake."""
    assert opai("user", "update", "alice").exit_code == 2
    assert opai("group", "update", "default").exit_code == 2


@pytest.mark.process
def test_new_password_is_prompted_twice(admin):
    """On a terminal, without showing it."""
    name = f"u{secrets.token_hex(4)}"
    line = [sys.executable, "-m", "openpai.cli", "user", "create", name]
    child = pexpect.spawn(line[0], line[1:], env=dict(os.environ), encoding="utf-8", timeout=60)
    child.expect(f"New password for {name}: ")
    child.sendline(PASSWORD)
    child.expect("Repeat for confirmation: ")
    child.sendline(PASSWORD)
    child.expect(f"User '{name}' created.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert PASSWORD not in child.before
