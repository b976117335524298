"""The job's code is there before its command, or the command does not run."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from openpai.core.code.archive import file_sha256
from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process


def archive(task: Any, members: dict[str, bytes], path: str = "code/c.tar.gz") -> dict[str, str]:
    """Put an archive into the job's folder; return the section's ``code``."""
    target = task.output.parent / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return {"archive": path, "sha256": file_sha256(target)}


def test_code_is_extracted_to_working_directory(task: Any) -> None:
    """The command finds its files, also those of sub-folders and hidden ones."""
    code = archive(task, {"train.sh": b"echo trained\n", ".hidden": b"", "pkg/a": b"a"})
    task.section(code=code)
    done = task.bash("bash train.sh; cat pkg/a; ls -A")
    assert done.stdout == "trained\na.hidden\npkg\ntrain.sh\n"
    assert done.stderr == ""


def test_code_is_extracted_to_given_directory(task: Any) -> None:
    """`directory` is relative to the working directory, and made."""
    task.section(code={**archive(task, {"a": b"x"}), "directory": "src/deep"})
    assert task.bash("cat src/deep/a").stdout == "x"


@pytest.mark.parametrize("form", ["/users/alice/jobs/mnist/{}", "team:/users/alice/jobs/mnist/{}"])
def test_code_archive_may_be_absolute(task: Any, form: str) -> None:
    """A clone of a job uses the code of the job it was made from."""
    code = archive(task, {"a": b"x"})
    task.section(code={**code, "archive": form.format(code["archive"])})
    assert task.bash("cat a").stdout == "x"


def refused(task: Any, **code: str) -> str:
    """Run a command whose code cannot be had; return what is said."""
    task.section(code=code)
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert done.stderr.startswith("[openpai-runtime] The command is not started")
    assert "Traceback" not in done.stderr
    return str(done.stderr)


def test_code_with_wrong_checksum_is_refused(task: Any) -> None:
    """What was changed on the storage is not run."""
    assert "SHA-256" in refused(task, **{**archive(task, {"a": b"x"}), "sha256": "0" * 64})


def test_missing_code_archive_is_named(task: Any) -> None:
    """The sentence holds the path on the storage."""
    message = refused(task, archive="code/none.tar.gz", sha256="0" * 64)
    assert "team:/users/alice/jobs/mnist/code/none.tar.gz" in message


def test_unknown_code_storage_is_named(task: Any) -> None:
    """So is a storage that is not mounted, with what to do."""
    message = refused(task, archive="other:/c.tar.gz", sha256="0" * 64)
    assert "The storage 'other' is not mounted in this task" in message
    assert "extras.storages" in message


def test_code_archive_outside_directory_is_refused(task: Any) -> None:
    """Nothing of it is unpacked."""
    message = refused(task, **archive(task, {"good": b"x", "../evil": b"x"}))
    assert "outside of the folder" in message
    assert list(task.work.iterdir()) == []
    assert not (task.work.parent / "evil").exists()


def test_broken_code_archive_is_refused(task: Any) -> None:
    """A file that is not an archive is reported."""
    target: Path = task.output.parent / "c.tar.gz"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"no archive")
    assert "not a complete archive" in refused(task, archive="c.tar.gz", sha256=file_sha256(target))


def test_callbacks_run_when_command_is_not_started(task: Any) -> None:
    """A task without its code has failed like another."""
    task.section(
        code={"archive": "none", "sha256": "0" * 64},
        callbacks=[{"on": "failure", "commands": ["echo failed $OPENPAI_EXIT_CODE"]}],
    )
    assert task.run("true").stdout == f"failed {NOT_READY}\n"
