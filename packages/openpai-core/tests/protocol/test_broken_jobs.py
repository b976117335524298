"""Random jobs are valid; with one defect, validation reports it at its place."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings, strategies as st

from openpai.core.protocol.job import Job
from openpai.core.protocol.job_yaml import dump_yaml, load_yaml
from openpai.core.protocol.validation import check_text, server_verdict, validate_as_server

_NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True).filter(lambda n: n != "__proto__")
_LABELS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_WORDS = st.text(alphabet="abc \n'\":#-{}é😀", max_size=20)
_COMMANDS = st.lists(
    st.one_of(_WORDS, st.sampled_from(["echo <% $parameters.a %>", "cat <% $data.uri[0] %>"])),
    min_size=1,
    max_size=3,
)
_ROLE = st.fixed_dictionaries(
    {
        "instances": st.integers(1, 500),
        "dockerImage": st.just("img"),
        "data": st.just("set"),
        "resourcePerInstance": st.fixed_dictionaries(
            {
                "cpu": st.integers(0, 64),
                "memoryMB": st.integers(0, 10**6),
                "gpu": st.integers(0, 8),
            },
            optional={"ports": st.dictionaries(_LABELS, st.integers(1, 5), min_size=1, max_size=3)},
        ),
        "commands": _COMMANDS,
    },
    optional={
        "completion": st.fixed_dictionaries(
            {},
            optional={
                "minFailedInstances": st.sampled_from([-1, 1, 2]),
                "minSucceededInstances": st.sampled_from([-1, 1, 2]),
            },
        ),
        "prerequisites": st.just(["set"]),
        "extraContainerOptions": st.fixed_dictionaries({"shmMB": st.integers(0, 4096)}),
    },
)
_JOBS = st.fixed_dictionaries(
    {
        "protocolVersion": st.sampled_from([2, "2"]),
        "name": _NAMES,
        "type": st.just("job"),
        "prerequisites": st.just(
            [
                {"name": "img", "type": "dockerimage", "uri": "a/b:1"},
                {"name": "set", "type": "data", "uri": ["https://a"], "more": 1},
            ]
        ),
        "parameters": st.fixed_dictionaries(
            {"a": st.one_of(st.integers(-(2**53), 2**53), st.floats(), _WORDS)}
        ),
        "taskRoles": st.dictionaries(_LABELS, _ROLE, min_size=1, max_size=3),
    },
    optional={
        "version": st.one_of(st.floats(0, 9), _WORDS),
        "description": _WORDS,
        "jobRetryCount": st.integers(0, 9),
        "secrets": st.dictionaries(_LABELS, _WORDS, max_size=2),
        "defaults": st.just({"virtualCluster": "default"}),
        "extras": st.just({"submitFrom": "x", "gangAllocation": True}),
    },
)


@given(_JOBS)
def test_generated_jobs_are_valid(document):
    """The server takes them, strict mode likes them, and they survive being written and read."""
    assert validate_as_server(document).accepted
    text = dump_yaml(document)
    assert check_text(text).errors == []
    verdict = server_verdict(text)
    assert verdict.scripts == validate_as_server(document).scripts
    assert Job.from_yaml(text).to_yaml() == text
    assert dump_yaml(load_yaml(text)) == text


def _first_role(document):
    return next(iter(document["taskRoles"]))


def _at(*steps):
    """Return a way to break a job: set a value, and say where."""

    def breaker(document, value):
        path = [_first_role(document) if step == "*" else step for step in steps]
        holder = document
        for step in path[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
        holder[path[-1]] = value
        return "/" + "/".join(map(str, path))

    return breaker


def _without(*steps):
    """Return a way to break a job: remove a key; the problem is at the mapping that lacks it."""

    def breaker(document, _):
        path = [_first_role(document) if step == "*" else step for step in steps]
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
        return "".join(f"/{step}" for step in path[:-1])

    return breaker


_NO_TEXT = [None, True, 5, 1.5, [], {}]
_NO_NUMBER = ["5", "", True, 1.5, [], {}]
BREAKERS = {
    "protocolVersion": (_at("protocolVersion"), [1, "2.0", None, True, [2]]),
    "name": (_at("name"), [*_NO_TEXT, "a b", "", "é", "x" * 256]),
    "type": (_at("type"), [*_NO_TEXT, "Job"]),
    "no name": (_without("name"), [None]),
    "no roles": (_without("taskRoles"), [None]),
    "image type": (_at("prerequisites", 0, "type"), ["dockerImage", "model"]),
    "image uri": (_at("prerequisites", 0, "uri"), _NO_TEXT),
    "image key": (_at("prerequisites", 0, "pulgin"), ["x"]),
    "data uri": (_at("prerequisites", 1, "uri"), ["https://a", 5, {}]),
    "no image uri": (_without("prerequisites", 0, "uri"), [None]),
    "parameters": (_at("parameters"), [None, "x", 5, []]),
    "secrets": (_at("secrets"), [None, "******", 5, ["x"]]),
    "retries": (_at("jobRetryCount"), [*_NO_NUMBER, -1]),
    "role key": (_at("taskRoles", "*", "comands"), [["x"]]),
    "role name": (_at("taskRoles", "1a"), [{}]),
    "instances": (_at("taskRoles", "*", "instances"), [*_NO_NUMBER, 0, -1]),
    "image": (_at("taskRoles", "*", "dockerImage"), [*_NO_TEXT, "other", ""]),
    "data": (_at("taskRoles", "*", "data"), [*_NO_TEXT, "img"]),
    "no image": (_without("taskRoles", "*", "dockerImage"), [None]),
    "no resources": (_without("taskRoles", "*", "resourcePerInstance"), [None]),
    "no gpu": (_without("taskRoles", "*", "resourcePerInstance", "gpu"), [None]),
    "cpu": (_at("taskRoles", "*", "resourcePerInstance", "cpu"), [*_NO_NUMBER, None]),
    "ports": (_at("taskRoles", "*", "resourcePerInstance", "ports"), [{}]),
    "commands": (_at("taskRoles", "*", "commands"), ["echo", [], {}, None]),
    "command": (_at("taskRoles", "*", "commands", 0), _NO_TEXT),
    "tag": (_at("taskRoles", "*", "commands", 0), ["<% $parameters.b %>", "echo <% x"]),
    "completion": (_at("taskRoles", "*", "completion", "minFailedInstances"), ["1", 1.5, None]),
    "prerequisites": (_at("taskRoles", "*", "prerequisites", 0), ["other"]),
    "deployment": (_at("defaults", "deployment"), ["none", 5]),
    "unknown key": (_at("taskroles"), [{}]),
    "extras": (_at("extras"), [None, [], "x"]),
}


@pytest.mark.parametrize("name", BREAKERS)
@settings(max_examples=settings.default.max_examples // 10)  # of each kind
@given(data=st.data())
def test_single_mistake_is_reported_at_its_place(name, data):
    """The problem has the pointer of what was broken, and line and column inside the text."""
    document = copy.deepcopy(data.draw(_JOBS))
    if name == "prerequisites":
        document["taskRoles"][_first_role(document)]["prerequisites"] = ["set"]
    breaker, values = BREAKERS[name]
    path = breaker(document, copy.deepcopy(data.draw(st.sampled_from(values))))
    text = dump_yaml(document)
    problems = check_text(text).errors
    assert path in [problem.path for problem in problems], problems
    lines = text.splitlines()
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    assert server_verdict(text).accepted == (check_text(text, strict=False).errors == [])


@given(_JOBS, st.integers(0, 10**6), st.sampled_from(list(":-{}[]&*!|>'\"%@`,?# \n\t\x00\x07\\")))
def test_single_wrong_character_never_crashes(document, place, character):
    """Any character anywhere in a file ends in a verdict, and strict mode never takes more."""
    text = dump_yaml(document)
    place %= len(text)
    broken = text[:place] + character + text[place:]
    verdict = server_verdict(broken)
    assert verdict.status in (202, 400, 500)
    assert check_text(broken, strict=False).valid == verdict.accepted
    if not verdict.accepted:
        assert not check_text(broken).valid
        assert verdict.message
