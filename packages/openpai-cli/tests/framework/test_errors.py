"""From exceptions to sentences and exit codes."""

from __future__ import annotations

import errno
import inspect

import click
import pytest

from openpai.cli.framework.errors import EXIT_CODES, report_for
from openpai.core import errors


class Problem:
    """The shape of a problem of a job file."""

    path = "/taskRoles/worker"
    line = 12
    column = 5
    message = "it has no commands."
    hint = "Add some."


def api(kind, status=400):
    """Make one of the server's refusals."""
    return kind("No.", status=status, code="X", request="GET /jobs")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("bad"), 2),
        (errors.ProtocolError("bad"), 2),
        (errors.ConfigError("bad"), 2),
        (api(errors.AuthenticationError), 3),
        (api(errors.PermissionDeniedError), 3),
        (api(errors.JobNotFoundError), 4),
        (api(errors.ConflictError), 5),
        (errors.ConnectionFailed("gone"), 6),
        (errors.WaitTimeout("late"), 6),
        (api(errors.QuotaError), 1),
        (api(errors.RateLimitError), 1),
        (api(errors.ServerError, 500), 1),
        (errors.StorageError("bad"), 1),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), 4),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 3),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 1),
        (ZeroDivisionError("oops"), 1),
    ],
)
def test_error_kinds_have_exit_codes(error, code):
    """The documented exit codes hold."""
    assert report_for(error).exit_code == code


def test_core_errors_all_have_exit_codes():
    """A new error class gets a code of its own or its parent's, never the last row's."""
    ours = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    for kind in (c for c in ours if issubclass(c, errors.OpenPaiError)):
        assert any(issubclass(kind, row) for row, _ in EXIT_CODES[:-1]), kind


def test_error_shows_message_and_hint():
    """The message goes first, what to do about it after."""
    failure = report_for(errors.ConfigError("There is no cluster 'x'.", "Add it.\nOr not."))
    assert list(failure.lines(lambda text, style: text)) == [
        "opai: error: There is no cluster 'x'.",
        "hint: Add it.",
        "hint: Or not.",
    ]


def test_error_lists_job_file_problems():
    """Place, path, message and advice of each problem, one a line."""
    failure = report_for(errors.ProtocolError("job.yaml is invalid.", [Problem(), Problem()]))
    lines = list(failure.lines(lambda text, style: text))
    assert lines[1:] == ["  line 12:5 /taskRoles/worker: it has no commands. Add some."] * 2


def test_error_as_json_has_server_answer():
    """With -o json an error holds what the server said, as JSON."""
    assert report_for(api(errors.ConflictError, 409)).to_dict() == {
        "type": "ConflictError",
        "message": "No.",
        "hint": None,
        "exitCode": 5,
        "status": 409,
        "code": "X",
        "request": "GET /jobs",
    }


def test_file_error_names_file():
    """Python's own file errors become sentences."""
    failure = report_for(FileNotFoundError(errno.ENOENT, "No such file or directory", "job.yaml"))
    assert failure.message == "job.yaml: No such file or directory."


def test_unexpected_error_suggests_debug():
    """A fault of our own is named as one, without a traceback."""
    failure = report_for(ZeroDivisionError("oops"))
    assert "ZeroDivisionError: oops" in failure.message
    assert "--debug" in failure.hint
