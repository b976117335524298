"""Detect where the code runs by the variables that PAI really sets."""

from openpai.core.environment import TaskContext, in_job_container, in_local_cluster

TASK = {
    "PAI_FRAMEWORK_NAME": "alice~mnist",
    "PAI_CURRENT_TASK_ROLE_NAME": "worker",
    "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": "3",
    "FC_FRAMEWORK_ATTEMPT_ID": "2",
    "FC_TASK_ATTEMPT_ID": "1",
}


def test_laptop_is_not_a_job_container():
    """Nothing of PAI is in the environment."""
    assert not in_job_container({"PATH": "/bin"})
    assert TaskContext.from_env({}) is None


def test_old_sdk_variable_is_not_a_job_container():
    """PAI_CONTAINER_ID was set by YARN; alone it is not a job container."""
    assert not in_job_container({"PAI_CONTAINER_ID": "x"})


def test_task_context_is_read():
    """User, job, role, index and attempts come from the environment."""
    assert TaskContext.from_env(TASK) == TaskContext("alice", "mnist", "worker", 3, 2, 1)


def test_local_cluster_is_a_job_container():
    """A variable distinguishes it from a real one."""
    assert in_job_container(TASK)
    assert not in_local_cluster(TASK)
    assert in_local_cluster({**TASK, "OPENPAI_LOCAL_CLUSTER": "http://127.0.0.1:1"})
