"""Description of the job that runs a notebook, and its files.

The job is an ordinary one. Its code is the notebook, the sources that were named, and the bundle
that runs it (:mod:`openpai.notebook.jobs.zipapp`); its outputs are the executed notebook and what
else the mode makes. The notebook's parameters are the job's own parameters, so that another value,
or a sweep of values, needs no other code.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.client import Extras
from openpai.core.protocol import SECTION_KEY, Job, Output, default_name, quote_word
from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats import (
    Notebook,
    check_parameters,
    declared_parameters,
    dump_notebook,
    encode_grid,
    encode_parameters,
    load_notebook,
    to_script,
)
from openpai.notebook.jobs.job_spec import MODES, NotebookJobSpec
from openpai.notebook.jobs.server import PORT
from openpai.notebook.jobs.zipapp import write_bundle
from openpai.notebook.source import with_frozen

__all__ = ["FACTS_KEY", "Description", "describe"]

#: The key in ``extras`` that says which notebook a job runs, and how.
FACTS_KEY = "openpai.notebook"

_BUNDLE = ".openpai/notebook.pyz"
_MARK = "OPENPAI_PARAMETERS"
_SECRET = "jupyter_token"  # noqa: S105 - its name

#: Seconds between two copies of the running notebook to the job's outputs.
_SAVE_EVERY = 30.0


@dataclass(frozen=True)
class Description:
    """The arguments of :meth:`openpai.core.client.Cluster.submit`.

    Attributes:
        job: The job, without what depends on the cluster.
        extras: The files that go with it.
        base: The folder of this machine that becomes the job's working folder.
        remarks: Warnings for the submitter, one sentence each.
        token: The token of the Jupyter server, if the job runs one.
        points: The sets of parameters of a sweep, as the job holds them.
        tags: Tags of the job.
        random_name: Whether the job's name has random letters, so that no other job has it.
    """

    job: Job
    extras: Extras
    base: Path
    remarks: Sequence[str]
    token: str = field(default="", repr=False)
    points: Sequence[Mapping[str, Any]] = ()
    tags: Sequence[str] = ()
    random_name: bool = False


@contextmanager
def describe(spec: NotebookJobSpec) -> Iterator[Description]:
    """Describe the job of a notebook; the files of the description live as long as the block.

    Raises:
        InvalidNotebookError: The file is not a notebook, or cannot be converted.
    """
    notebook = spec.document or load_notebook(spec.path)
    for values in (spec.parameters, *spec.points):
        check_parameters(notebook, values)
    if spec.mode not in MODES:
        raise InvalidNotebookError(f"Unknown mode '{spec.mode}'.", f"Modes: {', '.join(MODES)}.")
    if spec.mode == "interactive":
        _check_token(spec)
    if spec.mode == "script":
        to_script(
            notebook, spec.path.name
        )  # reports what cannot be converted before anything is sent
    folder = _absolute(spec.path).parent
    sources = [_absolute(source) for source in spec.sources]
    sources += [folder] if spec.folder else []
    packages = with_frozen(spec.requirements) if spec.freeze else None
    base = Path(os.path.commonpath([folder, *sources]))
    place = (folder / spec.path.name).relative_to(base).as_posix()
    with TemporaryDirectory(prefix="openpai-notebook-") as temporary:
        bundle = Path(temporary) / "notebook.pyz"
        write_bundle(bundle)
        shipped = _tag_cells(notebook, spec, Path(temporary))
        yield Description(
            job=_job(spec, place),
            extras=Extras.from_spec(
                spec,
                sources=sources,
                outputs=(),  # in the job's runtime section
                requirements=packages.requirements if packages else spec.requirements,
                files={_BUNDLE: bundle, place: shipped},
            ),
            base=base,
            remarks=[
                *_unknown_parameters(notebook, spec),
                *(packages.left_out if packages else ()),
            ],
            token=spec.token if spec.mode == "interactive" else "",
            points=encode_grid(spec.points)[1],
            tags=spec.tags,
            random_name=spec.has_random_name and not spec.points,
        )


def _unknown_parameters(notebook: Notebook, spec: NotebookJobSpec) -> list[str]:
    """Point out parameters that the notebook's own cell of parameters does not name."""
    declared = declared_parameters(notebook)
    given = dict.fromkeys([*spec.parameters, *(name for p in spec.points for name in p)])
    unknown = [name for name in given if declared and name not in declared]
    return [f"The notebook declares no parameter '{name}'." for name in unknown]


