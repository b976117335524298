"""Text that is overwritten, and text that is too long."""

from __future__ import annotations

import pytest

from openpai.notebook.execute.streams import BoundedStreams, overwritten

CASES = [
    ("plain\n", "plain\n"),
    ("10%\r20%\r30%\n", "30%\n"),
    ("10%\r20%\r", "20%\r"),
    ("10%\r", "10%\r"),
    ("\r10%", "10%"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("a\rb\nc\rd\n", "b\nd\n"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_overwritten_applies_carriage_returns(text, shown):
    """A line is shown as its last state; a return at the very end overwrites nothing yet."""
    assert overwritten(text) == shown


def stream(text, name="stdout"):
    """Return a stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def settled(*pieces, limit=10):
    """Feed outputs one by one and return what the cell holds at the end."""
    bounds = BoundedStreams(limit)
    outputs: list[dict] = []
    for piece in pieces:
        outputs.append(piece)
        if piece["output_type"] == "stream":
            bounds.settle(outputs)
    return outputs


def test_bounded_streams_joins_pieces():
    """Consecutive pieces are joined; another stream or a figure parts them."""
    figure = {"output_type": "display_data", "data": {}, "metadata": {}}
    pieces = [stream("a"), stream("b"), stream("e", "stderr"), stream("c"), figure, stream("d")]
    assert settled(*pieces) == [
        stream("ab"),
        stream("e", "stderr"),
        stream("c"),
        figure,
        stream("d"),
    ]


def test_bounded_streams_keeps_last_state_of_progress_bar():
    """A bar that comes in many pieces leaves its last state, however long it runs."""
    pieces = [stream(f"\r{n:3}%", "stderr") for n in range(1000)]
    assert settled(*pieces, stream("\n", "stderr"), limit=100) == [stream("999%\n", "stderr")]


def test_bounded_streams_keeps_start_and_end():
    """What is left out between is said with its size."""
    [head, tail] = settled(*(stream(f"{n:04}\n") for n in range(1000)))
    assert head["text"] == "0000\n0001\n"
    assert tail["text"].endswith("0998\n0999\n")
    assert "[4,980 characters are left out here" in tail["text"]
    assert tail["output_type"] == "stream"


def test_bounded_streams_cuts_one_long_piece():
    """A single message of any size is cut the same way, also without a line end."""
    [head, tail] = settled(stream("x" * 1000))
    assert head["text"] == "x" * 10
    assert tail["text"].endswith("\n" + "x" * 10)
    assert "980 characters" in tail["text"]


def test_bounded_streams_keeps_text_just_past_limit():
    """Nothing is said to be left out where nothing is."""
    assert [output["text"] for output in settled(stream("0123456789"), stream("abc"))] == [
        "0123456789",
        "abc",
    ]


def test_bounded_streams_keeps_end_of_each_stream():
    """Past the limit stdout and stderr each keep their own end."""
    outputs = settled(stream("0123456789"), *[stream("out"), stream("err", "stderr")] * 10)
    assert len(outputs) == 3
    assert [output["name"] for output in outputs[1:]] == ["stdout", "stderr"]
    assert outputs[1]["text"].endswith("]\ntoutoutout")
    assert outputs[2]["text"].endswith("]\nrerrerrerr")


def test_bounded_streams_resets_after_clearing():
    """After a cell cleared its outputs the whole limit is free again."""
    bounds = BoundedStreams(10)
    outputs = [stream("0123456789")]
    bounds.settle(outputs)
    outputs[:] = [stream("abcdefghij")]
    bounds.settle(outputs)
    assert outputs == [stream("abcdefghij")]
