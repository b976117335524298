"""Check a value against our JSON Schema as the server does, with AJV 6 and all errors.

The same rules in the same order give the same list of errors that the server sends. One thing is
particular: the server builds the branches of ``oneOf`` with a merge keyword of its own, so a branch
that fails adds an error of that keyword.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Callable, List, NamedTuple, Pattern, Tuple, Union

from openpai.core.protocol import js
from openpai.core.protocol.schema import shared_schema

__all__ = ["SchemaError", "schema_errors"]

Path = Tuple[Union[str, int], ...]


class SchemaError(NamedTuple):
    """One violation of the schema.

    Attributes:
        keyword: The keyword of the schema.
        path: Keys and indices that lead to the value.
        data_path: The same in the server's notation.
        schema_path: Where the keyword stands in the server's schema.
        params: What the keyword asks for.
        message: The server's own words.
    """

    keyword: str
    path: Path
    data_path: str
    schema_path: str
    params: dict[str, Any]
    message: str

    def to_server(self) -> dict[str, Any]:
        """Return the error as the server sends it."""
        return {
            "keyword": self.keyword,
            "dataPath": self.data_path,
            "schemaPath": self.schema_path,
            "params": self.params,
            "message": self.message,
        }


class _Place(NamedTuple):
    path: Path
    text: str

    def key(self, name: str) -> _Place:
        return _Place((*self.path, name), f"{self.text}.{name}")

    def entry(self, name: str) -> _Place:
        return _Place((*self.path, name), f"{self.text}['{name}']")

    def item(self, index: int) -> _Place:
        return _Place((*self.path, index), f"{self.text}[{index}]")


_Check = Callable[[Any, _Place, List[SchemaError]], None]

_OBJECTS = (dict, js.Timestamp, bytes)


def _is_integer(value: Any) -> bool:
    # To AJV an infinite number is an integer.
    return type(value) is int or (type(value) is float and (value % 1 == 0 or abs(value) == _INF))


_INF = float("inf")
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, _OBJECTS),
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "number": lambda value: type(value) in (int, float),
    "integer": _is_integer,
    "null": lambda value: value is None,
}
# AJV's groups of keywords by the type of value that they concern, in its order.
_GROUPS = {
    "number": ("minimum",),
    "string": ("maxLength", "pattern"),
    "array": ("minItems", "items"),
    "object": ("minProperties", "properties"),
}


def schema_errors(document: Any) -> list[SchemaError]:
    """Return every violation of the job schema, in the server's order.

    Args:
        document: What :func:`~openpai.core.protocol.job_yaml.load_yaml` returned.
    """
    errors: list[SchemaError] = []
    _job_check()(document, _Place((), ""), errors)
    return errors


@lru_cache(maxsize=1)
def _job_check() -> _Check:
    schema = shared_schema()
    return _Compiler(schema).compile(schema, "#")


class _Compiler:
    """Makes one function of a schema.

    Attributes:
        root: The whole schema.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def compile(self, schema: Any, where: str, merged: bool = False) -> _Check:
        """Return a function that adds the errors of one value.

        Args:
            schema: The schema.
            where: Its place in the server's schema.
            merged: Whether it lies in a branch of ``oneOf``, where the server has no references.
        """
        if schema is False:
            return _always("false schema", where, "boolean schema is false")
        if "$ref" in schema:
            target, base = self._resolve(schema["$ref"])
            return self.compile(target, where if merged else base, merged)
        groups = {kind: self._group(kind, schema, where, merged) for kind in _GROUPS}
        checks = [_typed(kind, rules, schema, where) for kind, rules in groups.items() if rules]
        kind = schema.get("type")
        if kind is not None and not (isinstance(kind, str) and groups.get(kind)):
            checks.insert(0, _type(kind, where))
        if "enum" in schema:
            checks.append(_enum(schema["enum"], where))
        if "oneOf" in schema:
            checks.append(self._one_of(schema["oneOf"], where))
        return checks[0] if len(checks) == 1 else _all(checks)

    def _resolve(self, reference: str) -> tuple[Any, str]:
        """Return the schema that a reference names, and its place in the server's schema."""
        target: Any = self.root
        steps = reference.split("/")[1:]
        for step in steps:
            target = target[step]
        return target, "base.json#/" + "/".join(steps[2:])

    def _group(self, kind: str, schema: dict[str, Any], where: str, merged: bool) -> list[_Check]:
        """Return the checks of the keywords that concern one type of value."""
        rules: list[_Check] = []
        for keyword in _GROUPS[kind]:
            if keyword == "properties" and {"properties", "patternProperties"} & set(schema):
                rules.extend(self._properties(schema, where, merged))
            elif keyword == "items" and "items" in schema:
                rules.append(_items(self.compile(schema["items"], f"{where}/items", merged)))
            elif keyword in schema:
                rules.append(_RULES[keyword](schema[keyword], where))
        return rules

    def _properties(self, schema: dict[str, Any], where: str, merged: bool) -> list[_Check]:
        named = {
            name: self.compile(part, f"{where}/properties/{name}", merged)
            for name, part in schema.get("properties", {}).items()
        }
        patterns = [
            (
                re.compile(pattern),
                self.compile(part, f"{where}/patternProperties/{_quoted(pattern)}", merged),
            )
            for pattern, part in schema.get("patternProperties", {}).items()
        ]
        rules = []
        if schema.get("additionalProperties") is False:
            rules.append(_no_others(frozenset(named), [pattern for pattern, _ in patterns], where))
        if named:
            rules.append(_named(named, frozenset(schema.get("required", ())), where))
        return rules + [_matching(pattern, check) for pattern, check in patterns]

    def _one_of(self, branches: list[Any], where: str) -> _Check:
        checks = []
        for index, branch in enumerate(branches):
            place = f"{where}/oneOf/{index}"
            failed = _always("$merge", place, 'should pass "$merge" keyword validation')
            checks.append((self.compile(branch, place, merged=True), failed))

        def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
            found: list[SchemaError] = []
            for branch, failed in checks:
                before = len(found)
                branch(value, place, found)
                if len(found) == before:
                    return  # no two branches agree on a type
                failed(value, place, found)
            errors.extend(found)
            message = "should match exactly one schema in oneOf"
            errors.append(_error("oneOf", place, where, {"passingSchemas": None}, message))

        return check


