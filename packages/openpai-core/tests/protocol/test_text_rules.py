"""Strict mode refuses a text that PyYAML, inside PAI's containers, reads as another job."""

from __future__ import annotations

import pytest

from openpai.core.protocol.job_yaml import dump_yaml
from openpai.core.protocol.rules.rule import JobView
from openpai.core.protocol.rules.text import _same_for_pyyaml
from openpai.core.protocol.source import Source
from openpai.core.protocol.validation import check_text

CONTAINERS = "inside PAI's containers"


@pytest.fixture
def text(minimal):
    """The text of a job with one extra, which is 1."""
    return dump_yaml({**minimal, "extras": {"x": 1}})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yes", "To the server this is the string 'yes', inside PAI's containers true."),
        ("1e-4", "To the server this is 0.0001, inside PAI's containers the string '1e-4'."),
        ("=", "PAI's containers cannot read line"),
        ("a\tb", "PAI's containers cannot read line"),
        (
            "a\u2028",
            "To the server this is the string 'a\u2028', inside PAI's containers the string 'a'",
        ),
        ("!!set {a}", "To the server this is a mapping, inside PAI's containers {'a'}."),
    ],
)
def test_other_value_inside_containers_is_refused(text, value, message):
    """The server's YAML has other types than PyYAML's."""
    verdict = check_text(text.replace("x: 1", f"x: {value}"))
    assert [problem.message[: len(message)] for problem in verdict.errors] == [message]
    assert check_text(text.replace("x: 1", f"x: {value}"), strict=False).valid


@pytest.mark.parametrize(
    "value",
    ["'yes'", "2001-12-14", "12:30:45", "010", "0x1F", "9" * 30, ".inf", ".nan", "1.0", "~"],
)
def test_same_value_inside_containers_is_accepted(text, value):
    """Dates, and numbers that both read."""
    assert check_text(text.replace("x: 1", f"x: {value}")).errors == []


def test_difference_has_its_place(text):
    """Line and column of the value."""
    (problem,) = check_text(text.replace("x: 1", "x: [a, yes]")).errors
    line = text.splitlines().index("  x: 1") + 1
    assert (problem.path, problem.line, problem.column) == ("/extras/x/1", line, 10)
    assert CONTAINERS in problem.message


def test_parameters_may_differ(text):
    """The server fills them into the commands."""
    assert check_text(text + "parameters: {lr: 1e-5, shuffle: yes}\n").errors == []


@pytest.mark.parametrize("root", ["yes", "1e5"])
def test_root_that_differs_is_reported(root):
    """Also where the whole text is one value."""
    (finding,) = _same_for_pyyaml(JobView({}, Source(root)))
    assert finding.path == ()
