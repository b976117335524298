"""What people see: whole screens, compared with those in `screens/`.

A real server's recorded answers are shown by a real `opai` in a real terminal.
`OPENPAI_UPDATE_SCREENS=1 pytest …` writes the screens.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from pathlib import Path

import pexpect
import pytest

pytestmark = pytest.mark.process

OPAI = [sys.executable, "-m", "openpai.cli"]
SCREENS = Path(__file__).with_name("screens")
RECORDINGS = Path(__file__).parents[3] / "openpai-core" / "tests" / "data" / "recordings.json.gz"
BASE = "/rest-server/api/v2"
#: path → the recorded answer
ANSWERS = {
    "/jobs": "338-listJobs-default",
    "/jobs/alice~failed": "244-getJob-failed-oom-137",
    "/jobs/alice~waiting": "246-getJob-retrying-attempt1-waiting",
    "/jobs/alice~waiting/events": "318-getEvents-waiting-job",
    "/jobs/alice~failed/events": "315-getEvents-ok",
}
#: What was recorded lies so long ago that dates are shown; what still ran is left out.
AGE = 100 * 86_400_000
BROKEN = """\
protocolVersion: 2
name: train
type: job
taskRoles:
  main:
    instances: two
    dockerImage: image
"""


@pytest.fixture
def recorded(httpserver, home):
    """A server that gives recorded answers, known as the only cluster."""
    if not RECORDINGS.exists():
        pytest.skip("the recorded answers are in the repository only")
    found = {item["name"]: item for item in json.loads(gzip.decompress(RECORDINGS.read_bytes()))}
    for path, name in ANSWERS.items():
        answer = found[name]["response"]
        httpserver.expect_request(BASE + path).respond_with_json(aged(answer["json"]))
    httpserver.expect_request(f"{BASE}/jobs/alice~failed/config").respond_with_json({"name": "x"})
    missing = {"code": "NoJobError", "message": "Job alice~gone is not found."}
    httpserver.expect_request(re.compile(f"{BASE}/jobs/alice~gone.*")).respond_with_json(
        missing, status=404
    )
    home.mkdir()
    uri = httpserver.url_for("").rstrip("/")
    (home / "clusters.yaml").write_text(
        f"- {{cluster_alias: prod, pai_uri: '{uri}', user: alice, token: t}}\n"
    )
    Path("broken.yaml").write_text(BROKEN)
    return uri


def aged(value):
    """Move all times into the past; take out what would go on changing."""
    if isinstance(value, list):
        return [aged(item) for item in value if not goes_on(item)]
    if isinstance(value, dict):
        if goes_on(value):
            value = {**value, "launchedTime": None, "appLaunchedTime": None}
        return {key: aged(item) for key, item in value.items()}
    return value - AGE if isinstance(value, int) and value > 1_600_000_000_000 else value


def goes_on(value) -> bool:
    """Whether this is a job or task that had begun and not ended."""
    return isinstance(value, dict) and bool(
        value.get("launchedTime") and not value.get("completedTime")
    )


def shown(words: list[str], columns: int, uri: str) -> str:
    """Run `opai` in a terminal; return what is on it, codes for colours spelled out."""
    environ = {**os.environ, "TERM": "xterm-256color", "TZ": "UTC"}
    child = pexpect.spawn(
        OPAI[0],
        [*OPAI[1:], *words],
        dimensions=(24, columns),
        env=environ,
        encoding="utf-8",
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.close()
    text = child.before.replace("\r\n", "\n").replace("\x1b", "ESC")
    return f"{text}exit code {child.exitstatus}\n".replace(uri, "http://SERVER")


@pytest.mark.parametrize(
    ("name", "line", "columns"),
    [
        ("list-120", "job list", 120),
        ("list-80", "job list", 80),
        ("list-40", "job list", 40),
        ("list-plain-80", "--no-color job list", 80),
        ("status-failed-80", "job status failed", 80),
        ("status-waiting-80", "job status waiting", 80),
        ("no-such-job-80", "job status gone", 80),
        ("no-such-command-80", "job lst", 80),
        ("wrong-value-80", "job list --limit many", 80),
        ("broken-file-80", "job validate broken.yaml", 80),
        ("broken-file-40", "job validate broken.yaml", 40),
    ],
)
def test_screen_equals_recording(recorded, name, line, columns):
    """Tables and errors, at several widths, with and without colour."""
    found = shown(line.split(), columns, recorded)
    place = SCREENS / f"{name}.txt"
    if os.environ.get("OPENPAI_UPDATE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        place.write_text(found)
    assert found == place.read_text()
    visible = re.sub(r"ESC\[[0-9;]*m", "", found)
    if name.startswith("list"):
        assert max(map(len, visible.splitlines())) <= columns