def _quoted(pattern: str) -> str:
    """Return a pattern as a part of a URI."""
    return re.sub(r"[^A-Za-z0-9_.!~*'()-]", lambda match: f"%{ord(match.group()):02X}", pattern)


def _error(
    keyword: str, place: _Place, where: str, params: dict[str, Any], message: str
) -> SchemaError:
    return SchemaError(keyword, place.path, place.text, f"{where}/{keyword}", params, message)


def _always(keyword: str, where: str, message: str) -> _Check:
    params = {"keyword": keyword} if keyword == "$merge" else {}

    def check(_: Any, place: _Place, errors: list[SchemaError]) -> None:
        errors.append(_error(keyword, place, where, params, message))

    return check


def _all(checks: list[_Check]) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        for one in checks:
            one(value, place, errors)

    return check


def _type(kind: Any, where: str) -> _Check:
    kinds = [kind] if isinstance(kind, str) else kind
    tests = [_TYPES[one] for one in kinds]
    params = {"type": ",".join(kinds)}

    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if not any(test(value) for test in tests):
            errors.append(_error("type", place, where, params, f"should be {params['type']}"))

    return check


def _typed(kind: str, rules: list[_Check], schema: dict[str, Any], where: str) -> _Check:
    """Apply rules to values of one type; others are wrong only where the schema names the type."""
    is_kind = _TYPES[kind]
    refuse = _type(kind, where) if schema.get("type") == kind else _all([])

    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if not is_kind(value):
            refuse(value, place, errors)
            return
        for rule in rules:
            rule(value, place, errors)

    return check


def _enum(allowed: list[Any], where: str) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if type(value) is bool or not any(value == one for one in allowed):
            message = "should be equal to one of the allowed values"
            errors.append(_error("enum", place, where, {"allowedValues": allowed}, message))

    return check


def _minimum(limit: int, where: str) -> _Check:
    params = {"comparison": ">=", "limit": limit, "exclusive": False}

    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if not value >= limit:
            errors.append(_error("minimum", place, where, params, f"should be >= {limit}"))

    return check


def _max_length(limit: int, where: str) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if len(value) > limit:
            message = f"should NOT be longer than {limit} characters"
            errors.append(_error("maxLength", place, where, {"limit": limit}, message))

    return check


def _pattern(pattern: str, where: str) -> _Check:
    matches = re.compile(pattern).fullmatch
    message = f'should match pattern "{pattern}"'

    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if not matches(value):
            errors.append(_error("pattern", place, where, {"pattern": pattern}, message))

    return check


def _min_items(limit: int, where: str) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if len(value) < limit:
            message = f"should NOT have fewer than {limit} items"
            errors.append(_error("minItems", place, where, {"limit": limit}, message))

    return check


def _items(each: _Check) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        for index, item in enumerate(value):
            each(item, place.item(index), errors)

    return check


def _members(value: Any) -> dict[str, Any]:
    """Return the members of whatever JavaScript calls an object."""
    if type(value) is dict:
        return value
    return {str(index): byte for index, byte in enumerate(value)} if type(value) is bytes else {}


def _min_properties(limit: int, where: str) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        if len(_members(value)) < limit:
            message = f"should NOT have fewer than {limit} properties"
            errors.append(_error("minProperties", place, where, {"limit": limit}, message))

    return check


def _no_others(names: frozenset[str], patterns: list[Pattern[str]], where: str) -> _Check:
    message = "should NOT have additional properties"

    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        members = _members(value)
        others = [
            key
            for key in members
            if key not in names and not any(pattern.fullmatch(key) for pattern in patterns)
        ]
        for key in js.keys(dict.fromkeys(others)):
            params = {"additionalProperty": key}
            errors.append(_error("additionalProperties", place, where, params, message))

    return check


def _named(checks: dict[str, _Check], required: frozenset[str], where: str) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        members = _members(value)
        for name, one in checks.items():
            if name in members:
                one(members[name], place.key(name), errors)
            elif name in required:
                message = f"should have required property '{name}'"
                errors.append(_error("required", place, where, {"missingProperty": name}, message))

    return check


def _matching(pattern: Pattern[str], one: _Check) -> _Check:
    def check(value: Any, place: _Place, errors: list[SchemaError]) -> None:
        for key, member in _members(value).items():
            if pattern.fullmatch(key):
                one(member, place.entry(key), errors)

    return check


_RULES: dict[str, Callable[[Any, str], _Check]] = {
    "minimum": _minimum,
    "maxLength": _max_length,
    "pattern": _pattern,
    "minItems": _min_items,
    "minProperties": _min_properties,
}
