"""JSON pointers."""

from hypothesis import given, strategies as st

from openpai.core.json_pointer import json_pointer, pointer_steps


def test_json_pointer_escapes_slash_and_tilde():
    assert json_pointer(["a/b", 0, "~c"]) == "/a~1b/0/~0c"


@given(st.lists(st.text()))
def test_pointer_steps_inverts_json_pointer(steps):
    assert pointer_steps(json_pointer(steps)) == steps
