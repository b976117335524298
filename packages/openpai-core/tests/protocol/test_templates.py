"""The template language, stage 1 as the server does it and stage 2 both ways."""

from __future__ import annotations

import pytest

from openpai.core.protocol import js
from openpai.core.protocol.templates import TemplateError, fill_parameters, render, render_secrets

SCOPE = {
    "$parameters": {
        "text": "A",
        "whole": 5,
        "half": 0.5,
        "tiny": 1e-7,
        "huge": 1e21,
        "large": 123456789012345680000,
        "yes": True,
        "none": None,
        "empty": "",
        "list": [1, "two", [3, None], None],
        "map": {"x": {"y": "deep"}, "a b": 1},
        "tag": "<% $parameters.text %>",
        "html": "<b>&'\"</b>",
        "0": "zero",
    },
    "$data": {"name": "d", "uri": ["u0", "u1"]},
}


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("x <% $parameters.text %> y", "x A y"),
        ("<%$parameters.text%>", "A"),
        ("<% $parameters.whole %> <% $parameters.half %>", "5 0.5"),
        ("<% $parameters.tiny %> <% $parameters.huge %>", "1e-7 1e+21"),
        ("<% $parameters.large %>", "123456789012345680000"),
        ("<% $parameters.yes %>", "true"),
        ("<% $parameters.none %>", "<% $parameters.none %>"),
        ("[<% $parameters.empty %>]", "[]"),
        ("<% $parameters.list %>", "1,two,3,,"),
        ("<% $parameters.list[2][0] %>", "3"),
        ("<%   $parameters.list[9]   %>", "<% $parameters.list.9 %>"),
        ("<% $parameters.list.length %>", "4"),
        ("<% $parameters.text.length %> <% $parameters.text[0] %>", "1 A"),
        ("<% $parameters.map %>", "[object Object]"),
        ("<% $parameters.map.x.y %> <% $parameters.map.a b %>", "deep 1"),
        ("<% $parameters[0] %>", "zero"),
        ("<% $parameters.tag %>", "<% $parameters.text %>"),
        ("<% $parameters.html %>", "<b>&'\"</b>"),
        ("<% $parameters.text.x.y %>", "<% $parameters.text.x.y %>"),
        ("<% $data.uri[1] %> <% $data.uri %>", "u1 u0,u1"),
        ("<% $secrets.x %>", "<% $secrets.x %>"),
        ("a<%# $parameters.yes %>b<%/ $parameters.yes %>c", "ac"),
        ("a<%^ x %>b<%# y %>c<%/ y %>d<%/ x %>e", "ae"),
        ("a<%& $parameters.text %>b<%{ $parameters.text }%>c", "abc"),
        ("a\n  <%! comment %>  \nb", "a\nb"),
        ("a<%> part %>b", "ab"),
        ("  lead\ttrail\u00a0\ufeff\n", "lead\ttrail"),
        ("{{ x }} ${y} $Z 100%", "{{ x }} ${y} $Z 100%"),
        ("<% . %>", "[object Object]"),
        ("<% $parameters.text.toUpperCase %>", "<% $parameters.text.toUpperCase %>"),
        ("<% $parameters.constructor.name %>", "<% $parameters.constructor.name %>"),
        ("<% %>", "<%  %>"),
    ],
)
def test_tags_are_rendered_as_by_server(template, result):
    """JavaScript's texts, one pass, no escaping, unknown tags left, special tags dropped."""
    assert render(template, SCOPE) == result


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("echo <% x", "Unclosed tag at 9"),
        ("😀 <% x", "Unclosed tag at 7"),
        ("<%# a %>x", 'Unclosed section "a" at 9'),
        ("<%/ a %>", 'Section "a" is closed and was not opened'),
        ("<%# a %><%/ b %>", 'Section "b" is closed and was not opened'),
        ("<%= a %>", "'<%=a%>' is not a value"),
        ("<%=[[ ]]=%>", "is not a value"),
        ("a <%> b", "Unclosed tag at 7"),
    ],
)
def test_broken_templates_have_mustache_messages(template, message):
    """The server's answer names the place as mustache counts it."""
    with pytest.raises(TemplateError, match=message.replace("(", r"\(")):
        render(template, SCOPE)


@pytest.mark.parametrize("template", [5, True, ["a"], {"a": 1}])
def test_unsupported_values_fail_as_on_server(template):
    """Only a text is a template."""
    with pytest.raises(js.JsError):
        render(template, SCOPE)


def test_exponential_text_is_refused():
    """A list that aliases make endless is not joined endlessly."""
    value: list[object] = ["x"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(js.JsError, match="Invalid string length"):
        render("<% $parameters.v %>", {"$parameters": {"v": value}})


SECRETS = {"pw": "a&<b>'\"", "list": [1.0, True], "nested": {"k": "v"}}


def test_secrets_are_inserted_verbatim():
    """No escaping; numbers as in stage 1; other tags stay."""
    script = "x <% $secrets.pw %> <% $secrets.list[0] %> <% $secrets.nested.k %> <% $other %>"
    assert render_secrets(script, SECRETS) == "x a&<b>'\" 1 v <% $other %>"


def test_text_without_secrets_is_unchanged():
    """A job without secrets has no second stage."""
    assert render_secrets("<% $secrets.pw %> <%# x", None) == "<% $secrets.pw %> <%# x"


DOCUMENT = {
    "parameters": {"n": 3, "lines": ["a", "b'c"]},
    "prerequisites": [{"name": "d", "type": "data", "uri": ["u0"]}],
    "taskRoles": {"worker": {"data": "d"}},
}


def test_plugin_parameters_keep_types():
    """A reference alone becomes the value; inside a text it becomes a text."""
    parameters = {
        "port": "<% $parameters.n %>",
        "all": "<%$parameters.lines%>",
        "text": "n=<% $parameters.n %> <% $data.uri[0] %> <% $secrets.s %>",
        "commands": ["echo\n<% $parameters.lines[1] %>", 5, None],
    }
    assert fill_parameters(parameters, DOCUMENT, "worker", {"s": "S"}) == {
        "port": 3,
        "all": ["a", "b'c"],
        "text": "n=3 u0 S",
        "commands": ["echo\nb'c", 5, None],
    }


def test_unknown_reference_is_reported():
    """The runtime would die of it; here it has a sentence."""
    for wrong in ("<% $parameters.x %>", "<% $secrets.s %>", "<% $script.uri %>", "<% $nope.x %>"):
        with pytest.raises(TemplateError, match="leads nowhere"):
            fill_parameters({"a": wrong}, DOCUMENT, "worker", None)
