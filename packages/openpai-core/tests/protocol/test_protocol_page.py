"""The documentation page of the job protocol says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpai.core.protocol.job import Job
from openpai.core.protocol.rules import strict_rules
from openpai.core.protocol.validation import check_text, server_verdict

PAGE = Path(__file__).parents[4] / "docs" / "job-protocol.md"

pytestmark = pytest.mark.skipif(
    not PAGE.exists(), reason="a source distribution has no documentation beside it"
)


@pytest.fixture(scope="module")
def page():
    """The text of the page."""
    return PAGE.read_text(encoding="utf-8")


def _part(page, name):
    """Return what stands between the two remarks of a part."""
    return page.split(f"<!-- {name}:")[1].split("-->\n", 1)[1].split(f"<!-- /{name} -->")[0]


def test_strict_table_matches_rules(page):
    """One line for each rule, with its reason."""
    lines = ["| strict mode refuses | what happens to it otherwise |", "|---|---|"]
    lines += [f"| {rule.refused} | {rule.otherwise} |" for rule in strict_rules()]
    assert _part(page, "strict").strip().splitlines() == lines


def _told(text):
    """Return what ``opai job validate`` prints."""
    lines = []
    for problem in check_text(text, file="job.yaml").errors:
        place = f":{problem.line}:{problem.column}"
        where = f" ({problem.path})" if problem.path else ""
        lines.append(f"job.yaml{place}: error: {problem.message}{where}")
        lines += [f"    hint: {problem.hint}"] if problem.hint else []
    return "\n".join(lines) + "\n"


def test_broken_jobs_match_shown_messages(page):
    """Each job on the page is checked, and what is said of it is what the page shows."""
    shown = re.findall(r"```yaml\n(.*?)```\n\n```text\n(.*?)```", _part(page, "broken"), re.DOTALL)
    assert len(shown) == 10
    for job, messages in shown:
        assert _told(job) == messages


def test_broken_jobs_have_hints(page):
    """Each of the ten can be mended from what is said: every problem says what to do."""
    jobs = re.findall(r"```yaml\n(.*?)```", _part(page, "broken"), re.DOTALL)
    for job in jobs:
        assert all(problem.hint for problem in check_text(job).errors), job


def test_example_runs(page):
    """The job in Python is right, and what the comment says comes out."""
    code = page.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    printed = []
    exec(code, {"print": printed.append, "Job": Job, **names}, names)
    assert server_verdict(str(printed[0])).accepted
    assert printed[1] == {"worker": "python train.py --lr 0.1"}
