"""Who runs next: decisions on numbers, without a cluster."""

from openpai.core.local.executor.task_spec import choose_gpus
from openpai.core.local.scheduler.scheduler import (
    Claim,
    job_needs,
    priority_class,
    schedule,
    shortage,
    virtual_cluster,
)
from openpai.core.local.state.machine import Resources, machine_resources

ROOM = Resources(cpu=4, memory_mb=1000, gpu=2)


def _claim(key, cpu=1, gpu=0, memory=100, **more):
    return Claim(key, Resources(cpu, memory, gpu), **more)


def test_oldest_fitting_job_starts_first():
    """Older claims come first."""
    claims = [_claim("new", age=2), _claim("old", age=1)]
    assert schedule(claims, ROOM, {}).start == ("old", "new")


def test_priority_precedes_age():
    """A more important claim overtakes older ones."""
    claims = [_claim("old", cpu=4, age=1), _claim("prod", cpu=4, age=2, priority=100)]
    decision = schedule(claims, ROOM, {})
    assert decision.start == ("prod",)
    assert decision.waiting == {"old": "Waiting for 4 CPU (0 available) on this machine."}


def test_small_jobs_pass_waiting_large_job():
    """One that does not fit keeps nobody from running."""
    claims = [_claim("big", cpu=5, age=1), _claim("small", age=2)]
    assert schedule(claims, ROOM, {}).start == ("small",)


def test_claims_reduce_free_resources():
    """Resources are given once."""
    claims = [_claim(number, cpu=3, age=number) for number in range(2)]
    decision = schedule(claims, ROOM, {})
    assert decision.start == (0,)
    assert decision.waiting[1] == "Waiting for 3 CPU (1 available) on this machine."


def test_quota_is_per_virtual_cluster():
    """A claim within the machine's room waits for its virtual cluster's."""
    claims = [
        _claim("first", gpu=1, age=1, virtual_cluster="vc1"),
        _claim("second", gpu=1, age=2, virtual_cluster="vc1"),
        _claim("other", gpu=1, age=3),
    ]
    decision = schedule(claims, ROOM, {"vc1": Resources(10, 10_000, 1)})
    assert decision.start == ("first", "other")
    assert decision.waiting["second"] == "Waiting for 1 GPU (0 available) on virtual cluster vc1."


def test_empty_request_always_fits():
    """Zero of a resource is there even where all is taken, and more."""
    assert shortage(Resources(0, 0, 0), Resources(-1, -1, -1)) == ""


def test_all_missing_resources_are_named():
    """All of it at once."""
    assert shortage(Resources(2, 20, 1), Resources()) == (
        "1 GPU (0 available), 2 CPU (0 available), 20 MB of memory (0 available)"
    )


def test_lowest_free_devices_are_assigned():
    """GPU numbers are reused."""
    assert choose_gpus(2, 4, [0, 2]) == [1, 3]
    assert choose_gpus(0, 4, []) == []


def test_job_needs_all_its_tasks():
    """Instances times what a task uses, over all roles; negative amounts count as none."""
    role = {"instances": 3, "resourcePerInstance": {"cpu": 1, "memoryMB": 10, "gpu": -1}}
    document = {"taskRoles": {"a": role, "b": {**role, "instances": 1}}}
    assert job_needs(document) == Resources(4, 40, 0)


def test_document_names_are_read():
    """Virtual cluster and priority class, with what stands for nothing."""
    assert virtual_cluster({}) == "default"
    assert virtual_cluster({"defaults": {"virtualCluster": None}}) == "default"
    assert virtual_cluster({"defaults": {"virtualCluster": ""}}) == ""
    extras = {"hivedScheduler": {"jobPriorityClass": "prod"}}
    assert priority_class({"extras": extras}) == "prod"
    assert priority_class({"extras": {"hivedScheduler": None}}) is None


def test_machine_has_resources():
    """What is found here is more than nothing; what is said goes before what is found."""
    found = machine_resources()
    assert found.cpu >= 1
    assert found.memory_mb >= 64
    assert machine_resources(cpus=3, memory_mb=5, gpus=7) == Resources(3, 5, 7)
