"""`opai local`: a real server in a process of its own."""

from __future__ import annotations

import pytest


@pytest.fixture
def up(opai):
    """Start the local cluster; stop it at the end, whatever happened."""
    result = opai("local", "up", "--gpus", 1, "-o", "json")
    assert result.exit_code == 0, result.stderr
    yield result.json
    opai("local", "down", "--stop-jobs")


@pytest.mark.process
def test_local_up_adds_cluster(opai, up):
    """`local up` makes the cluster `local`, and with no other it is the one that is used."""
    assert opai("cluster", "list", "-o", "name").stdout == "local\n"
    assert opai("job", "list").exit_code == 0
    assert opai("cluster", "resources", "-o", "json").json[0]["gpus"] == 1


@pytest.mark.process
def test_local_up_twice_exits_1(opai, up):
    """One runs already: 1, and where."""
    result = opai("local", "up")
    assert result.exit_code == 1
    assert up["uri"] in result.stderr


@pytest.mark.process
def test_local_status_exit_code(opai, up):
    """0 and the address while it runs; 1 when it does not."""
    assert opai("local", "status", "-o", "json").json["uri"] == up["uri"]
    assert opai("local", "down").exit_code == 0
    assert opai("local", "status").exit_code == 1
    assert opai("local", "up").exit_code == 0


@pytest.mark.process
def test_job_list_after_local_down_exits_6(opai, up):
    """After `down` a command ends with 6 and says so."""
    opai("local", "down")
    result = opai("job", "list")
    assert result.exit_code == 6
    assert opai("local", "up").exit_code == 0


def test_local_down_without_up_exits_1(opai):
    """Nothing to stop: 1 and one sentence."""
    result = opai("local", "down")
    assert result.exit_code == 1
    assert "not up" in result.stderr


@pytest.mark.process
def test_local_logs_prints_server_log(opai, up):
    """`local logs` prints what the server wrote."""
    assert up["uri"] in opai("local", "logs", "--tail", 1).stdout


def test_local_up_keeps_other_cluster_of_that_alias(opai, home, server):
    """Where `local` stands for a cluster elsewhere, `local up` refuses before it starts."""
    home.mkdir()
    (home / "clusters.yaml").write_text(
        "- {cluster_alias: local, pai_uri: 'https://pai.example.org', user: alice}\n"
    )
    result = opai("local", "up")
    assert result.exit_code == 2
    assert "https://pai.example.org" in result.stderr
    assert opai("local", "status").exit_code == 1


@pytest.mark.process
def test_local_up_reports_used_port(opai, server):
    """Another server's port: an error that names it, and nothing is left running."""
    port = server.uri.rpartition(":")[2]
    result = opai("local", "up", "--port", port)
    assert result.exit_code != 0
    assert port in result.stderr
    assert opai("local", "status").exit_code == 1


@pytest.mark.process
def test_local_prune_removes_ended_jobs(opai, up):
    """`local prune` prints what it removed; what is younger stays; the name is free again."""
    submit = ("job", "sub", "--image", "i", "--name", "old", "--wait", "--", "true")
    assert opai(*submit).exit_code == 0
    assert opai("local", "prune").stdout == ""
    assert opai("local", "prune", "--older-than", "0s").stdout.endswith("~old\n")
    assert opai(*submit).exit_code == 0


def test_local_prune_refuses_invalid_age(opai):
    """Wrong usage: 2, and how to write it."""
    result = opai("local", "prune", "--older-than", "soon")
    assert result.exit_code == 2
    assert "write 90s, 10m" in result.stderr


@pytest.mark.process
def test_local_up_reports_missing_engine(opai, monkeypatch, tmp_path):
    """Not started: one sentence, what to do, and nothing runs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = opai("local", "up", "--engine", "podman")
    assert result.exit_code != 0
    assert "podman is not installed" in result.stderr
    assert opai("local", "status").exit_code == 1


@pytest.mark.process
def test_local_up_storage_offers_folder(opai, tmp_path):
    """``--storage NAME=FOLDER`` offers a folder under a name; anything else is refused."""
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "notes.txt").write_text("hello")
    refused = opai("local", "up", "--storage", "team")
    assert (refused.exit_code, "'team' is not NAME=FOLDER." in refused.stderr) == (2, True)
    try:
        assert opai("local", "up", "--storage", f"team={tmp_path / 'team'}").exit_code == 0
        assert opai("storage", "cat", "team:/notes.txt").stdout == "hello"
    finally:
        opai("local", "down")
