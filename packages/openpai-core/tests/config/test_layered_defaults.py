"""Defaults: built in, the user's, the folder's."""

import pytest

from openpai.core.config.defaults import load_defaults, set_default, unset_default
from openpai.core.errors import ConfigError


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Empty places for both files."""
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def test_built_in_values_without_files():
    """2 CPUs and no GPU, with the source of each value."""
    defaults = load_defaults()
    assert (defaults.get("cpu"), defaults.get("gpu")) == (2, 0)
    assert defaults.origins["cpu"] == "built-in"


def test_folder_overrides_user():
    """The nearer file decides, and the origin names it."""
    set_default("cpu", "4")
    set_default("cpu", "8", in_folder=True)
    defaults = load_defaults()
    assert defaults.get("cpu") == 8
    assert defaults.origins["cpu"].startswith(".openpai")


def test_lists_of_all_layers_are_joined():
    """Sources of the user and of the folder are all sent."""
    set_default("sources", ["a"])
    set_default("sources", "b", in_folder=True)
    assert load_defaults().get("sources") == ["a", "b"]


@pytest.mark.parametrize("key", ["cluster-alias", "pip-installs"])
def test_folder_cannot_set_server_or_packages(folders, key):
    """Files that travel with code are not trusted with these, read or written."""
    with pytest.raises(ConfigError, match="may not set"):
        set_default(key, "x", in_folder=True)
    (folders / ".openpai").mkdir()
    (folders / ".openpai" / "defaults.yaml").write_text(f"{key}: x\n")
    with pytest.raises(ConfigError, match="may not do"):
        load_defaults()


def test_unknown_key_suggests_nearest():
    """A slip of the pen is mended from the message."""
    with pytest.raises(ConfigError) as caught:
        set_default("virtual-clustr", "x")
    assert "Did you mean 'virtual-cluster'?" in caught.value.hint


def test_number_is_validated():
    """Text where a number belongs is refused before it is stored."""
    with pytest.raises(ConfigError, match="whole number"):
        set_default("gpu", "many")


def test_unknown_key_of_other_version_is_kept(tmp_path):
    """What this version does not know stays in the file."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "defaults.yaml").write_text("future: 1\n")
    set_default("cpu", 3)
    assert "future: 1" in (home / "defaults.yaml").read_text()


def test_unset_returns_whether_key_was_set():
    """The second time there is nothing left to remove."""
    set_default("image", "python:3.11")
    assert unset_default("image") is True
    assert unset_default("image") is False
    assert load_defaults().get("image") is None
