"""The verdict against a thousand documents that the real server has judged."""

from __future__ import annotations

import pytest

from openpai.core.protocol.checks import check_text
from openpai.core.protocol.environment import job_environment
from openpai.core.protocol.verdict import server_verdict


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
    assert _differences(corpus, expected, found) == []


def test_messages_match_server(corpus, verdicts):
    """The list of schema errors, the sentence about a reference, the text of an exception."""
    refused = [entry for entry in corpus if not entry["valid"]]
    assert (
        _differences(
            refused,
            lambda entry: entry["error"]["message"],
            lambda entry: verdicts[entry["id"]].message,
        )
        == []
    )


def test_rendered_scripts_match_server(corpus, verdicts):
    """What each task role runs, character for character."""
    accepted = [entry for entry in corpus if entry["valid"]]
    assert (
        _differences(
            accepted,
            lambda entry: entry.get("rendered") or {},
            lambda entry: verdicts[entry["id"]].scripts,
        )
        == []
    )


def test_validation_without_strict_matches_server(corpus):
    """``valid`` without strict mode is the server's own, and a refusal has a reason."""
    for entry in corpus:
        verdict = check_text(entry["yaml"], strict=False)
        assert verdict.valid == entry["valid"], entry["id"]
        assert bool(verdict.errors) != entry["valid"], entry["id"]


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
    accepted = [entry for entry in corpus if entry["valid"] and entry.get("runtime_env")]

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
