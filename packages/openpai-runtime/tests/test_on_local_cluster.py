"""The whole path: jobs that the local cluster runs, bootstrap and all."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from support.wait import wait_until

pytest.importorskip("werkzeug")

from openpai.core.client.cluster import Cluster
from openpai.core.client.prepare import Extras, prepare_job
from openpai.core.client.remote_job import RemoteJob
from openpai.core.local import LocalCluster
from openpai.core.protocol.job import Job

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster on this machine, whose tasks have a temporary folder of their own."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
        with LocalCluster(folder, cpus=4, memory_mb=4096, gpus=0) as made:
            yield made


@pytest.fixture(scope="module")
def cluster(local: LocalCluster) -> Iterator[Cluster]:
    """A client of it."""
    with Cluster(local.uri, user=local.user, token=local.token) as made:
        yield made


@pytest.fixture
def submit(cluster: Cluster) -> Callable[..., RemoteJob]:
    """Submit a job of one role with a runtime section."""

    def send(
        name: str,
        *commands: str,
        instances: int = 1,
        extras: Extras | None = None,
        base: Path | None = None,
        job_secrets: Any = None,
        **section: Any,
    ) -> RemoteJob:
        role = {
            "instances": instances,
            "completion": {"minSucceededInstances": instances},
            "dockerImage": "image",
            "resourcePerInstance": {"cpu": 1, "memoryMB": 100, "gpu": 0},
            "commands": list(commands),
        }
        document = {
            "protocolVersion": 2,
            "name": name,
            "type": "job",
            "prerequisites": [{"name": "image", "type": "dockerimage", "uri": "python:3.8"}],
            "taskRoles": {"worker": role},
            "extras": {"openpai.runtime": {"version": 1, **section}},
        }
        if job_secrets:
            document["secrets"] = job_secrets
        job = Job.from_dict(document)
        return cluster.submit(prepare_job(job, cluster, extras or Extras(), base=base))

    return send


def output(local: LocalCluster, job: RemoteJob) -> Path:
    """The job's output folder on the cluster's storage."""
    found = list(Path(local.folder).glob(f"storage/users/*/jobs/{job.name}/output"))
    assert len(found) == 1
    return found[0]


def log(job: RemoteJob, index: int = 0) -> list[str]:
    """What a task wrote."""
    return list(job.logs("worker", index))


def test_local_job_with_code_outputs_and_callbacks(
    local: LocalCluster, submit: Callable[..., RemoteJob], tmp_path: Path
) -> None:
    """Code arrives, callbacks are called, outputs are where they belong, for each task."""
    (tmp_path / "train.sh").write_text("echo trained; mkdir out; echo $1 >out/model\n")
    job = submit(
        "whole",
        "bash train.sh $PAI_TASK_INDEX",
        instances=2,
        extras=Extras(sources=(tmp_path / "train.sh",)),
        base=tmp_path,
        outputs=[{"path": "out/**"}],
        callbacks=[{"on": "exit", "commands": ["echo ended $OPENPAI_EXIT_CODE"]}],
    )
    assert job.wait(timeout=60).state == "SUCCEEDED"
    for index in range(2):
        assert (output(local, job) / f"worker/{index}/out/model").read_text() == f"{index}\n"
        assert {"trained", "ended 0"} < set(log(job, index))


def test_local_job_commands_share_one_shell(
    submit: Callable[..., RemoteJob],
) -> None:
    """The bootstrap changes nothing: variables last, errexit holds, the code is the command's."""
    job = submit("shell", "x=1", "echo x=$x", "false", "echo never")
    job.wait(timeout=60)
    assert job.exit_code() == 1
    assert "x=1" in log(job)
    assert "never" not in log(job)


def test_local_job_stopped_saves_outputs(
    local: LocalCluster, submit: Callable[..., RemoteJob]
) -> None:
    """SIGTERM reaches the command, the stop callbacks, and the outputs are saved."""
    job = submit(
        "stopped",
        "trap 'echo late >late; exit 3' TERM",
        "echo ready; while true; do sleep 0.05; done",
        outputs=[{"path": "late"}],
        callbacks=[{"on": "stop", "commands": ["echo stop requested"]}],
    )
    wait_until(lambda: job.state() == "RUNNING" and "ready" in log(job), show=lambda: log(job))
    job.stop()
    assert job.wait(timeout=60).state == "STOPPED"
    assert (output(local, job) / "late").read_text() == "late\n"
    assert "stop requested" in log(job)
    manifest = json.loads((output(local, job) / ".openpai/worker-0.json").read_text())
    assert (manifest["event"], manifest["exitCode"]) == ("stop", 3)


def test_local_job_saves_outputs_at_interval(
    local: LocalCluster, submit: Callable[..., RemoteJob]
) -> None:
    """An output with an interval is there before the job ends."""
    job = submit("interval", "echo one >a", "sleep 600", outputs=[{"path": "a", "every": 0.2}])
    saved = "storage/users/*/jobs/interval/output/a"
    wait_until(lambda: list(Path(local.folder).glob(saved)), saved, show=lambda: log(job))
    assert job.state() == "RUNNING"
    job.stop()
    job.wait(timeout=60)


