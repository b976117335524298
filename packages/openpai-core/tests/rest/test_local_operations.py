"""Every operation against the local cluster, over real HTTP: what it sends, and what it changes."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from openpai.core import Cluster
from openpai.core.errors import PermissionDeniedError
from openpai.core.rest import cluster as rest_cluster, groups, jobs, tasks, users

PASSWORD = "a-good-password"


class World:
    """An admin's session, a job that has run, and a user and a group to play with."""

    def __init__(self, local, make_job) -> None:
        self.password = local.password
        self.cluster = Cluster(local.uri, user=local.user, password=local.password)
        self.session = self.cluster.session
        self.remote = self.cluster.submit(make_job("echo hello"))
        self.remote.wait(timeout=60)
        self.key = self.remote.key
        self.task = tasks.TaskAttempt(self.key, 0, "main", 0, 0)
        self.make_job = make_job
        self.sent: list = []
        self.session.http.hooks["response"].append(self._note)

    def _note(self, response, **_) -> None:
        self.sent.append((response.request.method, response.request.url, response.status_code))

    def user(self, name):
        """Create a user without admin rights."""
        users.create_user(self.session, name, PASSWORD)
        return name

    def group(self, name):
        """Make a group."""
        groups.create_group(self.session, name, description="a test's")
        return name


@pytest.fixture(scope="module")
def world(local):
    """One for all tests of this file."""
    from openpai.core.protocol.command_job import job_from_command, random_letters

    def make(*commands):
        name = f"op_{random_letters(10)}"
        return job_from_command(name, commands, image="any", cpu=1, memory_mb=64)

    found = World(local, make)
    yield found
    found.cluster.close()


CHECKS = runpy.run_path(str(Path(__file__).with_name("operation_checks.py")))["CHECKS"]


def template(path):
    """The regular expression of a path with {names}."""
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path.partition("?")[0]))


@pytest.mark.process
@pytest.mark.parametrize("name", CHECKS)
def test_operation_works_on_local_cluster(name, world, operations):
    """Its function sends its method and path, and the cluster is changed as it should be."""
    world.sent.clear()
    CHECKS[name](world)
    for operation in operations:
        if operation["function"].rpartition(".")[2] == name:
            path = re.compile("(/rest-server)?" + template(operation["path"]))
            assert any(
                method == operation["method"] and path.fullmatch(urlsplit(url).path) and code < 300
                for method, url, code in world.sent
            ), f"{operation['id']} was not sent: {world.sent}"


def test_local_operations_are_all_checked(operations):
    """What the table calls tested against the local cluster is tested here."""
    local = {o["function"].rpartition(".")[2] for o in operations if o["local"] is True}
    assert local == set(CHECKS)


def test_operation_rights_match_server(world, local):
    """Operations of admins are refused to other users."""
    name = world.user("humble")
    with Cluster(local.uri, user=name, password=PASSWORD) as other:
        for call in (
            lambda s: users.create_user(s, "x", PASSWORD),
            lambda s: groups.create_group(s, "x"),
            lambda s: groups.list_group_members(s, "default"),
            rest_cluster.list_nodes,
            lambda s: jobs.add_tag(s, world.key, "mine"),
            lambda s: jobs.set_execution_type(s, world.key, "STOP"),
        ):
            with pytest.raises(PermissionDeniedError):
                call(other.session)
