"""Whatever a file holds: a clear refusal, in bounded time and memory."""

from __future__ import annotations

import threading

import pytest

from openpai.core.errors import OpenPaiError
from openpai.core.protocol.job import Job
from openpai.core.protocol.job_yaml import dump_yaml
from openpai.core.protocol.validation import check_file, check_text, render_file

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


def _indented(text):
    return "".join(f"  {line}\n" for line in text.splitlines())


@pytest.fixture
def job_text(minimal):
    """The text of a small job."""
    return dump_yaml(minimal)


HOSTILE = {
    "nested lists": lambda _: "[" * 1000 + "]" * 1000,
    "nested mappings": lambda job: job + "extras: " + "{a: " * 1000 + "}" * 1000,
    "nested blocks": lambda job: (
        job + "extras:\n" + "".join(" " * n + "a:\n" for n in range(1, 300))
    ),
    "dashes": lambda _: "- " * 40_000,
    "question marks": lambda _: "? " * 40_000,
    "bomb at the top": lambda _: BOMB,
    "bomb in extras": lambda job: job + "extras:\n" + _indented(BOMB),
    "bomb in a command": lambda job: (
        job.replace("echo hello", "echo <% $parameters.a29 %>") + "parameters:\n" + _indented(BOMB)
    ),
    "bomb in a plugin": lambda job: (
        f"{job}extras:\n{_indented(BOMB)}  com.microsoft.pai.runtimeplugin:\n"
        "    - {plugin: cmd, parameters: {preCommands: *a29}}\n"
    ),
    "bomb as a key": lambda job: job + "extras:\n" + _indented(BOMB) + "  ? *a29\n  : x\n",
    "merges": lambda job: (
        job
        + "extras:\n  a: &a\n"
        + "".join(f"    k{n}: 1\n" for n in range(3_000))
        + "  b:\n"
        + "    - {<<: *a}\n" * 3_000
    ),
    "an endless mapping": lambda job: job + "extras: &e\n  e: *e\n",
    "digits": lambda job: job.replace("mini", "1" * 90_000),
    "minutes": lambda job: job.replace("mini", "1:" * 40_000 + "1"),
    "blanks in a tag": lambda job: job.replace("echo hello", "<%" + " " * 90_000 + "x"),
    "openings of tags": lambda job: job.replace("echo hello", "<% " * 30_000),
    "sections": lambda job: job.replace("echo hello", "<%#a%>" * 12_000),
    "unknown keys": lambda _: "".join(f"k{n}: 1\n" for n in range(9_000)),
    "wrong prerequisites": lambda _: "prerequisites:\n" + "  - x\n" * 14_000,
    "wrong roles": lambda _: "taskRoles:\n" + "".join(f"  w{n}: x\n" for n in range(8_000)),
    "an object of Python": lambda _: "!!python/object/apply:os.system ['touch hacked']",
    "a function of JavaScript": lambda _: "extras: !!js/function 'function(){}'",
    "five megabytes": lambda job: job + "# " + "x" * 5_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_text_is_refused(name, job_text, tmp_path, monkeypatch):
    """Each is refused with at least one sentence, and no more of them than help."""
    monkeypatch.chdir(tmp_path)
    text = HOSTILE[name](job_text)
    verdict = check_text(text)
    assert not verdict.valid
    assert 0 < len(verdict.errors) <= 500
    assert all(len(problem.message) < 1000 for problem in verdict.errors)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_text_is_no_valid_job(name, job_text):
    """Reading such a job in Python ends in an error of ours, at the latest when it is checked."""
    with pytest.raises(OpenPaiError):
        Job.from_yaml(HOSTILE[name](job_text)).validate()


def test_deep_text_is_refused_in_small_stack():
    """The limit of nesting holds in a thread with a stack of 256 KiB."""
    found = []
    size = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(
            target=lambda: found.append(check_text("[" * 99 + "]" * 99).valid)
        )
        thread.start()
        thread.join(60)
    finally:
        threading.stack_size(size)
    assert found == [False]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00\x01\xff\xfe\x80", "is not UTF-8"),
        ("name: é".encode("latin-1"), "byte 0xe9 in line 1"),
        (b"a: 1\nb: \xc3\x28\n", "in line 2"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MiB"),
        (b"", "must be a mapping"),
    ],
)
def test_file_without_job_is_refused(data, words, tmp_path):
    """Binary data, other encodings, huge and empty files."""
    file = tmp_path / "job.yaml"
    file.write_bytes(data)
    (problem,) = check_file(file).errors
    assert words in problem.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_bom_are_read(encoding, job_text, tmp_path):
    """UTF-8 with or without its mark, and UTF-16 with it."""
    file = tmp_path / "job.yaml"
    file.write_bytes(job_text.replace("hello", "héllo 😀").encode(encoding))
    assert check_file(file).errors == []
    assert render_file(file)["taskRoles"] == {"worker": "echo héllo 😀"}


def test_crlf_line_ends_are_read(job_text, tmp_path):
    """Lines that end in CR LF have the same numbers and the same meaning."""
    file = tmp_path / "job.yaml"
    file.write_bytes(
        job_text.replace("instances: 1", "instances: x").replace("\n", "\r\n").encode()
    )
    (problem,) = check_file(file).errors
    line = job_text.splitlines().index("    instances: 1") + 1
    assert (problem.path, problem.line) == ("/taskRoles/worker/instances", line)


def test_unreadable_files_are_reported(tmp_path):
    """A missing file, a folder: not valid, with a reason; rendering has the same reason."""
    for path in (tmp_path / "missing.yaml", tmp_path):
        verdict = check_file(path)
        assert not verdict.valid
        assert verdict.errors[0].message.startswith("The file cannot be read:")
        row = render_file(path)
        assert row["taskRoles"] == {}
        assert row["errors"] == verdict.to_dict()["errors"]


def test_verdict_is_serializable(job_text, tmp_path):
    """The form that scripts read."""
    file = tmp_path / "job.yaml"
    file.write_text(job_text.replace("name: mini", "nmae: mini"), encoding="utf-8")
    assert check_file(file).to_dict() == {
        "file": str(file),
        "valid": False,
        "errors": [
            {
                "path": "/nmae",
                "line": 2,
                "column": 1,
                "message": "'nmae' is not a key of the job.",
                "hint": "Did you mean 'name'?",
            }
        ],
    }
