"""The verdict against a thousand documents that the real server has judged."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from openpai.core.execution.task_environment import job_environment
from openpai.core.json_pointer import pointer_steps
from openpai.core.protocol.job_yaml import dump_yaml
from openpai.core.protocol.validation import check_text, server_verdict

PAGE = Path(__file__).resolve().parents[4] / "docs" / "protocol-differences.md"
MEMBER = "a reference to a member of every JavaScript object"
METHOD = "a method or other built-in member in a tag"
DELIMITERS = "other delimiters for tags"
TAB = "a tab inside an unquoted string, where PyYAML has no libyaml"

#: Documents with another verdict than the real server's; the page in docs/ lists the kinds.
VERDICTS = {
    "mini:prereq:dockerImage-toString": MEMBER,
    "mini:prereq:dockerImage-constructor": MEMBER,
    "render:set-delim": DELIMITERS,
}
#: The same where PyYAML has no libyaml.
PURE_VERDICTS = {**VERDICTS, "yaml:command-tab": TAB}
#: YAML that the corpus lacks: by kind the extras of a job, and whether js-yaml 3.13.1 reads them.
OTHER_YAML = {
    "a tab as indentation, or behind a dash": ("a:\n    -\tb\n", True),
    "an anchor or a tag before the first key of a mapping": ("&x a: 1\n  b: 2\n", False),
    "a name of an anchor with other signs than `-` and `_`": ("a: &x.y 1\n", True),
    "an explicit key behind a key": ("a: ? b\n", True),
    "a merge of something else than mappings": ("<<: [[a]]\n", True),
}
#: Documents with the same verdict and other scripts.
RENDERS = {"render:str-method": METHOD, "render:proto": METHOD, "render:hasOwn": METHOD}
#: Documents that are refused in other words, besides those that are not YAML.
WORDS = {"render:section-unopened", "render:section-mismatch", "render:erb-eq"}


@pytest.fixture(scope="module")
def verdicts(corpus):
    """The server's verdict on each document, by its id."""
    return {entry["id"]: server_verdict(entry["yaml"]) for entry in corpus}


@pytest.fixture(scope="module")
def strict(corpus):
    """The checks of strict mode on each document, by its id."""
    return {entry["id"]: check_text(entry["yaml"]) for entry in corpus}


def _differences(corpus, expected, found):
    pairs = [(entry["id"], expected(entry), found(entry)) for entry in corpus]
    return [pair for pair in pairs if pair[1] != pair[2]]


def test_status_and_code_match_server(corpus, verdicts):
    """Accepted, refused or failed: the same answer on every document."""

    def expected(entry):
        error = entry["error"] or {"status": 202, "code": None}
        return error["status"], error["code"]

    def found(entry):
        verdict = verdicts[entry["id"]]
        return verdict.status, verdict.code

    assert len(corpus) == 1002
    assert {entry for entry, *_ in _differences(corpus, expected, found)} == set(VERDICTS)
    assert len(VERDICTS) <= 10


def test_status_and_code_match_server_without_libyaml(corpus, monkeypatch):
    """Where PyYAML is pure Python, one more document differs."""
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    wrong = set()
    for entry in corpus:
        verdict = server_verdict(entry["yaml"])
        if verdict.accepted != entry["valid"]:
            wrong.add(entry["id"])
    assert wrong == set(PURE_VERDICTS)


@pytest.mark.parametrize("kind", OTHER_YAML)
def test_other_yaml_has_other_verdict(kind, minimal):
    """What the page says of YAML that the corpus lacks is so."""
    extras, is_yaml = OTHER_YAML[kind]
    text = f"{dump_yaml(minimal)}extras:\n  {extras}"
    assert server_verdict(text).accepted != is_yaml


def test_schema_problems_are_where_server_finds_them(corpus):
    """Each problem of the schema is at a value, or a key of one, that the server's list names."""
    compared = 0
    for entry in corpus:
        message = (entry["error"] or {"message": ""})["message"]
        if not message.startswith("[{"):
            continue
        places = {_steps(error["dataPath"]) for error in json.loads(message)}
        problems = check_text(entry["yaml"], strict=False).errors
        assert problems
        for problem in problems:
            place = tuple(pointer_steps(problem.path))
            assert places & {place, place[:-1]}, (entry["id"], problem)
        compared += 1
    assert compared > 400


