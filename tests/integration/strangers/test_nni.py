"""NNI, unmodified, tunes on a local cluster in its OpenPAI mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRIAL = """\
import nni
x = nni.get_next_parameter()["x"]
nni.report_final_result(x ** 2)
"""


def test_nni_runs_two_trials(needs, clean_home, tmp_path):
    """NNI submits an environment, polls it, gets both results from inside it, and stops it.

    NNI's manager listens on every address of the machine; so all of it runs in a network namespace
    that has nothing but a loopback.
    """
    python, ip = needs("nni/python"), needs("ip")
    alone = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, ip, "link", "set", "lo", "up"], check=False).returncode:
        pytest.skip("this machine gives no network namespaces")
    for name in ("code", "mnt"):
        (tmp_path / name).mkdir()
    (tmp_path / "code" / "trial.py").write_text(TRIAL)
    script = str(HERE / "nni_on_local_cluster.py")
    command = f'{ip} link set lo up && exec "$@"'
    done = subprocess.run(
        [*alone, "bash", "-c", command, "bash", sys.executable, script, python, str(tmp_path)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert [state for state, _ in seen["trials"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert all(0 <= result <= 1 for _, result in seen["trials"])
    assert seen["jobs"] == ["STOPPED"]
