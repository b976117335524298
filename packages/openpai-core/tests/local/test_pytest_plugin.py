"""The fixtures that openpai-core offers to other people's tests."""

import os
import subprocess
import sys
import textwrap

import pytest


@pytest.mark.process
def test_fixtures_run_a_job(pai_cluster, pai_client, job_text):
    """``pai_cluster`` really runs what ``pai_client`` submits."""
    from openpai.core import Job

    remote = pai_client.submit(Job.from_yaml(job_text("plugin", "echo from the plugin")))
    assert remote.wait(timeout=60).state == "SUCCEEDED"
    assert list(remote.logs()) == ["from the plugin"]
    assert pai_client.user == pai_cluster.user


@pytest.mark.pai_cluster(gpus=3, user="alice")
def test_marker_sets_cluster_options(pai_cluster, plain_client):
    """Options of the cluster come from the marker."""
    client = plain_client(pai_cluster.uri, pai_cluster.user, pai_cluster.token)
    vcs = client("GET", "/virtual-clusters").json()
    client.close()
    assert vcs["default"]["resourcesTotal"]["gpu"] == 3
    assert pai_cluster.user == "alice"


@pytest.mark.process
def test_unused_plugin_imports_nothing(tmp_path):
    """A test run without these fixtures loads neither the server nor the client."""
    (tmp_path / "test_other.py").write_text(
        textwrap.dedent("""
            import sys

            def test_nothing():
                for name in ("werkzeug", "requests", "yaml", "sqlite3", "openpai.core.local.host"):
                    assert name not in sys.modules, name
        """)
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    # Plugins of others, which import what they like, stay out.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "openpai.core.local.pytest_plugin"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
