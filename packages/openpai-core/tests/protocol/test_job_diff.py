"""What two jobs say differently."""

from __future__ import annotations

import copy

from openpai.core.protocol.diff import changes
from openpai.core.protocol.js import UNDEFINED


def test_equal_jobs_have_no_differences(minimal):
    """The order of keys, and 1 or 1.0, make no difference."""
    other = dict(reversed(list(copy.deepcopy(minimal).items())))
    other["taskRoles"]["worker"]["instances"] = 1.0
    assert changes(minimal, other) == []


def test_differences_have_json_pointers(minimal):
    """One entry for each difference, in the order of the first job."""
    other = copy.deepcopy(minimal)
    other["name"] = "other"
    del other["taskRoles"]["worker"]["instances"]
    other["taskRoles"]["worker"]["commands"] = ["date", "echo hello"]
    found = [change.to_dict() for change in changes(minimal, other)]
    assert found == [
        {"path": "/name", "kind": "changed", "before": "mini", "after": "other"},
        {"path": "/taskRoles/worker/instances", "kind": "removed", "before": 1},
        {"path": "/taskRoles/worker/commands/0", "kind": "added", "after": "date"},
    ]


def test_named_entries_are_compared_by_name(minimal):
    """A prerequisite in front of others does not change the others."""
    other = copy.deepcopy(minimal)
    other["prerequisites"].insert(0, {"name": "d", "type": "data", "uri": ["x"]})
    other["prerequisites"][1]["uri"] = "new:1"
    paths = [(change.path, change.kind) for change in changes(minimal, other)]
    assert paths == [("/prerequisites/0", "added"), ("/prerequisites/0/uri", "changed")]


def test_secrets_are_hidden(minimal):
    """The difference is reported without the values."""
    other = {**minimal, "secrets": {"pw": "hunter2"}}
    (change,) = changes(minimal, other)
    assert (change.before, change.after) == (UNDEFINED, "******")
    (change,) = changes(other, {**minimal, "secrets": {"pw": "other"}})
    assert change.to_dict() == {
        "path": "/secrets/pw",
        "kind": "changed",
        "before": "******",
        "after": "******",
    }