def _steps(data_path):
    """Return the keys and indices of a path as AJV writes it: ``.a['b'][0]``."""
    found = re.findall(r"\.([^.\[]+)|\['((?:[^'\\]|\\.)*)'\]|\[([0-9]+)\]", data_path)
    return tuple("".join(groups) for groups in found)


def test_messages_of_other_refusals_match_server(corpus, verdicts):
    """The sentence about a reference, the text of an exception."""
    refused = [
        entry
        for entry in corpus
        if not entry["valid"] and not entry["error"]["message"].startswith("[{")
    ]
    found = _differences(
        refused,
        lambda entry: entry["error"]["message"],
        lambda entry: verdicts[entry["id"]].message,
    )
    no_yaml = {entry["id"] for entry in corpus if "parse_error" in entry}
    assert {entry for entry, *_ in found} == WORDS | no_yaml


def test_rendered_scripts_match_server(corpus, verdicts):
    """What each task role runs, character for character."""
    accepted = [entry for entry in corpus if entry["valid"] and entry["id"] not in VERDICTS]
    found = _differences(
        accepted,
        lambda entry: entry.get("rendered") or {},
        lambda entry: verdicts[entry["id"]].scripts,
    )
    assert {entry for entry, *_ in found} == set(RENDERS)
    assert len(RENDERS) <= 3


def test_page_of_differences_lists_their_kinds():
    """Each kind that the two lists name, and no other."""
    if not PAGE.exists():
        pytest.skip("the documentation is not part of this distribution")
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- differences -->\n")[2].partition("<!-- end of differences -->")[0]
    kinds = [row.split(" | ")[0][2:] for row in table.splitlines()[2:]]
    assert sorted(kinds) == sorted({*PURE_VERDICTS.values(), *OTHER_YAML, *RENDERS.values()})


def test_validation_without_strict_matches_server(corpus):
    """``valid`` without strict mode is the server's own, and a refusal has a reason."""
    for entry in corpus:
        verdict = check_text(entry["yaml"], strict=False)
        expected = entry["valid"] != (entry["id"] in VERDICTS)
        assert verdict.valid == expected, entry["id"]
        assert bool(verdict.errors) != expected, entry["id"]


def test_strict_mode_accepts_nothing_that_server_refuses(corpus, strict):
    """Strict mode only adds to the server's rules."""
    for entry in corpus:
        if not entry["valid"]:
            assert not strict[entry["id"]].valid, entry["id"]


def test_problems_have_message_and_line(corpus, strict):
    """No problem is without a sentence, and none speaks of the server's own program."""
    for entry in corpus:
        for problem in strict[entry["id"]].errors:
            assert problem.message.endswith((".", "?")), (entry["id"], problem)
            assert "The server answers" not in problem.message, (entry["id"], problem)
            assert problem.line is not None, (entry["id"], problem)


def test_environment_of_accepted_jobs_matches_server(corpus, verdicts):
    """The variables that need only the job, as the server sets them."""
    accepted = [
        entry
        for entry in corpus
        if entry["valid"] and entry.get("runtime_env") and entry["id"] not in VERDICTS
    ]

    def expected(entry):
        environment = {**entry["runtime_env"], "PAI_VIRTUAL_CLUSTER": "default"}
        whole = (
            float(value) if isinstance(value, int) else value for value in environment.values()
        )
        return {
            key: f"{value:g}" if isinstance(value, float) and value < 1e6 else _number(value)
            for key, value in zip(environment, whole)
        }

    def found(entry):
        document = verdicts[entry["id"]].document
        return job_environment(document, "alice", "default")

    assert _differences(accepted, expected, found) == []


def _number(value):
    return str(int(value)) if isinstance(value, float) else value


def test_example_jobs_are_accepted(job_files):
    """The job files of PAI's own examples are accepted, in strict mode too."""
    assert len(job_files) == 31
    for path in job_files:
        text = path.read_text(encoding="utf-8")
        assert server_verdict(text).status == 202, path.name
        assert check_text(text).errors == [], path.name
