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


def test_without_files_the_built_in_values_hold():
    """A new user gets 2 CPUs and no GPU, and is told where that comes from."""
    defaults = load_defaults()
    assert (defaults.get("cpu"), defaults.get("gpu")) == (2, 0)
    assert defaults.origins["cpu"] == "built-in"


def test_the_folder_wins_over_the_user():
    """The nearer file decides, and the origin names it."""
    set_default("cpu", "4")
    set_default("cpu", "8", in_folder=True)
    defaults = load_defaults()
    assert defaults.get("cpu") == 8
    assert defaults.origins["cpu"].startswith(".openpai")


def test_lists_of_all_layers_add_up():
    """Sources of the user and of the folder are all sent."""
    set_default("sources", ["a"])
    set_default("sources", "b", in_folder=True)
    assert load_defaults().get("sources") == ["a", "b"]


@pytest.mark.parametrize("key", ["cluster-alias", "pip-installs"])
def test_a_folder_may_not_choose_a_server_or_what_is_installed(folders, key):
    """Files that travel with code are not trusted with these, read or written."""
    with pytest.raises(ConfigError, match="may not set"):
        set_default(key, "x", in_folder=True)
    (folders / ".openpai").mkdir()
    (folders / ".openpai" / "defaults.yaml").write_text(f"{key}: x\n")
    with pytest.raises(ConfigError, match="may not do"):
        load_defaults()


def test_an_unknown_key_gets_the_nearest_name():
    """A slip of the pen is mended from the message."""
    with pytest.raises(ConfigError) as caught:
        set_default("virtual-clustr", "x")
    assert "Did you mean 'virtual-cluster'?" in caught.value.hint


def test_a_number_must_be_one():
    """Text where a number belongs is refused before it is stored."""
    with pytest.raises(ConfigError, match="whole number"):
        set_default("gpu", "many")


def test_a_key_of_another_version_is_kept(tmp_path):
    """What this version does not know stays in the file."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "defaults.yaml").write_text("future: 1\n")
    set_default("cpu", 3)
    assert "future: 1" in (home / "defaults.yaml").read_text()


def test_unset_says_whether_there_was_something():
    """The second time there is nothing left to remove."""
    set_default("image", "python:3.11")
    assert unset_default("image") is True
    assert unset_default("image") is False
    assert load_defaults().get("image") is None
