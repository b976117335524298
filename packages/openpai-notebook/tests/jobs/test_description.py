"""The job that a notebook becomes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from openpai.core.sweeps.parameters import sweep_jobs
from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.execute.main import parse_parameter_lines
from openpai.notebook.formats.encoding import encode
from openpai.notebook.jobs.description import describe
from openpai.notebook.jobs.job_spec import NotebookJobSpec

READ_ON_THE_WAY = ("<%", "$$", "$(", "{{")


def document_of(**wishes):
    """Return the job's document."""
    with describe(NotebookJobSpec(image="some/image", **wishes)) as description:
        return description.job.to_dict()


def command_of(**wishes):
    """Return the job's command."""
    [command] = document_of(**wishes)["taskRoles"]["main"]["commands"]
    return command


def outputs_of(**wishes):
    """Return the paths of the job's outputs."""
    outputs = document_of(**wishes)["extras"]["openpai.runtime"]["outputs"]
    return [output["path"] for output in outputs]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Work in the folder of the notebook."""
    monkeypatch.chdir(tmp_path)


def test_describe_makes_valid_job(make_notebook):
    """The description is a job that the server accepts, with all wishes in it."""
    make_notebook("1", name="sub/work.ipynb")
    spec = NotebookJobSpec(
        path=Path("sub/work.ipynb"),
        image="some/image",
        name="mine",
        parameters={"lr": 0.1, "data": {"a": [1]}, "note": "it's $(x)"},
        outputs=["figures/*.png"],
        kernel="python3",
        allow_errors=True,
        cpu=3,
        gpu=1,
        memory=512,
        virtual_cluster="vc1",
    )
    with describe(spec) as description:
        document = description.job.to_dict()
        document["extras"]["openpai.runtime"]["workspace"] = "nfs:/users/me"
        job = type(description.job).from_dict(document)
        job.validate()
    assert job.name == "mine"
    resources = job.document["taskRoles"]["main"]["resourcePerInstance"]
    assert resources == {"cpu": 3, "gpu": 1, "memoryMB": 512}
    assert job.document["extras"]["openpai.notebook"] == {
        "notebook": "work.ipynb",
        "mode": "silent",
    }


def test_describe_keeps_relative_paths(make_notebook, tmp_path):
    """Notebook and sources lie in the job as they lie here, under their common folder."""
    make_notebook("1", name="a/nb/work.ipynb")
    for name in ("a/lib", "a/nb/data"):
        (tmp_path / name).mkdir()
    cases = [
        ([], "a/nb", "work.ipynb"),
        ([Path("a/nb/data")], "a/nb", "work.ipynb"),
        ([Path("a/lib")], "a", "nb/work.ipynb"),
        ([Path()], ".", "a/nb/work.ipynb"),
    ]
    for sources, base, place in cases:
        spec = NotebookJobSpec(path=Path("a/nb/work.ipynb"), image="i", sources=sources)
        with describe(spec) as description:
            assert description.base == (tmp_path / base).resolve()
            assert place in description.extras.files


def test_describe_names_outputs_beside_notebook(make_notebook, tmp_path):
    """The notebook, its page, and what else is asked for, relative to the notebook's folder."""
    path = make_notebook("1", name="nb/wo[r]k.ipynb")
    (tmp_path / "lib").mkdir()
    wishes = {"path": path, "sources": [Path("lib")], "outputs": ["*.png", "../all.txt"]}
    stem = "nb/wo[[]r]k"
    made = [f"{stem}.ipynb", f"{stem}.results.json", f"{stem}.html"]
    assert outputs_of(**wishes) == [*made, "nb/*.png", "all.txt"]
    made = [f"{stem}.py", f"{stem}.results.jsonl"]
    assert outputs_of(**wishes, mode="script") == [*made, "nb/*.png", "all.txt"]


def test_describe_passes_options_to_command(make_notebook):
    """What is asked for stands in the command that runs the notebook."""
    path = make_notebook("1", name="my work.ipynb")
    assert command_of(path=path) == "exec python3 .openpai/notebook.pyz 'my work.ipynb' --html"
    assert command_of(path=path, html=False, allow_errors=True, kernel="ir", python="python") == (
        "exec python .openpai/notebook.pyz 'my work.ipynb' --allow-errors --kernel ir"
    )
    assert command_of(path=path, mode="script").endswith("'my work.ipynb' --script")


def test_describe_marks_skipped_cells_in_copy(make_notebook):
    """The file that is sent has the tag of Jupyter; the user's own file is not touched."""
    path = make_notebook("1", "2")
    before = path.read_bytes()
    with describe(NotebookJobSpec(path=path, image="i", skip=[1])) as description:
        sent = json.loads(description.extras.files["work.ipynb"].read_bytes())
    assert path.read_bytes() == before
    assert [cell["metadata"].get("tags") for cell in sent["cells"]] == [None, ["skip-execution"]]


def test_describe_removes_temporary_files(make_notebook):
    """The files that were made for the job go with the block."""
    with describe(NotebookJobSpec(path=make_notebook("1"), image="i", skip=[0])) as description:
        files = list(description.extras.files.values())
        assert all(file.is_file() for file in files)
    assert not any(file.exists() for file in files)


