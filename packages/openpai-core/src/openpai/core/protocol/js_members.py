"""What ``value.name`` is in JavaScript, for the template language: it finds built-in members too.

``<% $parameters.list.length %>`` is documented nowhere and works; ``<% $parameters.x.toString %>``
calls the method with the template's scope as ``this``. The outcomes of such calls are constants.
"""

from __future__ import annotations

import re
from typing import Any

from openpai.core.protocol import js

__all__ = ["OBJECT_MEMBERS", "Method", "member"]

_OBJECT = "[object Object]"
_SCOPE_AS_TEXT = {"toLowerCase": "[object object]", "toUpperCase": "[OBJECT OBJECT]"}
_NO_CALLBACK = js.JsError("undefined is not a function")
_DATE_METHOD = re.compile("(?:get|set|to)[A-Z][A-Za-z]*|valueOf")
_INDEX = re.compile("0|[1-9][0-9]*")


class Method:
    """A built-in function.

    Attributes:
        name: Its name.
        result: What it returns when mustache calls it; an exception is raised.
    """

    def __init__(self, name: str, result: Any) -> None:
        self.name = name
        self.result = result

    def __call__(self) -> Any:
        """Call it the way mustache does."""
        if isinstance(self.result, js.JsError):
            raise self.result
        return self.result


def _methods(kind: str, results: dict[str, Any]) -> dict[str, Any]:
    """Return the methods of a kind of object.

    Args:
        kind: Its name, which is that of its constructor.
        results: What calls return, by the names of methods that return the same.
    """
    return {
        name: Method(kind if name == "constructor" else name, result)
        for names, result in results.items()
        for name in names.split()
    }


def _needs(kind: str, names: str) -> dict[str, Any]:
    """Return methods that refuse any ``this`` but one of their own kind."""
    return {
        name: js.JsError(f"{kind}.prototype.{name} requires that 'this' be a {kind}")
        for name in names.split()
    }


_BASE = _methods(
    "Object",
    {
        "constructor valueOf toString toLocaleString": _OBJECT,
        "hasOwnProperty isPrototypeOf propertyIsEnumerable": "false",
        "__lookupGetter__ __lookupSetter__": js.UNDEFINED,
        "__defineGetter__": js.JsError("Object.prototype.__defineGetter__: Expecting function"),
        "__defineSetter__": js.JsError("Object.prototype.__defineSetter__: Expecting function"),
    },
)
OBJECT_MEMBERS = frozenset(_BASE) | {"__proto__"}
"""The names that every object has, so that ``name in object`` is true for them."""

_MEMBERS: dict[type, dict[str, Any]] = {
    dict: {"__proto__": {}},
    list: {
        "__proto__": [],
        **_methods(
            "Array",
            {
                "constructor slice splice join flat toLocaleString": "",
                "toReversed toSorted toSpliced": "",
                "concat copyWithin fill reverse sort": _OBJECT,
                "at pop shift": js.UNDEFINED,
                "keys entries values": "[object Array Iterator]",
                "indexOf lastIndexOf": "-1",
                "push unshift": "0",
                "includes": "false",
                "find findIndex findLast findLastIndex forEach filter map every some": _NO_CALLBACK,
                "reduce reduceRight": _NO_CALLBACK,
                "flatMap": js.JsError("flatMap mapper function is not callable"),
            },
        ),
    },
    str: {
        "__proto__": "",
        **_methods(
            "String",
            {
                "constructor match repeat": "",
                "concat normalize padEnd padStart replace replaceAll slice split substr "
                "substring trim trimStart trimLeft trimEnd trimRight toWellFormed": _OBJECT,
                "at charAt": "[",
                "charCodeAt codePointAt": "91",
                "endsWith includes startsWith": "false",
                "indexOf lastIndexOf localeCompare": "-1",
                "isWellFormed": "true",
                "search": "0",
                "matchAll": "[object RegExp String Iterator]",
                "toLocaleLowerCase toLowerCase": _SCOPE_AS_TEXT["toLowerCase"],
                "toLocaleUpperCase toUpperCase": _SCOPE_AS_TEXT["toUpperCase"],
                "anchor": f'<a name="undefined">{_OBJECT}</a>',
                "link": f'<a href="undefined">{_OBJECT}</a>',
                "fontcolor": f'<font color="undefined">{_OBJECT}</font>',
                "fontsize": f'<font size="undefined">{_OBJECT}</font>',
                "fixed": f"<tt>{_OBJECT}</tt>",
                "bold": f"<b>{_OBJECT}</b>",
                "italics": f"<i>{_OBJECT}</i>",
                **{
                    tag: f"<{tag}>{_OBJECT}</{tag}>"
                    for tag in ["big", "blink", "small", "strike", "sub", "sup"]
                },
                **_needs("String", "toString valueOf"),
            },
        ),
    },
    float: {
        "__proto__": 0,
        **_methods(
            "Number",
            {
                "constructor": "0",
                **_needs(
                    "Number", "toExponential toFixed toPrecision toString valueOf toLocaleString"
                ),
            },
        ),
    },
    bool: {
        "__proto__": False,
        **_methods("Boolean", {"constructor": "false", **_needs("Boolean", "toString valueOf")}),
    },
}
_MEMBERS[int] = _MEMBERS[float]


def member(value: Any, name: str) -> Any:
    """Return ``value[name]``; ``UNDEFINED`` where there is no such member.

    Args:
        value: Anything but null and undefined.
        name: The member's name.
    """
    kind = type(value)
    if kind is dict and name in value:
        return value[name]
    if kind in (list, str):
        if name == "length":
            return js.width(value) if kind is str else len(value)
        if _INDEX.fullmatch(name):
            return _item(value, int(name))
    if kind is Method and name == "name":
        return value.name
    if kind is js.Timestamp and _DATE_METHOD.fullmatch(name):
        return Method(name, js.JsError("this is not a Date object."))
    found = _MEMBERS.get(kind, {}).get(name)
    return _BASE.get(name, js.UNDEFINED) if found is None else found


def _item(value: Any, index: int) -> Any:
    return value[index] if index < len(value) else js.UNDEFINED
