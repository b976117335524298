"""YAML as the server reads it: types, keys, errors, places; with libyaml and with PyYAML alone."""

from __future__ import annotations

import math

import pytest
import yaml

from openpai.core.protocol.job_yaml import YamlError, load_yaml, read_yaml
from openpai.core.protocol.js import UNDEFINED, Timestamp


@pytest.fixture(params=["libyaml", "PyYAML"], autouse=True)
def parser(request, monkeypatch):
    """The parser in C, and the one that is there everywhere."""
    if request.param == "PyYAML":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML has no libyaml here")
    return request.param


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1e3", 1000.0),
        ("1.5e3", 1500.0),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("0o10", "0o10"),
        ("010", 8),
        ("08", "08"),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1_", "1_"),
        ("12:30:45", 45045),
        ("1:20.5", 80.5),
        ("-0", 0),
        ("+1", 1),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.inf", math.inf),
        ("=", "="),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
        ("12345678901234567890", 12345678901234567168),
        ("9" * 400, math.inf),
        ("''", ""),
        ("'it''s'", "it's"),
        (r'"a\x41\u00e9\U0001F600"', "aAé😀"),
        (r'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 1", 1.0),
        ("!!binary aGk=", b"hi"),
        ("!!seq", []),
        ("!!set {a, b}", {"a": None, "b": None}),
        ("!!omap [a: 1]", [{"a": 1}]),
        ("!!pairs [a: 1, a: 2]", [["a", 1], ["a", 2]]),
        ("! 5", "5"),
        ("", UNDEFINED),
        ("# nothing", None),
    ],
)
def test_scalars_match_server(text, value):
    """Numbers, truth values, texts, tags: js-yaml's safe schema."""
    found = load_yaml(text)
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number():
    """``.nan`` is read as a number that is none."""
    assert math.isnan(load_yaml(".NaN"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2001-12-14", "Fri Dec 14 2001 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        (
            "2001-12-14t21:59:43.10-05:00",
            "Sat Dec 15 2001 02:59:43 GMT+0000 (Coordinated Universal Time)",
        ),
        ("2020-02-31", "Mon Mar 02 2020 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        ("0050-01-01", "Sun Jan 01 1950 00:00:00 GMT+0000 (Coordinated Universal Time)"),
    ],
)
def test_dates_match_javascript(text, shown):
    """Unquoted dates become JavaScript dates, days beyond the month and old years included."""
    value = load_yaml(text)
    assert isinstance(value, Timestamp)
    assert str(value) == shown


def test_dates_in_json_match_javascript():
    """Milliseconds and the zone are always written, and years beyond 9999 have a sign."""
    assert load_yaml("2001-12-14t21:59:43.1-05:00").isoformat() == "2001-12-15T02:59:43.100Z"
    assert load_yaml("9999-99-01").isoformat() == "+010007-03-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{1: a, true: b, null: c, 1.0: d}", "the key '1' comes twice"),
        ("{1: a, true: b, null: c}", {"1": "a", "true": "b", "null": "c"}),
        ("? [a, b]\n: 1", {"a,b": 1}),
        ("? {a: b}\n: 1", {"[object Object]": 1}),
        ("2001-01-01: x", {"Mon Jan 01 2001 00:00:00 GMT+0000 (Coordinated Universal Time)": "x"}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("<<: [{a: 1}, {a: 2, c: 3}]", {"a": 1, "c": 3}),
        ("<<: {a: 1}\na: 2", {"a": 2}),
        ("<<: 5", "'<<' takes a mapping"),
        ("a: 1\na: 2", "the key 'a' comes twice"),
        ("[a: 1, b]", [{"a": 1}, "b"]),
        ("{a, b: }", {"a": None, "b": None}),
        ("- a\n-\n- - b\n  - c", ["a", None, ["b", "c"]]),
        ("a:\n- b\n- c", {"a": ["b", "c"]}),
        ("a: b\n  c\n\n  d", {"a": "b c\nd"}),
        ("a: |\n  x\n   y\n\n  z\n\n", {"a": "x\n y\n\nz\n"}),
        ("a: >-\n  x\n  y\n\n  z\n", {"a": "x y\nz"}),
        ("a: |+\n  x\n\nb: 1", {"a": "x\n\n", "b": 1}),
        ("a: |2\n    x\n", {"a": "  x\n"}),
        ('{"a":1,"b":[true,null]}', {"a": 1, "b": [True, None]}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ("\ufeffa: 1\r\nb: |\r\n  x\r\n", {"a": 1, "b": "x\n"}),
        ("a: &x\n  foo\nb: *x", {"a": "foo", "b": "foo"}),
        ("{a: 'x\ty'}", {"a": "x\ty"}),
        ("{? [a, [b]] : 1}", "a list of lists as a key"),
    ],
)
def test_collections_match_server(text, value):
    """Keys are strings, merges count, no key comes twice."""
    if isinstance(value, str):
        with pytest.raises(YamlError, match=value):
            load_yaml(text)
    else:
        assert load_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ("a: b: c", "a ': ' inside a value", (1, 5)),
        ("a:\n  - @x", "a text that begins with a character that YAML reserves", (2, 5)),
        ("a: *x", "unknown alias '*x'", (1, 4)),
        ("a: 'x", "a quoted text that is not closed", (1, 4)),
        ("a: x\x07", "a character that YAML does not take, U+0007", (1, 5)),
        ("a: !!js/function x", "unknown tag '!!js/function'", (1, 4)),
        ("a: !!python/object:os.x {}", "unknown tag '!!python/object:os.x'", (1, 4)),
        ("a: !!int x", "'x' is not of the type that its tag names", (1, 4)),
        ("a: !!map [b]", "unknown tag '!!map'", (1, 4)),
        ("a: 1\n b: 2", "a ': ' inside a value", (2, 3)),
        ("- a\nb: 1", "an entry with another indentation than its neighbours", (2, 1)),
        ("a: 1\n---\nb: 2", "a second document in the file", (2, 1)),
        ("%YAML 2.0\n---\n", "a version of YAML other than 1", (1, 1)),
        ("a: |0\n x", "an indentation of 0", (1, 5)),
        ("a: !<x", "a tag that is not one", (1, 7)),
        ("a: 1\n\tb: 2", "a tab is used for indentation", (2, 1)),
        ("a:\n  -\tb", "a tab where YAML takes spaces alone", (2, 4)),
        ("a:\n  b:\n  \t- x", "a tab is used for indentation", (3, 3)),
    ],
)
def test_errors_have_reason_and_place(text, reason, place):
    """What the server refuses is refused, with line and column."""
    with pytest.raises(YamlError) as caught:
        load_yaml(text)
    assert caught.value.reason.startswith(reason)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: [1, 2", "a bracket that is not closed", {1, 2}),
        ("a: {b: 1\nc: 2", "a bracket that is not closed", {2}),
        ("a: 1\nb", "a ':' is missing behind a key", {2, 3}),
        ('a: "\\q"', "an escape that YAML does not have", {1}),
    ],
)
def test_errors_at_other_columns_of_the_parsers_have_a_line(text, reason, line):
    """The two parsers see these in different columns."""
    with pytest.raises(YamlError) as caught:
        load_yaml(text)
    assert caught.value.reason.startswith(reason)
    assert caught.value.line in line


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029", "\ufeff"])
def test_line_ends_of_old_yaml_are_characters(char):
    """Only CR and LF end a line; what follows has its own line and column."""
    text = f"a: x{char}\nb: |\n  1{char}2\nc: 'y{char}z'\n{char}d: 1\n"
    value = {"a": f"x{char}", "b": f"1{char}2\n", "c": f"y{char}z", f"{char}d": 1}
    tree, places = read_yaml(text)
    assert tree == value
    assert places[id(tree)][1]["c"] == ((4, 1), (4, 4))


