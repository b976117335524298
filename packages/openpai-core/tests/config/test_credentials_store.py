"""Where secrets are kept: the system's keyring where there is one that works, else a private file.

The keyring of these tests is a backend of the library keyring that keeps its entries in a file.
"""

from __future__ import annotations

import stat
import sys
from importlib import import_module
from pathlib import Path

import pytest

from openpai.core.config import credentials, keyring as config_keyring
from openpai.core.config.clusters import (
    ClusterEntry,
    delete_cluster,
    find_cluster,
    load_clusters,
    save_cluster,
    store_token,
)
from openpai.core.config.defaults import set_default
from openpai.core.errors import ConfigError

DATA = Path(__file__).resolve().parent.parent / "data"
ENTRY = ClusterEntry("prod", "https://pai.example.org", "alice", token="t0ken-s3cret")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A configuration folder of the test's own."""
    for name in ("OPENPAI_TOKEN", "OPENPAI_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def keyring_file(home, tmp_path, monkeypatch):
    """A keyring that works, chosen for secrets; the file that it keeps them in."""
    keyring = pytest.importorskip("keyring")
    monkeypatch.syspath_prepend(str(DATA))
    monkeypatch.setenv("TEST_KEYRING_FILE", str(tmp_path / "keyring.json"))
    sys.modules.pop("file_keyring_of_test", None)
    before = keyring.get_keyring()
    from file_keyring_of_test import FileKeyring

    keyring.set_keyring(FileKeyring())
    set_default("credentials", "keyring")
    yield tmp_path / "keyring.json"
    keyring.set_keyring(before)


def all_texts(folder):
    """Everything that stands in the files of a folder."""
    return "".join(p.read_text() for p in folder.rglob("*") if p.is_file())


def test_file_is_private(home):
    """Mode 0600 in a folder of mode 0700, apart from the list of clusters."""
    set_default("credentials", "file")
    assert save_cluster(ENTRY) == str(home / "credentials.yaml")
    assert stat.S_IMODE((home / "credentials.yaml").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "s3cret" not in (home / "clusters.yaml").read_text()
    assert find_cluster("prod").token == ENTRY.token


def test_keyring_holds_secrets_and_files_do_not(home, keyring_file):
    """The list says that there is something, without asking the keyring."""
    assert save_cluster(ENTRY) == "keyring"
    assert "s3cret" not in all_texts(home)
    assert "s3cret" in keyring_file.read_text()
    listed = load_clusters()["prod"]
    assert (listed.token, listed.in_keyring, listed.logged_in) == ("", True, True)
    assert find_cluster("prod").token == ENTRY.token
    assert "s3cret" not in repr(find_cluster("prod"))


def test_save_keeps_secrets_not_read(home, keyring_file):
    """Editing an entry does not need the keyring."""
    from dataclasses import replace

    save_cluster(ENTRY)
    save_cluster(replace(load_clusters()["prod"], uri="https://new.example.org"))
    assert find_cluster("prod").token == ENTRY.token
    assert find_cluster("prod").uri == "https://new.example.org"


def test_logout_empties_keyring(home, keyring_file):
    """Also forgetting the whole cluster does."""
    from dataclasses import replace

    save_cluster(ENTRY)
    save_cluster(replace(find_cluster("prod"), token=""))
    assert "s3cret" not in keyring_file.read_text()
    assert not find_cluster("prod").logged_in
    save_cluster(ENTRY)
    delete_cluster("prod")
    assert "s3cret" not in keyring_file.read_text()


def test_new_token_stays_in_its_store(home, keyring_file):
    """And a password that is kept stays."""
    from dataclasses import replace

    save_cluster(replace(ENTRY, password="pass-word"))
    store_token("prod", "newer")
    found = find_cluster("prod")
    assert (found.token, found.password) == ("newer", "pass-word")


def test_secrets_move_when_choice_changes(home, keyring_file):
    """Nothing is left behind in the keyring."""
    save_cluster(ENTRY)
    set_default("credentials", "file")
    save_cluster(find_cluster("prod"))
    assert "s3cret" not in keyring_file.read_text()
    assert find_cluster("prod").token == ENTRY.token


def test_locked_keyring_raises_and_loses_nothing(home, keyring_file, monkeypatch):
    """With what to do about it."""
    save_cluster(ENTRY)
    monkeypatch.setenv("TEST_KEYRING_MOOD", "locked")
    with pytest.raises(ConfigError, match="Failed to unlock") as caught:
        find_cluster("prod")
    assert "credentials=file" in caught.value.hint
    with pytest.raises(ConfigError):
        delete_cluster("prod")
    assert "prod" in load_clusters()
    monkeypatch.delenv("TEST_KEYRING_MOOD")
    assert find_cluster("prod").token == ENTRY.token


def test_environment_token_needs_no_keyring(home, keyring_file, monkeypatch):
    """As programs without a desktop use it."""
    save_cluster(ENTRY)
    monkeypatch.setenv("TEST_KEYRING_MOOD", "locked")
    monkeypatch.setenv("OPENPAI_TOKEN", "from-environment")
    assert find_cluster("prod").token == "from-environment"


def test_silent_keyring_times_out(home, keyring_file, monkeypatch):
    """Without a desktop some backends hang forever."""
    save_cluster(ENTRY)
    monkeypatch.setenv("TEST_KEYRING_MOOD", "silent")
    with pytest.raises(ConfigError, match=r"did not answer within 0\.1 s"):
        config_keyring.read("prod", seconds=0.1)


@pytest.mark.parametrize("kind", ["fail", "null"])
def test_unsafe_keyring_falls_back_to_file(home, kind):
    """The library's answers to a missing desktop: a backend that fails, or one that forgets."""
    keyring = pytest.importorskip("keyring")
    before = keyring.get_keyring()
    keyring.set_keyring(import_module(f"keyring.backends.{kind}").Keyring())
    try:
        assert save_cluster(ENTRY).endswith("credentials.yaml")
    finally:
        keyring.set_keyring(before)
    assert find_cluster("prod").token == ENTRY.token


def test_unknown_store_raises(home):
    """It was misspelled."""
    set_default("credentials", "keychain")
    with pytest.raises(ConfigError, match="Set it to auto, keyring or file"):
        save_cluster(ENTRY)


def test_secrets_repr_hides_values():
    """Not even in a debugger's list of variables."""
    assert "s3cret" not in repr(credentials.StoredSecrets({"token": "t0ken-s3cret"}))
