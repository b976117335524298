"""Reading one task's log: no line is lost or doubled, whatever happens between two reads.

The server of these tests keeps a log as PAI's log manager does: a current file and one rotated
file, under addresses that stop being good, read by ranges.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from werkzeug import Response

from openpai.core.client.task_log import TaskLog
from openpai.core.errors import NotFoundError
from openpai.core.rest.session import Session
from openpai.core.rest.tasks import TaskAttempt

ATTEMPT = TaskAttempt("alice~job", 0, "worker", 0, 0)
PATH = "/rest-server/api/v2/jobs/alice~job/attempts/0/taskRoles/worker/taskIndex/0/attempts/0/logs"


class LogManager:
    """One log, as the node's log manager serves it."""

    def __init__(self) -> None:
        self.current = b""
        self.rotated: bytes | None = None
        self.key = 0
        self.expired = 0

    def write(self, data: bytes) -> None:
        """Append to the current file."""
        self.current += data

    def rotate(self) -> None:
        """Keep the current file as the rotated one, and begin a new one."""
        self.rotated, self.current = self.current, b""

    def expire(self) -> None:
        """Make every address that was handed out useless."""
        self.key += 1

    def locations(self, request) -> Response:
        """Answer as getTaskLogs does."""
        import json

        names = ["all"] if self.rotated is None else ["all", "all.1"]
        found = [{"name": n, "uri": f"/log-manager/{n}?token={self.key}"} for n in names]
        return Response(json.dumps({"locations": found}), content_type="application/json")

    def content(self, request) -> Response:
        """Answer with a range of a file."""
        if request.args["token"] != str(self.key):
            self.expired += 1
            return Response("", 403)
        data = self.rotated if request.path.endswith(".1") else self.current
        if data is None:
            return Response("", 404)
        first, last = request.headers["Range"][len("bytes=") :].split("-")
        if int(first) >= len(data):
            return Response("", 416)
        return Response(data[int(first) : int(last) + 1], 206)


@pytest.fixture
def log(httpserver):
    """An empty log and its server."""
    manager = LogManager()
    httpserver.expect_request(PATH).respond_with_handler(manager.locations)
    for name in ("all", "all.1"):
        httpserver.expect_request(f"/log-manager/{name}").respond_with_handler(manager.content)
    return manager


@pytest.fixture
def reader(httpserver):
    """A reader of that log."""
    session = Session(httpserver.url_for("").rstrip("/"), token="t")
    yield TaskLog(session, ATTEMPT, "all")
    session.close()


def test_empty_log_has_no_lines(log, reader):
    """416 means nothing yet."""
    assert list(reader.new_lines()) == []


def test_incomplete_line_is_held_until_the_end(log, reader):
    """At the end of the log it is a line too."""
    log.write(b"one\ntwo\nthr")
    assert list(reader.new_lines()) == ["one", "two"]
    log.write(b"ee\nfour")
    assert list(reader.new_lines()) == ["three"]
    assert list(reader.last_line()) == ["four"]
    assert list(reader.last_line()) == []


def test_split_character_is_joined(log, reader):
    """Pieces end at bytes, not at characters."""
    snowman = "☃\n".encode()
    log.write(snowman[:1])
    assert list(reader.new_lines()) == []
    log.write(snowman[1:])
    assert list(reader.new_lines()) == ["☃"]


def test_expired_address_is_requested_again(log, reader):
    """Addresses live for two minutes."""
    log.write(b"one\n")
    assert list(reader.new_lines()) == ["one"]
    log.expire()
    log.write(b"two\n")
    assert list(reader.new_lines()) == ["two"]
    assert log.expired == 1


def test_rotation_loses_nothing(log, reader):
    """The rest of the rotated file comes first, then the new file."""
    log.write(b"one\ntw")
    assert list(reader.new_lines()) == ["one"]
    log.write(b"o\nthree\n")
    log.rotate()
    log.write(b"four\n")
    assert list(reader.new_lines()) == ["two", "three", "four"]


def test_rotation_to_longer_file_is_detected(log, reader):
    """The size alone does not show it."""
    log.write(b"one\n")
    assert list(reader.new_lines()) == ["one"]
    log.rotate()
    log.write(b"two is a line that is longer than all before it\n")
    assert list(reader.new_lines()) == ["two is a line that is longer than all before it"]


def test_rotated_file_is_read_first(log, reader):
    """Following from the start means from the oldest line that is still there."""
    log.write(b"one\n")
    log.rotate()
    log.write(b"two\n")
    assert list(reader.new_lines()) == ["one", "two"]


def test_gap_is_reported_in_place(log, reader):
    """Two rotations between two reads: what lay between cannot be had any more."""
    log.write(b"one\n")
    assert list(reader.new_lines()) == ["one"]
    log.write(b"lost\n")
    log.rotate()
    log.write(b"two\n")
    log.rotate()
    log.write(b"three\n")
    first, *rest = reader.new_lines()
    assert "output may be missing here" in first
    assert rest == ["two", "three"]


def test_missing_log_raises(httpserver, reader):
    """The server says 404 NoTaskLogError."""
    httpserver.expect_request(PATH).respond_with_json({"code": "NoTaskLogError"}, status=404)
    with pytest.raises(NotFoundError):
        list(reader.new_lines())


STEPS = st.lists(
    st.one_of(
        st.integers(1, 40).map(lambda n: ("write", n)),
        st.just(("rotate", 0)),
        st.just(("expire", 0)),
        st.just(("read", 0)),
    ),
    max_size=25,
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=STEPS)
def test_every_schedule_yields_each_line_once(httpserver, steps):
    """Unless a log rotates twice between two reads, what comes out is what was written."""
    manager = LogManager()
    httpserver.clear()
    httpserver.expect_request(PATH).respond_with_handler(manager.locations)
    for name in ("all", "all.1"):
        httpserver.expect_request(f"/log-manager/{name}").respond_with_handler(manager.content)
    session = Session(httpserver.url_for("").rstrip("/"), token="t")
    reader = TaskLog(session, ATTEMPT, "all")
    written, seen, unread_rotation, number = [], [], False, 0
    for kind, count in [*steps, ("read", 0)]:
        if kind == "write":
            lines = [f"line {number + i}" for i in range(count)]
            number += count
            written += lines
            manager.write("".join(f"{line}\n" for line in lines).encode())
        elif kind == "rotate" and not unread_rotation:
            manager.rotate()
            unread_rotation = True
        elif kind == "expire":
            manager.expire()
        elif kind == "read":
            seen += reader.new_lines()
            unread_rotation = False
    session.close()
    assert seen == written
