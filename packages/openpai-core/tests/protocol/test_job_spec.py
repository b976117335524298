"""The typed description of a job."""

from __future__ import annotations

import pytest

from openpai.core.errors import ConfigError
from openpai.core.protocol.job_spec import JobSpec
from openpai.core.protocol.job_values import parse_callback, parse_mount, parse_port


def test_spec_fills_job():
    spec = JobSpec(
        name="train",
        image="python:3.11",
        gpu=1,
        memory=512,
        instances=2,
        environment={"A": "1"},
        ports={"http": 1},
        mounts=[{"name": "team"}],
        retries=3,
        priority="prod",
        sku="K80",
        time_limit=90.0,
        virtual_cluster="research",
    )
    document = spec.to_job(["true"], "unused").to_dict()
    role = document["taskRoles"]["main"]
    assert (document["name"], document["jobRetryCount"]) == ("train", 3)
    assert role["resourcePerInstance"] == {
        "cpu": 2,
        "memoryMB": 512,
        "gpu": 1,
        "ports": {"http": 1},
    }
    assert role["commands"] == ["export A=1", "true"]
    assert document["defaults"] == {"virtualCluster": "research"}
    assert document["extras"] == {
        "hivedScheduler": {"jobPriorityClass": "prod", "taskRoles": {"main": {"skuType": "K80"}}},
        "storages": [{"name": "team"}],
        "openpai.runtime": {"version": 1, "timeout": 90},
    }


def test_spec_without_image_is_config_error():
    with pytest.raises(ConfigError, match="needs an image"):
        JobSpec().to_job(["true"], "job")


def test_default_applies_only_to_missing_value():
    defaults = {"image": "default", "mem": "2g", "pip-installs": ["numpy"], "gpu": 0}
    spec = JobSpec(image="own").with_defaults(defaults.get)
    assert (spec.image, spec.memory, spec.requirements, spec.gpu) == ("own", 2048, ("numpy",), 0)
    only = JobSpec().with_defaults(defaults.get, "requirements")
    assert (only.image, only.requirements) == (None, ("numpy",))


def test_variables_override_env_files(tmp_path):
    file = tmp_path / "vars"
    file.write_text("# comment\nA=file\nB=file\n")
    job = JobSpec(image="i", env_files=[file], environment={"A": "own"}).to_job([], "job")
    commands = job.to_dict()["taskRoles"]["main"]["commands"]
    assert commands == ["export A=own", "export B=file"]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_port, "http=many"),
        (parse_mount, "team:relative"),
        (parse_mount, ":/path"),
        (parse_callback, "nothing=true"),
        (parse_callback, "interval=true"),
        (parse_callback, "failure"),
    ],
)
def test_invalid_text_is_config_error(parse, text):
    with pytest.raises(ConfigError, match="invalid"):
        parse(text)