def _check_token(spec: NotebookJobSpec) -> None:
    """Refuse what an open server, or a token that the shell would read, would do."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", spec.token):
        raise InvalidNotebookError(
            "The token of a Jupyter server needs 16 or more letters, digits, '-' and '_'.",
            "Leave it out to get a random one.",
        )
    if spec.parameters or spec.points:
        raise InvalidNotebookError(
            "An interactive notebook is run by hand; it takes no parameters.",
            "Use the mode 'silent'.",
        )


def _absolute(path: Path) -> Path:
    """Return a path from the root on; a link keeps its own name."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def _tag_cells(notebook: Notebook, spec: NotebookJobSpec, folder: Path) -> Path:
    """Return the file to send: the notebook's own unless it has none or cells are skipped."""
    if not spec.skip and spec.document is None:
        return spec.path
    for index in spec.skip:
        tags = notebook["cells"][index]["metadata"].setdefault("tags", [])
        tags.append("skip-execution")
    copy = folder / "notebook.ipynb"
    dump_notebook(notebook, copy)
    return copy


def _job(spec: NotebookJobSpec, place: str) -> Job:
    kinds, values = encode_parameters(spec.parameters)
    if spec.points:
        more, points = encode_grid(spec.points)
        kinds, values = {**kinds, **more}, {**values, **points[0]}
    is_interactive = spec.mode == "interactive"
    if is_interactive:
        spec = replace(spec, ports={**spec.ports, PORT: 1})
    document = spec.to_job([_command(spec, place, kinds)], _default_name(spec)).to_dict()
    if values:
        document["parameters"] = values
    if is_interactive:
        document["secrets"] = {**document.get("secrets", {}), _SECRET: spec.token}
    extras = document.setdefault("extras", {})
    extras[FACTS_KEY] = {"notebook": place, "mode": spec.mode}
    outputs = [output.to_dict() for output in _outputs(spec, place)]
    extras[SECTION_KEY] = {"version": 1, **extras.get(SECTION_KEY, {}), "outputs": outputs}
    return Job.from_dict(document)


def _default_name(spec: NotebookJobSpec) -> str:
    """Return a name for the job: a free one, or for a sweep the notebook's own.

    A sweep is found by its name, so that submitting it again completes it.
    """
    name = plain_name(spec.path)
    return name if spec.points else default_name([name])


def plain_name(path: Path) -> str:
    """Return a notebook's name in the letters of a job's: ``Ubung_1`` for ``Übung 1.ipynb``."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "notebook"


def _command(spec: NotebookJobSpec, place: str, kinds: Mapping[str, str]) -> str:
    """Return the command line.

    It takes the place of the task's shell, so that a signal to the task reaches it directly. The
    values of the parameters come on stdin, where no shell reads them.
    """
    words = [spec.python, _BUNDLE, place]
    if spec.mode == "script":
        words.append("--script")
    if spec.mode == "interactive":
        words.append("--serve")
    words += ["--html"] if spec.html and spec.mode == "silent" else []
    words += ["--allow-errors"] if spec.allow_errors else []
    words += ["--kernel", spec.kernel] if spec.kernel else []
    line = "exec " + " ".join(map(quote_word, words))
    if spec.mode == "interactive":
        return f"export JUPYTER_TOKEN=<% $secrets.{_SECRET} %>\n{line}"
    if not kinds:
        return line
    lines = [f"{kind} {name} <% $parameters.{name} %>" for name, kind in kinds.items()]
    return "\n".join([f"{line} --parameters - <<'{_MARK}'", *lines, _MARK])


def _outputs(spec: NotebookJobSpec, place: str) -> Iterator[Output]:
    folder = glob.escape(posixpath.dirname(place))
    stem = glob.escape(posixpath.splitext(place)[0])
    if spec.mode == "script":
        yield Output(f"{stem}.py")
        yield Output(f"{stem}.results.jsonl", every=_SAVE_EVERY)
    else:
        yield Output(glob.escape(place), every=_SAVE_EVERY)
    if spec.mode == "silent":
        yield Output(f"{stem}.results.json")
        if spec.html:
            yield Output(f"{stem}.html")
    for path in spec.outputs:
        yield Output(posixpath.normpath(posixpath.join(folder, path)))
