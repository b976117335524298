"""What the real server passes on from Kubernetes and Alertmanager: one node, its tasks as pods."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from openpai.core.local.records import Job, Task
from openpai.core.local.views import node_name
from openpai.core.local.wire import answer
from openpai.core.protocol.names import convert_name

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.app import Call

__all__ = ["alerts", "nodes", "pods"]

_PHASES = {"AttemptRunning": "Running", "AttemptDeletionPending": "Running"}


def alerts(_: Call) -> Response:
    """``GET /alerts``: there is no Alertmanager, and so none."""
    return answer([])


def nodes(call: Call) -> Response:
    """``GET /kubernetes/nodes``: this machine."""
    call.require_admin()
    total = call.service.controller.total
    amounts = {
        "cpu": str(total.cpu),
        "memory": f"{total.memory_mb}Mi",
        "nvidia.com/gpu": str(total.gpu),
    }
    node = {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": node_name(),
            "labels": {"pai-worker": "true", "kubernetes.io/hostname": node_name()},
        },
        "spec": {},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": node_name()},
            ],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return answer({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [node]})


def pods(call: Call) -> Response:
    """``GET /kubernetes/pods[?labelSelector=a=b,…]``: the tasks that have not ended."""
    call.require_admin()
    store = call.service.store
    wanted = dict(
        part.split("=", 1)
        for part in call.request.args.get("labelSelector", "").replace("==", "=").split(",")
        if "=" in part
    )
    items = []
    for job in store.find(Job, "sub_state != 'Completed' ORDER BY id"):
        for task in store.find(Task, "job = ? AND attempt = ? AND NOT over", (job.id, job.attempt)):
            pod = _pod(job, task)
            labels = pod["metadata"]["labels"]
            if all(labels.get(key) == value for key, value in wanted.items()):
                items.append(pod)
    return answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


def _pod(job: Job, task: Task) -> dict[str, Any]:
    role = convert_name(task.role)
    created = datetime.fromtimestamp(task.created / 1000, timezone.utc)
    return {
        "metadata": {
            "name": f"{job.debug_id}-{role}-{task.index}",
            "namespace": "default",
            "uid": task.uid,
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "labels": {
                "userName": job.user,
                "virtualCluster": job.virtual_cluster,
                "type": "kube-launcher-task",
                "FC_TASKROLE_NAME": role,
                "FC_FRAMEWORK_NAME": job.debug_id,
                "jobName": job.name,
            },
        },
        "spec": {} if task.node_ip is None else {"nodeName": node_name()},
        "status": {"phase": _PHASES.get(task.sub_state, "Pending"), "hostIP": task.node_ip},
    }
