"""Secrets of the job: in variables by their names, and in nothing that is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpai.core.errors import OpenPaiError
from openpai.runtime.secrets import read_secret

SECRETS = """
wandb: w4ndb-k3y
db: {user: alice, password: "p4ss'w\\"rd $HOME"}
key: |
  -----BEGIN KEY-----
  abcdefgh
short: a
"""


@pytest.fixture
def secrets(task: Any, tmp_path: Path) -> Path:
    """The platform's file, elsewhere."""
    path = tmp_path / "secrets.yaml"
    path.write_text(SECRETS)
    task.env["OPENPAI_SECRETS"] = str(path)
    return path


@pytest.mark.process
def test_secrets_reach_command_and_callbacks(task: Any, secrets: Path) -> None:
    """Exactly as they were written, and no others."""
    task.section(
        secrets=[{"name": "wandb"}, {"name": "db.password", "variable": "PGPASSWORD"}],
        callbacks=[{"on": "start", "commands": ['echo "start $wandb"']}],
    )
    done = task.bash(
        'echo "$PGPASSWORD"; echo "${key:-none}"; cat /proc/$PPID/cmdline | tr "\\0" " "'
    )
    start, password, key, argv = done.stdout.splitlines()
    assert (start, password, key) == ("start w4ndb-k3y", "p4ss'w\"rd $HOME", "none")
    assert "w4ndb" not in argv


@pytest.mark.process
def test_missing_secret_prevents_command(task: Any, secrets: Path) -> None:
    """The sentence names those that there are, not their values."""
    task.section(secrets=[{"name": "wanda", "variable": "K"}])
    done = task.run("echo", "never")
    assert (done.returncode, done.stdout) == (195, "")
    assert "The job has no secret 'wanda'. It has: wandb, db, key, short." in done.stderr


@pytest.mark.process
def test_messages_mask_secrets(task: Any, secrets: Path) -> None:
    """Neither stderr nor the record has them."""
    task.section()
    with (task.work.parent / "log").open("w") as log:
        script = "echo \"KeyError: 'w4ndb-k3y of alice'\" >&2; exit 1"
        task.start("bash", "-c", script, stdout=log, stderr=log).wait(60)
    reported = (task.work.parent / "log").read_text().partition("[openpai-runtime]")[2]
    assert "KeyError: '****** of ******'" in reported
    assert "w4ndb" not in reported
    assert "w4ndb" not in (task.output / ".openpai/worker-0.json").read_text()


def test_unreadable_secrets_file_is_reported_without_content(tmp_path: Path) -> None:
    """A parser's message would show the line."""
    path = tmp_path / "secrets"
    path.write_text("a: [s3cret")
    with pytest.raises(OpenPaiError) as caught:
        read_secret("a", {"OPENPAI_SECRETS": str(path)})
    assert str(caught.value) == f"The secrets of the job cannot be read from {path}."


def test_secrets_absent_without_section(tmp_path: Path) -> None:
    """Without a file only a wanted secret is an error."""
    with pytest.raises(OpenPaiError, match="It has: none"):
        read_secret("a", {"OPENPAI_SECRETS": str(tmp_path / "none")})
