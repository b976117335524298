"""What the job's log gets while a notebook runs."""

from __future__ import annotations

import io

import pytest

from openpai.notebook.execute.log import Log


class Streams:
    """What a log has written since one looked last."""

    def __init__(self):
        self.files = io.StringIO(), io.StringIO()

    def read(self):
        """Return (stdout, stderr) and forget them."""
        texts = tuple(file.getvalue() for file in self.files)
        for file in self.files:
            file.seek(0)
            file.truncate()
        return texts


@pytest.fixture
def streams():
    """Return stdout and stderr of the log."""
    return Streams()


@pytest.fixture
def log(streams):
    """Return a log that writes to them."""
    return Log(*streams.files)


def stream(text, name="stdout"):
    """Return a stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def test_log_writes_text_at_once(log, streams):
    """Text reaches its own stream as it comes, whole lines or not."""
    log.output(stream("a"))
    assert streams.read() == ("a", "")
    log.output(stream("b\n", "stderr"))
    assert streams.read() == ("", "b\n")


def test_log_writes_progress_bar_once(log, streams):
    """The many states of a bar become the last one."""
    for number in range(100):
        log.output(stream(f"\r{number}%"))
    log.output(stream("\ndone\n"))
    assert streams.read()[0] == "99%\ndone\n"


def test_log_ends_open_line_before_note(log, streams):
    """A remark never stands in the middle of a cell's line."""
    log.output(stream("no end"))
    log.output(stream("\r50%", "stderr"))
    log.note("cell 2 of 3")
    assert streams.read() == ("no end\nopenpai-notebook: cell 2 of 3\n", "50%\n")


def test_log_shows_values_and_errors_as_plain_text(log, streams):
    """A value is its plain text, an error its traceback without colours."""
    log.output({"output_type": "execute_result", "data": {"text/plain": "42", "text/html": "x"}})
    log.output({"output_type": "error", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m: v"]})
    assert streams.read() == ("42\n", "E: v\n")


def test_log_cuts_long_value(log, streams):
    """The log says that the notebook has the rest."""
    log.output({"output_type": "display_data", "data": {"text/plain": "x" * 100_000}})
    out = streams.read()[0]
    assert len(out) < 5000
    assert "the notebook has the rest" in out


def test_log_survives_closed_stream(streams):
    """Stderr is still written when nobody reads stdout any more."""
    closed = io.StringIO()
    closed.close()
    log = Log(closed, streams.files[1])
    log.output(stream("lost\n"))
    log.output(stream("kept\n", "stderr"))
    log.output(stream("lost too\n"))
    assert streams.read()[1] == "kept\n"