def test_describe_remarks_on_undeclared_parameters(make_notebook):
    """A name that the tagged cell does not assign is pointed out; without such a cell none is."""
    tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "lr = 1"}
    remark = "The notebook declares no parameter 'rl'."
    for cells, remarks in (([tagged], [remark]), (["lr = 1"], [])):
        path = make_notebook(*cells)
        with describe(
            NotebookJobSpec(path=path, image="i", parameters={"lr": 1, "rl": 2})
        ) as description:
            assert description.remarks == remarks


def test_describe_sends_folder_and_environment(make_notebook, monkeypatch):
    """``folder`` sends all beside the notebook, ``freeze`` requires all that is installed here."""
    path = make_notebook("1", name="sub/work.ipynb")
    monkeypatch.chdir("/")
    wishes = {"folder": True, "freeze": True, "requirements": ["pytest>=5"]}
    with describe(NotebookJobSpec(path=path, image="i", **wishes)) as description:
        assert description.base == path.parent
        assert description.extras.sources == [path.parent]
        lines = description.extras.requirements
    assert [line for line in lines if line.startswith("pytest>") or "pytest==" in line] == [
        "pytest>=5"
    ]
    assert any(line.startswith("ipykernel==") for line in lines)


def test_describe_replaces_dollar_in_name(make_notebook):
    """Each ``$`` of a name is ten random letters, as with every command that submits."""
    names = {document_of(path=make_notebook("1"), name="a-$")["name"] for _ in range(2)}
    assert len(names) == 2
    assert all(len(name) == 12 for name in names)


@pytest.mark.parametrize(("wishes", "words"), [
    ({"mode": "loud"}, "mode 'loud'"),
    ({"mode": "script"}, "Cell 2 uses '%timeit'"),
    ({"parameters": {"a b": 1}}, "cannot be the name"),
])  # fmt: skip
def test_describe_refuses_invalid_request(make_notebook, wishes, words):
    """An option that cannot be satisfied is rejected at once."""
    with pytest.raises(InvalidNotebookError, match=words):
        document_of(path=make_notebook("x = 1", "%timeit x"), **wishes)


@pytest.mark.parametrize(("name", "expected"), [
    ("Übung 1.ipynb", r"Ubung_1_\w{8}"),
    ("train.v2.ipynb", r"train_v2_\w{8}"),
    ("数据.ipynb", r"notebook_\w{8}"),
])  # fmt: skip
def test_describe_derives_job_name_from_file(make_notebook, name, expected):
    """A job's name is made of the notebook's, in the letters that PAI takes, and free."""
    import re

    names = {document_of(path=make_notebook("1", name=name))["name"] for _ in range(2)}
    assert len(names) == 2
    assert all(re.fullmatch(expected, name) for name in names)


@pytest.mark.parametrize("values", [
    [0.1, 1], [1, 2], ["adam", "sgd"], ["adam", None], [[1], [2.5, "x"]], ["a", 1, True],
    [1.0, float("inf")], ["  odd ", "<% x %>"],
])  # fmt: skip
def test_describe_keeps_values_of_sweep(make_notebook, values):
    """Each job of a sweep gets the very value, though all of them share one command."""
    points = [{"x": value} for value in values]
    with describe(
        NotebookJobSpec(path=make_notebook("1"), image="i", points=points)
    ) as description:
        jobs = sweep_jobs(description.job, description.points)
    for job, value in zip(jobs, values, strict=True):
        [line] = [line for line in job.scripts()["main"].splitlines() if " x " in line]
        assert parse_parameter_lines([line]) == {"x": value}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ODD_TEXTS = [
    *("<% $parameters.x %>", "$(HOME) $$ ${HOME}", "{{FC_TASK_INDEX}}", "a\nb", " x ", "'\"\\"),
    *("OPENPAI_PARAMETERS", "\x85\u2028", "", "1.0", "true", "日本"),
]


@given(st.text() | JSON_VALUES | st.sampled_from(ODD_TEXTS))
def test_encode_round_trips_values(value):
    """What stands in the job is read back as the very value, and nobody on the way reads it."""
    kind, stored = encode(value)
    text = stored if isinstance(stored, str) else json.dumps(stored)
    assert parse_parameter_lines([f"{kind} x {text}"]) == {"x": value}
    assert not any(mark in text for mark in READ_ON_THE_WAY)
    assert len(text.splitlines()) <= 1


@pytest.mark.process
@pytest.mark.parametrize("value", [
    1.0, 1e-5, 1e300, -0.5, 2**60, 7, True, None, [1.5, {"a": None}], float("inf"), *ODD_TEXTS,
])  # fmt: skip
def test_described_command_passes_values(make_notebook, tmp_path, value):
    """From the description through the server's rendering and bash to the job's stdin."""
    reader = tmp_path / "reader"
    reader.write_text("#!/bin/sh\ncat\n")
    reader.chmod(0o755)
    spec = NotebookJobSpec(
        path=make_notebook("1"), image="i", parameters={"x": value}, python=str(reader)
    )
    with describe(spec) as description:
        script = description.job.scripts()["main"]
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    found = parse_parameter_lines(done.stdout.rstrip("\n").split("\n"))["x"]
    assert found == value
    assert type(found) is type(value)