def test_local_job_fails_when_outputs_are_lost(
    submit: Callable[..., RemoteJob],
) -> None:
    """The user sees the runtime's exit code, and why in the log."""
    job = submit("lost", 'echo x >a; mkdir "$PAI_SDK_JOB_OUTPUT_DIR/a"', outputs=[{"path": "a"}])
    assert job.wait(timeout=60).state == "FAILED"
    assert job.exit_code() == 193
    assert any("Not saved" in line for line in log(job))


def test_local_job_failure_is_explained_in_log(submit: Callable[..., RemoteJob]) -> None:
    """The runtime finds the task's log where the local cluster keeps it."""
    job = submit("explained", "cat no-such-file")
    job.wait(timeout=60)
    text = "\n".join(log(job))
    assert "[openpai-runtime] The command failed with exit code 1 after" in text
    assert "[openpai-runtime]   Log: cat: no-such-file: No such file or directory" in text


def test_explain_reads_record_of_failure(
    local: LocalCluster, submit: Callable[..., RemoteJob]
) -> None:
    """`RemoteJob.explain` shows what the runtime wrote down inside the container."""
    job = submit("recorded", "echo x >a", "cat no-such-file", outputs=[{"path": "a"}])
    job.wait(timeout=60)
    diagnosis = job.explain()
    assert diagnosis.record[0].startswith("The command failed with exit code 1 after ")
    assert "  Log: cat: no-such-file: No such file or directory" in diagnosis.record
    assert diagnosis.record[0] in str(diagnosis)
    (output(local, job) / ".openpai/worker-0.json").unlink()
    assert "left no record" in job.explain().record[0]
    assert submit("fine", "true").wait(timeout=60).state == "SUCCEEDED"
    assert job.cluster.job(f"{job.user}~fine").explain().record == ()


def test_explain_ignores_record_of_earlier_attempt(
    local: LocalCluster, submit: Callable[..., RemoteJob]
) -> None:
    """A later start that was killed has left none, and must not be given another's reasons."""
    job = submit("replaced", "exit 3", outputs=[{"path": "a"}])
    job.wait(timeout=60)
    path = output(local, job) / ".openpai/worker-0.json"
    path.write_text(path.read_text().replace('"job": 0', '"job": 7'))
    assert "no record of its last start" in job.explain().record[0]


def test_explain_reports_unreachable_record(
    local: LocalCluster, submit: Callable[..., RemoteJob]
) -> None:
    """One sentence, and the rest of the explanation."""
    job = submit("unreachable", "exit 3", outputs=[{"path": "a"}])
    job.wait(timeout=60)
    path = output(local, job) / ".openpai/worker-0.json"
    path.write_text("[")
    diagnosis = job.explain()
    assert diagnosis.record[0].startswith(
        "The record that the runtime keeps of it cannot be read here"
    )
    assert "FAILED with exit code 3" in diagnosis.summary


def test_local_job_retry_rules(submit: Callable[..., RemoteJob]) -> None:
    """The platform retries what it would not; and does not what it would."""
    again = submit(
        "again",
        "test $FC_TASK_ATTEMPT_ID$FC_FRAMEWORK_ATTEMPT_ID != 00 || exit 75",
        "echo second start",
        retry={"again": {"exitCodes": [75]}},
    )
    assert again.wait(timeout=60).state == "SUCCEEDED"
    assert again.status().retries == 1
    never = submit("never", "kill -KILL ${$}", retry={"never": {"signals": ["SIGKILL"]}})
    detail = never.wait(timeout=60)
    assert (detail.state, detail.retries) == ("FAILED", 0)


def test_local_job_secrets_reach_commands(submit: Callable[..., RemoteJob]) -> None:
    """By name, from the file that the platform mounts."""
    value = "a&b<'s3cret"
    job = submit(
        "secret",
        f'test "$(printf %s "$TOKEN" | base64)" = "{base64.b64encode(value.encode()).decode()}"',
        secrets=[{"name": "token", "variable": "TOKEN"}],
        job_secrets={"token": value},
    )
    assert job.wait(timeout=60).state == "SUCCEEDED"
    assert value not in job.config().to_yaml()


@pytest.mark.skipif(
    not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"), reason="sshd is not installed"
)
def test_local_job_tasks_meet_and_use_ssh(submit: Callable[..., RemoteJob], tmp_path: Path) -> None:
    """With the ports that the cluster gives out, and a workspace that submission fills in."""
    done = tmp_path / "done"
    job = submit(
        "gang",
        f"if test $PAI_TASK_INDEX = 0; then ssh worker-1 'echo $PAI_JOB_NAME >{done}'; fi",
        f"until test -s {done}; do sleep 0.05; done",
        instances=2,
        ssh=True,
        waitForPeers="60s",
    )
    detail = job.wait(timeout=90)
    assert detail.state == "SUCCEEDED", "\n".join(job.logs())
    assert done.read_text() == f"{job.key}\n"
    assert not list(Path(os.environ["TMPDIR"]).glob("openpai-*"))
