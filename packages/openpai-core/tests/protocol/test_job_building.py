"""A job as people write it in Python."""

from __future__ import annotations

import pytest

from openpai.core.errors import ConfigError, ProtocolError
from openpai.core.protocol.job import Job
from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.protocol.validation import server_verdict


def _job():
    return (
        Job("mnist")
        .image("openpai/standard:1", username="u", password="<% $secrets.pw %>")
        .data("digits", "https://a/b.tar.gz")
        .parameters(lr=1e-5, layers=[1, 2])
        .secrets(pw="hunter2")
        .role(
            "worker",
            ["set -x", "python train.py --lr <% $parameters.lr %> <% $data.uri[0] %>"],
            instances=2,
            gpu=1,
            memory="16 GB",
            shm=128,
            ports={"web": 1},
            data="digits",
            min_failed=1,
            min_succeeded=-1,
        )
        .role("ps", "sleep 1", cpu=1, memory=512)
        .deployment("here", "worker", before="cd /code", after=["ls", "date"])
        .virtual_cluster("research")
        .priority("prod")
        .sku("worker", "V100")
        .storages("team", scratch="/scratch")
        .plugin("ssh", {"jobssh": True}, roles=["worker"], ignore_failure=True)
        .notify("failed", "succeeded")
        .tags("demo")
        .retries(2)
    )


def test_built_job_is_valid():
    """Everything that has a method makes a job that the server takes and strict mode likes."""
    job = _job()
    assert job.problems() == []
    verdict = server_verdict(job.to_yaml())
    assert verdict.status == 202
    assert verdict.scripts == job.scripts()
    assert job.scripts()["worker"] == (
        "cd /code\nset -x\npython train.py --lr 0.00001 https://a/b.tar.gz\nls\ndate"
    )


def test_document_is_plain_protocol():
    """Nothing is hidden behind the methods: dicts and lists with the protocol's own keys."""
    document = _job().document
    assert list(document)[:4] == ["protocolVersion", "name", "type", "taskRoles"]
    assert document["taskRoles"]["worker"] == {
        "instances": 2,
        "completion": {"minFailedInstances": 1, "minSucceededInstances": -1},
        "dockerImage": "image",
        "data": "digits",
        "extraContainerOptions": {"shmMB": 128},
        "resourcePerInstance": {"cpu": 4, "memoryMB": 16384, "gpu": 1, "ports": {"web": 1}},
        "commands": ["set -x", "python train.py --lr <% $parameters.lr %> <% $data.uri[0] %>"],
    }
    assert document["extras"]["storages"] == [
        {"name": "team"},
        {"name": "scratch", "mountPath": "/scratch"},
    ]
    assert document["extras"]["hivedScheduler"] == {
        "jobPriorityClass": "prod",
        "taskRoles": {"worker": {"skuType": "V100"}},
    }


def test_same_name_replaces_role_and_prerequisite():
    """Saying it again changes it."""
    job = Job("a").image("x:1").image("y:2").role("w", "a").role("w", "b")
    assert [item["uri"] for item in job.document["prerequisites"]] == ["y:2"]
    assert job.document["taskRoles"]["w"]["commands"] == ["b"]


def test_copies_do_not_share_state():
    """``renamed`` and ``with_parameters`` return another job."""
    job = _job()
    other = job.renamed("other").with_parameters(lr=0.1, extra="x")
    assert (job.name, job.document["parameters"]["lr"]) == ("mnist", 1e-5)
    assert other.name == "other"
    assert other.document["parameters"] == {"lr": 0.1, "layers": [1, 2], "extra": "x"}


def test_invalid_arguments_raise_at_once():
    """An Invalid amount of memory, or an unknown state."""
    with pytest.raises(ConfigError, match="Invalid amount of memory"):
        Job("a").role("w", "x", memory="lots")
    with pytest.raises(ProtocolError, match="to notify of"):
        Job("a").notify("done")


def test_broken_job_reports_all_problems():
    """The error has every problem, and its text shows them."""
    job = Job("a b").role("w", "x")
    with pytest.raises(ProtocolError) as caught:
        job.validate()
    assert [problem.path for problem in caught.value.problems] == [
        "/name",
        "/taskRoles/w/dockerImage",
    ]
    assert "There is no prerequisite 'image'" in str(caught.value)


def test_broken_job_has_no_scripts():
    """A job that the server would not take has no scripts."""
    with pytest.raises(ProtocolError, match="must be a string"):
        Job("a").set("taskRoles.w.commands", [5]).scripts()


def test_job_is_read_from_yaml_json_dict_and_file(minimal, tmp_path):
    """Four ways in, one job."""
    import json

    text = Job.from_dict(minimal).to_yaml()
    file = tmp_path / "job.json"
    file.write_text(json.dumps(minimal), encoding="utf-8")
    for job in (
        Job.from_yaml(text),
        Job.from_yaml(json.dumps(minimal)),
        Job.from_dict(minimal),
        Job.from_file(file),
        Job(document=minimal),
    ):
        assert job.document == minimal
    with pytest.raises(ProtocolError, match="a job is a mapping"):
        Job.from_yaml("- a\n")


def test_dict_is_copied(minimal):
    """Changing the job does not change the dict that it came from, nor one that it gave away."""
    job = Job.from_dict(minimal)
    given = job.to_dict()
    job.set("taskRoles.worker.instances", 9)
    assert minimal["taskRoles"]["worker"]["instances"] == 1
    assert given["taskRoles"]["worker"]["instances"] == 1


def test_fetched_config_requires_new_secrets(minimal):
    """The server's asterisks are reported until new secrets are set."""
    minimal["secrets"] = "******"
    minimal["taskRoles"]["worker"]["commands"] = ["echo <% $secrets.pw %>"]
    job = Job.from_remote(minimal)
    assert job.document["secrets"] == "******"
    hints = [problem.hint for problem in job.problems() if problem.path == "/secrets"]
    assert hints == ["The server hid the secrets: fill them in again."]
    job.secrets(pw="x")
    assert job.problems() == []


def test_secrets_are_written_so_that_server_masks_them(minimal):
    """A file whose secrets the mask would miss is serialized again."""
    import json

    minimal["secrets"] = {"pw": "hunter2"}
    job = Job.from_yaml(json.dumps(minimal))
    assert job.problems() == []
    assert "\nsecrets:\n  pw: hunter2" in job.to_yaml()
    assert load_yaml(job.to_yaml()) == minimal


def test_repr_hides_secrets():
    """``repr`` names the job, no more."""
    assert repr(_job()) == "<Job mnist>"


def test_recursive_document_is_refused():
    """A dict that contains itself."""
    document: dict[str, object] = {"name": "x"}
    document["extras"] = document
    with pytest.raises(ProtocolError, match="endless"):
        Job.from_dict(document)


def test_too_large_job_is_reported(minimal):
    """The server takes 100 KiB, comments included."""
    job = Job.from_dict(minimal).set("taskRoles.worker.commands", ["x" * 110_000])
    (problem,) = job.problems()
    assert "more than 100 KiB" in problem.message
    text = Job.from_dict(minimal).to_yaml() + "# " + "x" * 110_000
    assert len(Job.from_yaml(text).problems(strict=False)) == 1


def test_unserializable_value_is_reported(minimal):
    """An object in the document is a problem, not a crash."""
    minimal["extras"] = {"a": object()}
    (problem,) = Job(document=minimal).problems()
    assert "A value of type object" in problem.message
