"""YAML that js-yaml and PyYAML read as the same value."""

from __future__ import annotations

import math
import string

import pytest
import yaml
from hypothesis import given, strategies as st

from openpai.core.errors import ProtocolError
from openpai.core.protocol.job_yaml import dump_yaml, load_yaml
from openpai.core.protocol.secrets import hides_secrets

_NUMBERS = [
    "1e3",
    "1e-4",
    "0o10",
    "010",
    "1_0",
    "1:30",
    "12:30:45",
    ".inf",
    ".5",
    "+1",
    "1.",
    "0x1f",
]
_WORDS = ["yes", "no", "On", "~", "null", "=", "<<", "-", "--", "---", "...", "2001-12-14"]
_SIGNS = [
    "a#",
    "a#b",
    "#a",
    "x:",
    "?a",
    ":a",
    "{a}",
    "[x",
    "%x",
    "@x",
    "`x",
    "!x",
    "&x",
    "*x",
    "|",
    ">",
]
_WITH_BLANKS = ["- a", "a: b", "a #b", "? a", " lead", "trail ", "--- a"]
_AWKWARD = st.sampled_from([*_NUMBERS, *_WORDS, *_SIGNS, *_WITH_BLANKS])
_LINES = st.text(alphabet="ab \n\t:#-'\"{|.é😀", max_size=30)
_ANY = st.text(
    alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=20
)
_TEXTS = st.one_of(_AWKWARD, _LINES, _ANY, st.text(alphabet=string.printable, max_size=20))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    _TEXTS,
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_TEXTS.filter(lambda key: key != "secrets"), _VALUES, max_size=4))
def test_written_values_round_trip(document):
    """The server's reading and PyYAML's are what was written, types and order included."""
    text = dump_yaml(document)
    for read in (load_yaml(text), yaml.safe_load(text)):
        assert _normal(read) == _normal(document)


def _normal(value):
    if isinstance(value, dict):
        return [(key, _normal(item)) for key, item in value.items() if key != "__proto__"]
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, float) and value.is_integer() and math.isfinite(value):
        return int(value)
    return (type(value).__name__, value) if isinstance(value, (bool, str)) else value


@pytest.mark.parametrize("text", ["yes", "1e3", "1e-4", "12:30", "0o10", "2001-12-14", "", "a: b"])
def test_ambiguous_scalars_are_quoted(text):
    """A text stays a text for both readers."""
    written = dump_yaml({"a": text})
    assert written == f"a: '{text}'\n"


def test_plain_texts_stay_plain():
    """Ordinary commands are not quoted."""
    for text in (
        "python train.py --lr=0.1",
        "--flag",
        "a:b",
        "cat <file >out",
        "x # is a#comment"[:1],
    ):
        assert dump_yaml({"a": text}) == f"a: {text}\n"


def test_multiline_text_is_a_literal_block():
    """A command of several lines is written as one reads it, tabs and trailing blanks included."""
    command = "for i in 1 2; do\n\techo $i  \ndone\n"
    assert dump_yaml({"commands": [command]}) == (
        "commands:\n  - |\n    for i in 1 2; do\n    \techo $i  \n    done\n"
    )


def test_key_order_and_empty_collections_are_kept():
    """Nothing is sorted, nothing is left out."""
    assert dump_yaml({"z": {}, "a": [], "m": None}) == "z: {}\na: []\nm: null\n"


def test_dates_and_bytes_round_trip():
    """An unquoted date stays an unquoted date."""
    document = load_yaml("a: 2001-12-14\nb: !!binary aGk=\n")
    assert load_yaml(dump_yaml(document)) == document


@given(
    st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=3),
    st.dictionaries(
        _TEXTS.filter(lambda key: key not in ("secrets", "__proto__")), _SCALARS, max_size=3
    ),
)
def test_server_mask_covers_written_secrets(secrets, others):
    """Whatever the keys around it, the stored text shows the job and none of its secrets."""
    secrets.pop("__proto__", None)
    document = {"name": "x", "secrets": secrets, **others, "type": "job"}
    assert hides_secrets(dump_yaml(document), document)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("secrets:\n  a: b\ntype: job\n", True),
        ("type: job\nsecrets: {a: b}\n", True),
        ('"secrets":\n  a: b\ntype: job\n', False),
        ("secrets :\n  a: b\ntype: job\n", False),
        ('{"secrets": {"a": "b"}}', False),
        ("  secrets:\n    a: b\n", False),
        ("secrets: {\na: b}\ntype: job\n", False),
        ('secrets:\n  a: b\n"type": job\n', False),
        ("secrets: &s\n  a: b\nparameters: *s\n", False),
        ("type: job\n", True),
        ("secrets: '******'\n", True),
    ],
)
def test_mask_coverage_is_detected(text, hidden):
    """A mask that shows secrets, or swallows other keys, does not count."""
    assert hides_secrets(text, load_yaml(text)) is hidden


def test_unsupported_value_raises():
    """Objects, odd keys and endless values end in a clear error."""
    endless: list[object] = []
    endless.append(endless)
    for value in ({"a": object()}, {("a",): 1}, {"a": endless}):
        with pytest.raises(ProtocolError):
            dump_yaml(value)


def test_lone_surrogates_are_replaced():
    """What no encoding can hold becomes the replacement character."""
    assert load_yaml(dump_yaml({"a": "\ud83d"})) == {"a": "\ufffd"}
