"""Reading and writing the runtime section of a job config."""

from __future__ import annotations

import pytest

from openpai.core.errors import ProtocolError
from openpai.core.protocol.runtime_parts import (
    Callback,
    Code,
    Condition,
    Git,
    Mount,
    Output,
    Retry,
    Secret,
    Tensorboard,
)
from openpai.core.protocol.runtime_section import RuntimeSection

SHA = "a" * 64

FULL = {
    "version": 1,
    "workspace": "team-nfs:/users/alice",
    "code": {"archive": "code/x.tar.gz", "sha256": SHA, "directory": "src"},
    "outputs": [
        {"path": "ckpt/**", "every": 600},
        {"path": "core.*", "when": "failure"},
    ],
    "requirements": ["pandas==2.2.3"],
    "mounts": [{"storage": "team-nfs", "path": "/mnt/data", "readOnly": True}],
    "callbacks": [
        {
            "on": "failure",
            "commands": ["nvidia-smi"],
            "taskRoles": ["worker"],
            "exitCodes": [137],
            "timeout": 5,
            "failurePolicy": "fail",
        },
        {"on": "interval", "commands": ["date"], "every": 60},
        {"on": "exit", "call": "team-notify"},
    ],
    "git": [{"repository": "https://x/y.git", "commit": "v1", "directory": "y", "secret": "t"}],
    "secrets": [{"name": "t"}, {"name": "a.b", "variable": "B"}],
    "retry": {"again": {"exitCodes": [75]}, "never": {"signals": ["SIGKILL"]}, "limit": 5},
    "distributed": "pytorch",
    "waitForPeers": 600,
    "ssh": True,
    "tensorboard": {"logdir": "logs", "port": "tb"},
    "timeout": 7200,
    "gracePeriod": 5,
}


def job(section: object) -> dict:
    """A job config with this section and one task role."""
    return {"taskRoles": {"worker": {}}, "extras": {"openpai.runtime": section}}


def test_missing_section_is_none() -> None:
    """A job that does not use the runtime has no section."""
    assert RuntimeSection.from_job({"extras": {"other": 1}}) is None
    assert RuntimeSection.from_job({}) is None


def test_full_section_is_typed() -> None:
    """Every key arrives under its Python name, with durations in seconds."""
    section = RuntimeSection.from_job(job(FULL))
    assert section == RuntimeSection(
        workspace="team-nfs:/users/alice",
        code=Code("code/x.tar.gz", SHA, "src"),
        outputs=(Output("ckpt/**", every=600.0), Output("core.*", "failure")),
        requirements=("pandas==2.2.3",),
        mounts=(Mount("team-nfs", "/mnt/data", read_only=True),),
        callbacks=(
            Callback("failure", ("nvidia-smi",), None, ("worker",), (137,), None, 5.0, "fail"),
            Callback("interval", ("date",), every=60.0),
            Callback("exit", call="team-notify"),
        ),
        git=(Git("https://x/y.git", "v1", "y", "t"),),
        secrets=(Secret("t"), Secret("a.b", "B")),
        retry=Retry(Condition((75,)), Condition(signals=("SIGKILL",)), 5),
        distributed="pytorch",
        wait_for_peers=600.0,
        ssh=True,
        tensorboard=Tensorboard("logs", "tb"),
        timeout=7200.0,
        grace_period=5.0,
    )


def test_full_section_round_trips() -> None:
    """Writing what was read changes nothing."""
    section = RuntimeSection.from_job(job(FULL))
    assert section is not None
    assert section.to_dict() == FULL


def test_default_values_are_not_written() -> None:
    """The map holds the version and what differs from the defaults, also for empty lists."""
    assert RuntimeSection(outputs=[], callbacks=[]).to_dict() == {"version": 1}
    assert RuntimeSection(outputs=[Output("a")]).to_dict()["outputs"] == [{"path": "a"}]


@pytest.mark.parametrize(
    ("written", "meant"), [(90, 90), (0.5, 0.5), ("90s", 90), ("5m", 300), ("1.5h", 5400)]
)
def test_duration_accepts_number_and_text(written: object, meant: float) -> None:
    """Numbers are seconds; a text carries its unit."""
    assert RuntimeSection.from_job(job({"timeout": written})) == RuntimeSection(timeout=meant)


def test_invalid_section_raises_with_problems() -> None:
    """The error carries every problem, each with its JSON pointer."""
    with pytest.raises(ProtocolError) as caught:
        RuntimeSection.from_job(job({"workspac": "n:/", "outputs": [{"when": "never"}]}))
    assert [problem.path for problem in caught.value.problems] == [
        "/extras/openpai.runtime/workspac",
        "/extras/openpai.runtime/outputs/0",
        "/extras/openpai.runtime/outputs/0/when",
    ]
