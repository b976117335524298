"""Code is packed the same way every time, and holds what it should."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from openpai.core.code.sources import pack_sources, report_sizes, unpack_archive
from openpai.core.errors import ConfigError, StorageError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with code."""
    root = tmp_path / "project"
    (root / "src" / "empty").mkdir(parents=True)
    (root / "src" / "train.py").write_text("print(1)")
    (root / "run.sh").write_text("true")
    (root / "run.sh").chmod(0o744)
    return root


def packed(*sources: str, base: Path) -> list[str]:
    """Return the names of the files that are packed."""
    with pack_sources(sources, base) as archive:
        return list(archive.files)


def test_same_content_has_same_checksum(project: Path, tmp_path: Path) -> None:
    """Neither times, nor owners, nor the place, nor the order of sources matter."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    (copy / "src" / "train.py").chmod(0o600)
    with pack_sources(["src", "run.sh"], project) as one, pack_sources(
        ["./run.sh", copy / "src", "src/train.py"], copy
    ) as two:
        assert one.sha256 == two.sha256
        assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "src" / "train.py").write_text("print(2)"),
        lambda root: (root / "src" / "train.py").chmod(0o755),
        lambda root: (root / "src" / "train.py").rename(root / "src" / "Train.py"),
        lambda root: (root / "src" / "empty").rmdir(),
        lambda root: (root / "src" / "link").symlink_to("train.py"),
    ],
)
def test_changed_content_has_other_checksum(
    project: Path, change: Callable[[Path], object]
) -> None:
    """Whatever a job could notice changes the checksum."""
    with pack_sources(["."], project) as before:
        change(project)
        with pack_sources(["."], project) as after:
            assert before.sha256 != after.sha256


def test_pack_and_unpack_preserve_tree(project: Path, tmp_path: Path) -> None:
    """Unpacking gives files, empty folders, links and executable bits back."""
    name = os.fsdecode("ünï\n😀".encode() + b"\xff" + b"x" * 150)
    (project / name).write_bytes(b"\0" * 100_000)
    (project / "src" / "link").symlink_to("../run.sh")
    with pack_sources(["."], project) as archive:
        unpack_archive(archive.path, tmp_path / "got", archive.sha256)
    got = tmp_path / "got"
    names = sorted(os.fsencode(path.relative_to(got)) for path in got.rglob("*"))
    assert names == sorted(os.fsencode(path.relative_to(project)) for path in project.rglob("*"))
    assert (got / name).read_bytes() == b"\0" * 100_000
    assert os.readlink(got / "src" / "link") == "../run.sh"
    assert [os.access(got / path, os.X_OK) for path in ("run.sh", "src/train.py")] == [True, False]


def test_temporary_file_is_private_and_removed(project: Path) -> None:
    """Nobody else can read the archive, and the context manager removes it."""
    with pack_sources(["."], project) as archive:
        assert archive.path.stat().st_mode & 0o777 == 0o600
        assert archive.size == archive.path.stat().st_size
        assert archive.files == {"run.sh": 4, "src/train.py": 8}
    assert not archive.path.exists()


@pytest.mark.process
def test_default_exclusions_are_not_packed(project: Path) -> None:
    """Version control, caches, our own folder and virtual environments stay here."""
    for folder in (".git", ".openpai", "src/__pycache__", "my-env/lib", ".ipynb_checkpoints"):
        (project / folder).mkdir(parents=True)
        (project / folder / "file").write_text("x")
    (project / "my-env" / "pyvenv.cfg").write_text("home = /usr")
    (project / ".gitignore").write_text("!*\n")
    assert packed(".", base=project) == [".gitignore", "run.sh", "src/train.py"]


def test_named_paths_override_exclusions(project: Path) -> None:
    """An ignored file or folder is packed when it is named itself, by the rules inside it."""
    (project / ".gitignore").write_text("/data\n*.tmp\n")
    (project / "data").mkdir()
    (project / "data" / "x.csv").write_text("1")
    (project / "data" / "x.tmp").write_text("1")
    assert packed("src", base=project) == ["src/train.py"]
    assert packed("data", base=project) == ["data/x.csv"]
    assert packed("data/x.tmp", base=project) == ["data/x.tmp"]


def test_opaiignore_is_applied(project: Path) -> None:
    """.opaiignore leaves out more, and takes back what .gitignore leaves out."""
    (project / ".gitignore").write_text("*.bin\n")
    (project / ".opaiignore").write_text("!weights.bin\n/docs/\n.*ignore\n")
    (project / "docs").mkdir()
    for name in ("weights.bin", "other.bin", "docs/index"):
        (project / name).write_text("x")
    assert packed(".", base=project) == ["run.sh", "src/train.py", "weights.bin"]


@pytest.mark.process
def test_ignore_files_of_parent_folders_are_applied(project: Path) -> None:
    """In a work tree the ignore files above the folder count, up to its top and no further."""
    (project.parent / ".gitignore").write_text("*\n")
    (project / ".git").mkdir()
    (project / ".gitignore").write_text("/src/*.py\nempty\n")
    (project / "src" / "kept").write_text("x")
    assert packed(".", base=project / "src") == ["kept"]


@pytest.mark.process
@pytest.mark.skipif(shutil.which("git") is None, reason="git tracks nothing where it is missing")
def test_tracked_files_are_packed(project: Path) -> None:
    """A file that git tracks is taken though .gitignore names it, unless .opaiignore does too."""
    (project / ".gitignore").write_text("*.csv\n/build/\n")
    (project / "build" / "deep").mkdir(parents=True)
    for name in ("tracked.csv", "secret.csv", "other.csv", "build/deep/tracked", "build/other"):
        (project / name).write_text("x")
    (project / ".opaiignore").write_text("secret*\n")
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    tracked = ["tracked.csv", "secret.csv", "build/deep/tracked"]
    subprocess.run(["git", "-C", str(project), "add", "-f", *tracked], check=True)
    assert packed(".", base=project) == [
        *(".gitignore", ".opaiignore", "build/deep/tracked", "run.sh", "src/train.py"),
        "tracked.csv",
    ]


def test_links_are_packed(project: Path, tmp_path: Path) -> None:
    """Links stay links led straight to their ends; a source that is one is what it leads to."""
    (project / "current").symlink_to("src")
    (project / "latest").symlink_to(project / "current")
    with pack_sources([".", project / "current"], project) as archive:
        unpack_archive(archive.path, tmp_path / "got")
    assert os.readlink(tmp_path / "got" / "latest") == "src"
    assert packed("current", base=project) == ["current/train.py"]


def test_links_out_of_sources_are_refused(project: Path, tmp_path: Path) -> None:
    """A link out of the folder is refused and named; leaving it out helps."""
    (project / "src" / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="The link 'src/out' leads out"):
        pack_sources(["."], project)
    with pytest.raises(ConfigError, match="The link 'src/out' leads out"):
        pack_sources(["src/out"], project)
    (project / ".opaiignore").write_text("out")
    assert "src/train.py" in packed(".", base=project)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("none", "Source 'none' does not exist"),
        ("../project2", "lies outside of"),
        ("/etc/hostname", "lies outside of"),
        ("src/empty", "no files to pack"),
    ],
)
def test_invalid_sources_are_refused(project: Path, tmp_path: Path, source: str, says: str) -> None:
    """What cannot be packed is said in a sentence, and leaves no temporary file."""
    (tmp_path / "project2").mkdir()
    (project / ".opaiignore").write_text("*")
    with pytest.raises(ConfigError, match=says):
        pack_sources([source] if source != "src/empty" else ["."], project)


def test_pipes_are_refused(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is neither file nor folder is named, and the half-made archive goes."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    os.mkfifo(project / "z-pipe")
    with pytest.raises(StorageError, match="z-pipe is neither a file nor a folder"):
        pack_sources(["."], project)
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_extra_files_are_packed_under_given_names(project: Path, tmp_path: Path) -> None:
    """A file may get another name than its own, and then stands in for a source of that name."""
    other = tmp_path / "other"
    other.write_text("from elsewhere")
    files = {"run.sh": other, "new/name": other}
    with pack_sources(["."], project, files) as archive:
        assert dict(archive.files) == {"src/train.py": 8, "run.sh": 14, "new/name": 14}
    with pack_sources([], project, files) as archive:
        assert set(archive.files) == {"run.sh", "new/name"}


def test_large_file_is_refused(project: Path) -> None:
    """A file over the limit is refused unless it is named itself; the largest are listed."""
    (project / "src" / "weights.bin").write_bytes(bytes(3000))
    with pytest.raises(ConfigError, match=r"in one file: src/weights\.bin .*\.opaiignore"):
        pack_sources(["src"], project, limit=2000)
    with pack_sources(["src", "src/weights.bin"], project, limit=2000) as archive:
        assert "src/weights.bin" in archive.files


def test_large_total_is_refused(project: Path) -> None:
    """Many files that are too much together are refused, too."""
    for number in range(30):
        (project / "src" / f"{number}.bin").write_bytes(bytes(1500))
    with pytest.raises(ConfigError, match=r"of code, more than .* the largest: src/0\.bin"):
        pack_sources(["src"], project, limit=2000)
    with pack_sources(["src"], project, limit=20000) as archive:
        assert len(archive.files) == 31


def test_large_code_size_is_reported(project: Path) -> None:
    """The total, and the largest files."""
    reported: list[str] = []
    report_sizes({"a": 60 << 20, "b": 10_000, "c": 1 << 20}, reported.append)
    report_sizes({"a": 10}, reported.append)
    assert reported == [
        "Sending 61.0 MiB of code in 3 files; the largest: a (60.0 MiB), c (1.0 MiB), b (9.8 KiB)."
    ]
