"""The doors of the rooms keep what they list."""

import importlib
import pkgutil

import pytest

import openpai.core

ROOMS = [
    f"openpai.core.{room.name}"
    for room in pkgutil.iter_modules(openpai.core.__path__)
    if room.ispkg
]


@pytest.mark.parametrize("room", ["openpai.core", *ROOMS])
def test_door_lists_existing_names(room):
    """Each public name is imported from the module that the door names."""
    door = importlib.import_module(room)
    assert door.__all__ == sorted(door.__all__)
    assert [getattr(door, name) for name in door.__all__]
    assert dir(door) == door.__all__
    with pytest.raises(AttributeError, match="Clusterr"):
        door.Clusterr  # noqa: B018
