"""Whether PAI is to start a task again: by rules, by the command, by a callback."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from openpai.runtime import Runtime
from openpai.runtime.job.retry_policy import NO_RETRY, RETRY

pytestmark = pytest.mark.process


def test_retry_rules_set_exit_code(task: Any) -> None:
    """Failures that no rule is for keep theirs."""
    rules = {"again": {"exitCodes": [75, 76]}, "never": {"signals": ["SIGKILL"]}}
    task.section(retry=rules)
    done = task.bash("exit 75")
    assert done.returncode == RETRY
    assert "The exit code is 143 instead of 75, so that PAI will start it again." in done.stderr
    assert task.manifest["exitCode"] == 75
    assert task.bash("kill -KILL $$").returncode == NO_RETRY
    assert task.bash("exit 3").returncode == 3
    assert task.bash("exit 0").returncode == 0


def test_retry_never_overrides_again(task: Any) -> None:
    """A failure that both rules are for is not retried."""
    task.section(retry={"again": {"exitCodes": [75]}, "never": {"exitCodes": [75]}})
    assert task.bash("exit 75").returncode == NO_RETRY


def test_retry_limit_is_kept(task: Any) -> None:
    """PAI itself has no limit."""
    task.section(retry={"again": {"exitCodes": [75]}, "limit": 2})
    for attempt, code in (("1", RETRY), ("2", 75)):
        task.env["FC_TASK_ATTEMPT_ID"] = attempt
        assert task.bash("exit 75").returncode == code


@pytest.mark.parametrize(("word", "code"), [("again", RETRY), ("never", NO_RETRY), ("maybe", 3)])
def test_retry_verdict_of_command(task: Any, word: str, code: int) -> None:
    """It writes a word into the file that a variable names."""
    task.section()
    done = task.bash(f'echo {word} >"$OPENPAI_VERDICT"; exit 3')
    assert done.returncode == code
    assert ("'maybe' in $OPENPAI_VERDICT means nothing" in done.stderr) is (word == "maybe")


def test_retry_verdict_of_callback_overrides_rules(task: Any) -> None:
    """It has seen more."""
    ask = {"on": "failure", "commands": ['echo never >"$OPENPAI_VERDICT"']}
    task.section(retry={"again": {"exitCodes": [75]}}, callbacks=[ask])
    assert task.bash("exit 75").returncode == NO_RETRY


def test_retry_rules_match_lost_outputs(task: Any) -> None:
    """Rules see the runtime's own codes, too."""
    task.section(retry={"again": {"exitCodes": [193]}}, outputs=[{"path": "a"}])
    assert task.bash('echo x >a; mkdir "$PAI_SDK_JOB_OUTPUT_DIR/a"').returncode == RETRY


def test_retry_verdict_of_python_program(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the runtime; on a laptop it means nothing."""
    task.section()
    for name, code in (("retry_me", RETRY), ("never_retry_me", NO_RETRY)):
        script = f"from openpai.runtime import Runtime as R; R.from_env().{name}(); exit(5)"
        assert task.run(sys.executable, "-c", script).returncode == code
    monkeypatch.delenv("OPENPAI_VERDICT", raising=False)
    Runtime.from_env({}).retry_me()


def test_retry_verdict_file_is_removed(task: Any) -> None:
    """Nothing is left behind."""
    task.section()
    path = task.bash('echo "$OPENPAI_VERDICT"').stdout.strip()
    assert path
    assert task.run("test", "-e", path).returncode == 1
