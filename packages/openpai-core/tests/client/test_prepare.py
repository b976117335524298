"""What makes a job ready for its cluster."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from openpai.core.client.cluster import Cluster
from openpai.core.client.prepare import Extras, needs_preparation, prepare_job
from openpai.core.errors import ConfigError, NotFoundError, ProtocolError
from openpai.core.local import LocalCluster
from openpai.core.protocol import job_yaml, source, validation
from openpai.core.protocol.bootstrap import bootstrap_text, carried_places
from openpai.core.protocol.command_job import job_from_command
from openpai.core.protocol.job import Job
from openpai.core.rest.session import Session

SECTION = "openpai.runtime"
FOLDER_STORAGE = """
from pathlib import Path
from openpai.core.storage.local import LocalStorage

def open_nfs(spec):
    return LocalStorage(Path(spec.data["path"]), spec.name)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A local cluster."""
    folder = tmp_path_factory.mktemp("local")
    with LocalCluster(folder, cpus=1, memory_mb=1024, gpus=0, user="alice") as local:
        yield local


@pytest.fixture
def cluster(server, tmp_path, monkeypatch):
    """The local cluster as a client sees it, with something installed that opens its storage."""
    site = tmp_path / "site"
    (site / "folders-1.dist-info").mkdir(parents=True)
    entry = "[openpai.storage]\nnfs = folder_storage_of_test_prepare:open_nfs\n"
    (site / "folders-1.dist-info" / "entry_points.txt").write_text(entry)
    (site / "folder_storage_of_test_prepare.py").write_text(FOLDER_STORAGE)
    monkeypatch.syspath_prepend(str(site))
    with Cluster(server.uri, token=server.token) as client:
        yield client


@pytest.fixture
def base(tmp_path):
    """A folder of code."""
    folder = tmp_path / "base"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text("print('trained')\n")
    return folder


def job(name="some_job", **extras):
    """A job of one command."""
    made = job_from_command(name, ["true"], image="python:3.11", cpu=1, memory_mb=64)
    if extras:
        made.document["extras"] = extras
    return made


def test_plain_job_is_unchanged(server):
    """Nothing to bring, to save or to install: no cluster is asked, nothing is added."""
    plain = job()
    assert not needs_preparation(plain, Extras())
    with Cluster("http://127.0.0.1:1", user="alice") as nowhere:
        assert prepare_job(plain, nowhere) is plain


def test_outputs_add_section_with_workspace(cluster):
    """Outputs get the user's workspace on the default storage, which the job then mounts."""
    ready = prepare_job(job(), cluster, Extras(outputs=["ckpt/**"]))
    assert ready.document["extras"] == {
        SECTION: {
            "version": 1,
            "workspace": "local-storage:/users/alice",
            "outputs": [{"path": "ckpt/**"}],
        },
        "storages": [{"name": "local-storage"}],
    }


def test_commands_begin_with_bootstrap(cluster):
    """What the author wrote follows it unchanged; the job that was given is not touched."""
    given = job()
    ready = prepare_job(given, cluster, Extras(outputs=["x"]))
    assert ready.document["taskRoles"]["main"]["commands"] == [
        bootstrap_text(False, carried_places(ready.document)),
        "true",
    ]
    assert given.to_dict() == job().to_dict()


def test_prepare_is_idempotent(cluster):
    """Preparing twice is preparing once."""
    once = prepare_job(job(), cluster, Extras(outputs=["x"]))
    assert prepare_job(once, cluster).to_dict() == once.to_dict()


def test_missing_workspace_is_filled_in(cluster):
    section = {"version": 1, "outputs": [{"path": "x"}]}
    ready = prepare_job(job(**{SECTION: section}), cluster)
    assert ready.document["extras"][SECTION]["workspace"] == "local-storage:/users/alice"


def test_named_workspace_is_kept(cluster):
    """The option is stronger than the section; a path alone lies on the default storage."""
    section = {"version": 1, "workspace": "local-storage:/own", "outputs": [{"path": "x"}]}
    given = job(**{SECTION: section})
    kept = prepare_job(given, cluster).document["extras"][SECTION]
    assert kept["workspace"] == "local-storage:/own"
    moved = prepare_job(given, cluster, Extras(workspace="/team")).document["extras"][SECTION]
    assert moved["workspace"] == "local-storage:/team"


def test_packages_alone_need_no_workspace(server):
    """A job that only wants packages runs on a cluster without storages."""
    with Cluster("http://127.0.0.1:1", user="alice") as nowhere:
        ready = prepare_job(job(), nowhere, Extras(requirements=["pandas", "pandas"]))
    assert ready.document["extras"] == {SECTION: {"version": 1, "requirements": ["pandas"]}}


def test_outputs_and_packages_extend_section(cluster):
    """What the section has is kept, and nothing stands there twice."""
    section = {"version": 1, "outputs": [{"path": "a", "when": "success"}], "requirements": ["x"]}
    extras = Extras(outputs=["a", "b"], requirements=["x", "y"])
    ready = prepare_job(job(**{SECTION: section}), cluster, extras).document["extras"][SECTION]
    assert ready["outputs"] == [{"path": "a", "when": "success"}, {"path": "b"}]
    assert ready["requirements"] == ["x", "y"]


def test_code_is_uploaded_under_checksum(cluster, server, base):
    """The archive lies in the job's folder, once, where the section says."""
    for _ in range(2):
        ready = prepare_job(job("with_code"), cluster, Extras(sources=["src"]), base=base)
    code = ready.document["extras"][SECTION]["code"]
    folder = server.folder / "storage/users/alice/jobs/with_code"
    (archive,) = (folder / "code").iterdir()
    assert code == {"archive": f"code/{archive.name}", "sha256": archive.name.partition(".")[0]}


