"""The list of clusters and the secrets beside it."""

import stat

import pytest

from openpai.core.config.clusters import (
    ClusterEntry,
    delete_cluster,
    find_cluster,
    load_clusters,
    save_cluster,
    select_cluster,
)
from openpai.core.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty configuration folder, and a working folder that has none."""
    for name in ("OPENPAI_CLUSTER", "OPENPAI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path / "home"


def test_saved_cluster_is_found_by_alias():
    """What was saved is read back, the token included."""
    save_cluster(ClusterEntry("prod", "https://pai.example.org", "alice", token="secret-1"))
    entry = find_cluster("prod")
    assert (entry.uri, entry.user, entry.token) == ("https://pai.example.org", "alice", "secret-1")


def test_secrets_are_saved_in_private_file(home):
    """The token is not in clusters.yaml, and only the user can read the file that has it."""
    save_cluster(ClusterEntry("prod", "https://pai.example.org", "alice", token="secret-1"))
    assert "secret-1" not in (home / "clusters.yaml").read_text()
    assert stat.S_IMODE((home / "credentials.yaml").stat().st_mode) == 0o600


def test_repr_hides_secrets():
    """A cluster entry can be logged."""
    assert "secret" not in repr(ClusterEntry("a", "http://h", token="secret", password="secret"))


def test_old_sdk_file_is_read_and_secrets_move_at_next_write(home):
    """Old entries keep their keys; password and token leave clusters.yaml when it is written."""
    home.mkdir()
    (home / "clusters.yaml").write_text(
        "- cluster_alias: old\n  pai_uri: http://10.0.0.1\n  user: bob\n  password: hunter22\n"
        "  info: {version: v1.0.0}\n"
    )
    assert find_cluster("old").password == "hunter22"
    save_cluster(ClusterEntry("new", "http://10.0.0.2"))
    text = (home / "clusters.yaml").read_text()
    assert "hunter22" not in text
    assert "v1.0.0" in text
    assert find_cluster("old").password == "hunter22"


def test_unparsable_file_raises_and_stays(home):
    """A torn file is named with its line, and saving a cluster does not overwrite it."""
    home.mkdir()
    torn = "- cluster_alias: [\n"
    (home / "clusters.yaml").write_text(torn)
    with pytest.raises(ConfigError, match=r"clusters\.yaml, line 2"):
        save_cluster(ClusterEntry("new", "http://10.0.0.2"))
    assert (home / "clusters.yaml").read_text() == torn


def test_file_of_wrong_type_raises(home):
    """A mapping where a list belongs is said, not ignored."""
    home.mkdir()
    (home / "clusters.yaml").write_text("alias: prod\n")
    with pytest.raises(ConfigError, match="is not a list"):
        load_clusters()


def test_entry_without_uri_is_named_by_number(home):
    """The second of two entries lacks its address."""
    home.mkdir()
    (home / "clusters.yaml").write_text(
        "- {cluster_alias: a, pai_uri: http://h}\n- {cluster_alias: b}\n"
    )
    with pytest.raises(ConfigError, match="entry 2"):
        load_clusters()


def test_unknown_alias_lists_known_aliases():
    """The error of a wrong alias helps to find the right one."""
    save_cluster(ClusterEntry("prod", "http://h"))
    with pytest.raises(ConfigError, match=r"Unknown cluster 'prodd' \(known: prod\)"):
        find_cluster("prodd")


def test_single_cluster_is_the_default():
    """With one cluster known, it is the one meant."""
    save_cluster(ClusterEntry("prod", "http://h"))
    assert find_cluster().alias == "prod"


def test_several_clusters_need_a_selection():
    """Without a selection two clusters are an error, with one it is used."""
    save_cluster(ClusterEntry("one", "http://h1"))
    save_cluster(ClusterEntry("two", "http://h2"))
    with pytest.raises(ConfigError, match="none is selected"):
        find_cluster()
    select_cluster("two")
    assert find_cluster().alias == "two"


def test_environment_sets_cluster_and_token(monkeypatch):
    """OPENPAI_CLUSTER and OPENPAI_TOKEN win over what is stored."""
    save_cluster(ClusterEntry("one", "http://h1", token="stored"))
    save_cluster(ClusterEntry("two", "http://h2", token="stored"))
    select_cluster("one")
    monkeypatch.setenv("OPENPAI_CLUSTER", "two")
    monkeypatch.setenv("OPENPAI_TOKEN", "given")
    assert (find_cluster().alias, find_cluster().token) == ("two", "given")


def test_delete_cluster_removes_secrets(home):
    """Neither file knows it afterwards."""
    save_cluster(ClusterEntry("prod", "http://h", token="secret-1"))
    delete_cluster("prod")
    assert load_clusters() == {}
    assert "secret-1" not in (home / "credentials.yaml").read_text()


def test_delete_unknown_cluster_raises():
    """Nothing is deleted in silence."""
    with pytest.raises(ConfigError, match="Unknown cluster 'x'"):
        delete_cluster("x")


@pytest.mark.parametrize("alias", ["", "a b", "-a", "a/b", "ä"])
def test_invalid_alias_is_refused(alias):
    """Spaces, slashes and leading dashes are refused."""
    with pytest.raises(ConfigError, match="Invalid alias"):
        save_cluster(ClusterEntry(alias, "http://h"))


def test_entry_storages_give_mounts():
    """The mount paths of this machine."""
    storages = [{"name": "team", "mount_path": "/mnt/team"}, {"name": "other"}, "odd"]
    entry = ClusterEntry("a", "http://h", settings={"storages": storages})
    assert entry.mounts == {"team": "/mnt/team"}


def test_entry_storages_give_addresses():
    """An item without type changes a storage that the cluster lists."""
    storages = [
        {"name": "team", "mount_path": "/mnt/team", "endpoint": "proxy:445"},
        {"name": "other", "type": "s3", "uri": "s3://b"},
        "odd",
    ]
    entry = ClusterEntry("a", "http://h", settings={"storages": storages})
    assert entry.addresses == {"team": {"endpoint": "proxy:445"}}


@pytest.mark.process
def test_concurrent_writers_lose_nothing(home):
    """Six processes that each save a cluster at once leave six clusters."""
    import subprocess
    import sys

    code = (
        "import sys; from openpai.core.config.clusters import *; "
        "save_cluster(ClusterEntry('c' + sys.argv[1], 'http://h', token='t' + sys.argv[1]))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(6)]
    assert [process.wait() for process in started] == [0] * 6
    found = load_clusters()
    assert {alias: entry.token for alias, entry in found.items()} == {
        f"c{n}": f"t{n}" for n in range(6)
    }


def test_unwritable_home_raises(tmp_path, monkeypatch):
    """A file where the folder should be cannot be written into, even by root."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigError, match="Cannot"):
        save_cluster(ClusterEntry("prod", "http://h"))
