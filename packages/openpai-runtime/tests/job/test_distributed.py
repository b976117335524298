"""Distributed frameworks find what PAI knows, in their own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process


@pytest.fixture
def cluster(task: Any) -> Any:
    """A task of a job with two roles, one of which has a name that PAI converts."""
    task.document["taskRoles"] = {
        "worker": {"instances": 2, "resourcePerInstance": {"gpu": 4}},
        "Ps_Server": {"instances": 1},
    }
    for number, name in enumerate(("worker_0", "worker_1", "psserver_0")):
        task.env[f"PAI_HOST_IP_{name}"] = f"10.0.0.{number}"
        task.env[f"PAI_PORT_LIST_{name}_http"] = f"2000{number},2999{number}"
    task.env["PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX"] = "1"
    return task


def test_distributed_variables_of_pytorch(cluster: Any) -> None:
    """Address and port of the role's first task, the number of tasks, and the own number."""
    cluster.section(distributed="pytorch")
    done = cluster.bash("echo $MASTER_ADDR $MASTER_PORT $WORLD_SIZE $RANK")
    assert done.stdout == "10.0.0.0 20000 2 1\n"
    done = cluster.bash("echo $LOCAL_RANK $NNODES $NODE_RANK $NPROC_PER_NODE")
    assert done.stdout == "0 2 1 4\n"


def test_distributed_variables_of_tensorflow(cluster: Any) -> None:
    """TF_CONFIG lists every task of every role."""
    cluster.section(distributed="tensorflow")
    assert json.loads(cluster.bash("echo $TF_CONFIG").stdout) == {
        "cluster": {
            "worker": ["10.0.0.0:20000", "10.0.0.1:20001"],
            "Ps_Server": ["10.0.0.2:20002"],
        },
        "task": {"type": "worker", "index": 1},
    }


def test_distributed_hosts_of_mpi(cluster: Any) -> None:
    """A host file with a slot for each GPU."""
    cluster.section(distributed="mpi")
    done = cluster.bash("cat $OPENPAI_HOSTFILE; echo $OPENPAI_HOSTFILE")
    assert done.stdout.startswith("10.0.0.0 slots=4\n10.0.0.1 slots=4\n")
    assert not Path(done.stdout.splitlines()[-1]).exists(), "it is removed at the end"


def test_distributed_keeps_variables_of_user(cluster: Any) -> None:
    """A variable that is there already is not replaced."""
    cluster.env["MASTER_PORT"] = "1234"
    cluster.section(distributed="pytorch")
    assert cluster.bash("echo $MASTER_PORT").stdout == "1234\n"


def test_distributed_sets_nothing_by_default(cluster: Any) -> None:
    """Programs look at these variables to decide what they are."""
    cluster.section()
    assert cluster.bash("echo ${RANK-none} ${TF_CONFIG-none}").stdout == "none none\n"


def test_distributed_names_peer_without_address(cluster: Any) -> None:
    """A distributed program that cannot find its master is not started."""
    del cluster.env["PAI_HOST_IP_worker_0"]
    cluster.section(distributed="pytorch")
    done = cluster.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "Task worker 0 has no address yet." in done.stderr
