"""Calls with a deadline."""

import threading

import pytest

from openpai.core.deadline import DeadlineError, with_deadline


def test_with_deadline_returns_the_result():
    assert with_deadline(lambda: 42, 60) == 42


def test_with_deadline_raises_the_error_of_the_call():
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        with_deadline(fail, 60)


def test_with_deadline_leaves_a_call_that_hangs():
    released = threading.Event()
    with pytest.raises(DeadlineError, match=r"no result within 0\.01 s"):
        with_deadline(released.wait, 0.01)
    released.set()