def test_preview_uploads_nothing(cluster, server, base):
    """With send=False the section is the same and the storage untouched."""
    shown = prepare_job(job("shown"), cluster, Extras(sources=["src"]), base=base, send=False)
    assert "code" in shown.document["extras"][SECTION]
    assert not (server.folder / "storage/users/alice/jobs/shown").exists()


def test_invalid_job_uploads_nothing(cluster, server, base):
    """The job is checked before its code is sent."""
    broken = job("broken")
    broken.document["taskRoles"]["main"]["resourcePerInstance"]["cpu"] = "many"
    with pytest.raises(ProtocolError):
        prepare_job(broken, cluster, Extras(sources=["src"]), base=base)
    assert not (server.folder / "storage/users/alice/jobs/broken").exists()


def test_mounted_storages_are_kept(cluster):
    """The workspace's storage joins those that the job lists; `[]` means the default ones."""
    section = {"version": 1, "outputs": [{"path": "x"}]}
    mine = [{"name": "data", "mountPath": "/data"}]
    listed = prepare_job(job(**{SECTION: section, "storages": list(mine)}), cluster)
    assert listed.document["extras"]["storages"] == [*mine, {"name": "local-storage"}]
    default = prepare_job(job(**{SECTION: section, "storages": []}), cluster)
    assert default.document["extras"]["storages"] == [{"name": "local-storage"}]


def test_section_mount_adds_cluster_storage(cluster):
    """What the job wants under a path is listed with that path; a storage is listed once."""
    wanted = [{"storage": "team", "path": "/mnt/data"}, {"storage": "team", "path": "/mnt/again"}]
    prepared = prepare_job(job(**{SECTION: {"mounts": wanted}}), cluster)
    assert prepared.document["extras"]["storages"] == [{"name": "team", "mountPath": "/mnt/data"}]


def test_invalid_section_raises(cluster):
    """What is wrong with the section comes with its place."""
    section = {"version": 1, "outputs": [{"path": "x", "when": "sometimes"}]}
    with pytest.raises(ProtocolError) as raised:
        prepare_job(job(**{SECTION: section}), cluster)
    assert "when" in raised.value.problems[0].path


def test_missing_source_raises(cluster, base):
    """A source that does not exist is an error before anything is sent."""
    with pytest.raises(ConfigError, match="nowhere"):
        prepare_job(job(), cluster, Extras(sources=["nowhere"]), base=base)


def test_unknown_storage_raises(cluster, base):
    """A workspace on a storage that the cluster does not offer is an error."""
    extras = Extras(sources=["src"], workspace="nosuch:/x")
    with pytest.raises(NotFoundError):
        prepare_job(job(), cluster, extras, base=base)


@pytest.mark.process
def test_workspace_may_not_exist_yet(cluster):
    """A file without one is right as it is; submitting it fills it in."""
    given = job("submitted", **{SECTION: {"version": 1, "outputs": [{"path": "x"}]}})
    assert given.problems() == []
    stored = cluster.submit(given).config()
    assert stored.document["extras"][SECTION]["workspace"] == "local-storage:/users/alice"
    bootstrap = bootstrap_text(False, carried_places(stored.document))
    assert stored.document["taskRoles"]["main"]["commands"][0] == bootstrap


def test_prepare_once_matches_single_preparation(cluster):
    """Jobs that are submitted together get their workspace, too."""
    given = job("one_of_many", **{SECTION: {"version": 1, "outputs": [{"path": "x"}]}})
    (outcome,) = cluster.submit_all([given])
    stored = outcome.remote.config()
    assert stored.document["extras"][SECTION]["workspace"] == "local-storage:/users/alice"


COUNTED = {
    job_yaml.read_yaml.__code__: "parses",
    job_yaml.dump_yaml.__code__: "writes",
    validation.job_problems.__code__: "validations",
    source.unshared.__code__: "copies",
    Session._once.__code__: "requests",
}


@pytest.fixture
def calls(cluster):
    """Count the calls that this thread makes from now on."""
    assert cluster.user == "alice"  # a client asks for its user once
    found = Counter()

    def note(frame, event, _):
        if event == "call" and frame.f_code in COUNTED:
            found[COUNTED[frame.f_code]] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    yield found
    sys.setprofile(before)


@pytest.mark.process
def test_submission_of_described_job_is_made_once(cluster, calls):
    """A job with a random name costs one request: the submission (its copy is the validation's)."""
    cluster.submit(job("described"), check_name=False)
    assert calls == {"validations": 1, "writes": 1, "copies": 1, "requests": 1}


@pytest.mark.process
def test_submission_of_file_sends_its_own_text(cluster, calls):
    """A chosen name is checked afterwards: one request, and the sent text is read for comparing."""
    text = job("filed").to_yaml()
    calls.clear()
    cluster.submit(Job.from_yaml(text))
    assert calls == {"parses": 2, "validations": 1, "copies": 2, "requests": 2}


@pytest.mark.process
def test_submission_with_code_is_made_once(cluster, base, calls):
    """Requests: the default storage, the storage to upload to, the submission."""
    extras = Extras(sources=[base / "src"], outputs=["ckpt/**"])
    cluster.submit(job("coded"), extras=extras, base=base, check_name=False)
    assert calls == {"validations": 1, "writes": 1, "copies": 2, "requests": 3}