def test_json_is_read_as_json():
    """Tabs, escapes of half characters, and no key twice."""
    text = '{\n\t"a": 1,\n\t"b": "\\ud83d\\ude00"\n}'
    assert load_yaml(text) == {"a": 1, "b": "😀"}
    with pytest.raises(YamlError):
        load_yaml('{"a": 1, "a": "\\ud83d\\ude00"}')


def test_places_of_json_with_tabs_are_recorded():
    """A tab is one column."""
    document = read_yaml('{\n\t"a":\t1\n}')
    assert document.places[id(document.value)][1]["a"] == ((2, 2), (2, 7))


def test_aliases_share_one_value():
    """An alias is the very object that it names, so that a chain of them needs no space."""
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)
    )
    value = load_yaml(text)
    assert value["a59"][0] is value["a59"][1]


def test_deep_nesting_is_refused():
    """A thousand levels end in an error, not in an exhausted stack."""
    for text in ("[" * 1000, "{a: " * 1000, "- " * 1000, "? " * 1000):
        with pytest.raises(YamlError, match="nested deeper than 100 levels"):
            load_yaml(text)
    assert load_yaml("[" * 60 + "]" * 60)


def test_places_of_keys_and_values_are_recorded():
    """Each pair and item knows where its key and its value are."""
    tree, places = read_yaml("a: 1\nb:\n  - x  # c\n  - {k: 'v'}\nc: |\n  t\nd:\n")

    def places_of(container, key):
        return places[id(container)][1][key]

    assert places_of(tree, "a") == ((1, 1), (1, 4))
    assert places_of(tree, "b") == ((2, 1), (3, 3))
    assert places_of(tree["b"], 0) == ((3, 3), (3, 5))
    assert places_of(tree["b"], 1) == ((4, 3), (4, 5))
    assert places_of(tree["b"][1], "k") == ((4, 6), (4, 9))
    assert places_of(tree, "c") == ((5, 1), (5, 4))
    assert places_of(tree, "d") == ((7, 1), (7, 1))


def test_parsed_values_match_server(corpus, parser):
    """All documents of the corpus are read as the server reads them."""
    checked = 0
    other = {"yaml:command-tab"} if parser == "PyYAML" else set()  # a tab inside a plain scalar
    for entry in corpus:
        if "parsed" in entry and "parsed_undefined" not in entry and entry["id"] not in other:
            assert _plain(load_yaml(entry["yaml"])) == _plain(entry["parsed"]), entry["id"]
            checked += 1
    assert checked > 950


def _plain(value):
    """Return what JSON makes of a value in JavaScript."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Timestamp):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$nonfinite": "NaN" if math.isnan(value) else "Infinity"}
    if isinstance(value, int) and abs(value) > 2**53:
        return float(value)
    return value
