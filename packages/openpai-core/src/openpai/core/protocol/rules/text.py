"""Rules about the very text that is sent: the server's mask, and the reader in PAI's containers."""

from __future__ import annotations

from datetime import date
from typing import Any, Iterator

from openpai.core.protocol import js
from openpai.core.protocol.messages import Finding
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.protocol.secrets import hides_secrets


@rule(
    "readable secrets",
    "secrets where the server's mask misses them: a quoted key, JSON, an indented document",
    "accepted; every user of the cluster can read them in the job's config",
)
def _readable_secrets(case: JobView) -> Iterator[Finding]:
    if case.source and not hides_secrets(case.source.text, case.document):
        message = "Every user of the cluster would see these secrets in the job's config."
        hint = "Write the key 'secrets:' without quotes, at the beginning of a line of its own."
        yield Finding(("secrets",), message, hint, at_key=True)


@rule(
    "same for PyYAML",
    "YAML that PyYAML, which reads the job inside PAI's containers, reads otherwise or not at all",
    "accepted; the containers see another job, or fail before the command",
)
def _same_for_pyyaml(case: JobView) -> Iterator[Finding]:
    if not case.source:
        return
    import yaml

    text = case.source.text
    # The containers have no libyaml, which takes tabs that the pure parser does not.
    loader = yaml.SafeLoader if "\t" in text else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        read = yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1} of this text" if mark else "this text"
        problem = getattr(error, "problem", None) or str(error)
        message = f"PAI's containers cannot read {where} (PyYAML: {problem})."
        yield Finding((), message, "Quote the text there, or write spaces instead of tabs.")
        return
    for path, here, there in _differences((), case.source.tree, read):
        if path[:1] == ("parameters",):
            continue  # the server has filled them into the commands; the containers ask no more
        message = f"To the server this is {_shown(here)}, inside PAI's containers {_shown(there)}."
        yield Finding(path, message, "Quote a string; write a number in plain digits.")


def _differences(path: tuple[Any, ...], here: Any, there: Any) -> Iterator[tuple[Any, ...]]:
    """Yield (path, server's value, PyYAML's value) of the values that differ."""
    if isinstance(here, dict) and isinstance(there, dict):
        theirs = {js.text(_plain(key)): item for key, item in there.items()}
        for key, item in here.items():
            if key in theirs:
                yield from _differences((*path, key), item, theirs[key])
            else:
                yield (*path, key), key, next((k for k in there if str(k) not in here), None)
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for index, (item, other) in enumerate(zip(here, there)):
            yield from _differences((*path, index), item, other)
    elif not _is_same(here, there):
        yield path, here, there


def _is_same(here: Any, there: Any) -> bool:
    if isinstance(here, js.Timestamp):
        return isinstance(there, date)
    if isinstance(here, bool) or isinstance(there, bool) or isinstance(here, str):
        return type(here) is type(there) and here == there
    if isinstance(here, (int, float)) and isinstance(there, (int, float)):
        return bool(here == there) or js.number(here) == _number(there)
    return bool(here == there)


def _number(value: float) -> str:
    try:
        return js.number(value)
    except OverflowError:
        return "Infinity"


def _plain(key: Any) -> Any:
    return key if isinstance(key, (str, bool, int, float)) or key is None else str(key)


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = js.text(value) if isinstance(value, (bool, int, float)) or value is None else str(value)
    return f"the string '{text[:60]}'" if isinstance(value, str) else text[:60]
