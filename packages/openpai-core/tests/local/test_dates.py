"""Jobs whose YAML holds more than JSON can."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from openpai.core.client.cluster import Cluster
from openpai.core.local import LocalCluster
from openpai.core.protocol.job import Job

pytestmark = pytest.mark.process

TEXT = """\
protocolVersion: 2
name: dated
type: job
prerequisites:
  - {name: image, type: dockerimage, uri: 'a:1'}
parameters: {day: 2020-01-02, blob: !!binary aGk=, none: .nan}
taskRoles:
  worker:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - echo "<% $parameters.day %> <% $parameters.blob %>"
"""


def test_dates_bytes_and_nan_are_kept(tmp_path):
    """The task sees the date as the real server writes it; the config is as Node writes JSON."""
    with ExitStack() as stack:
        local = stack.enter_context(LocalCluster(tmp_path / "local"))
        cluster = stack.enter_context(Cluster(local.uri, user=local.user, token=local.token))
        job = cluster.submit(Job.from_yaml(TEXT), strict=False)
        assert job.wait(timeout=60).state == "SUCCEEDED"
        output = "\n".join(job.logs())
        assert "Thu Jan 02 2020 00:00:00 GMT+0000 (Coordinated Universal Time) hi" in output
        parameters = job.config().document["parameters"]
    assert parameters == {
        "day": "2020-01-02T00:00:00.000Z",
        "blob": {"type": "Buffer", "data": [104, 105]},
        "none": None,
    }
