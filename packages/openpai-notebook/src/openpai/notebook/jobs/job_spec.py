"""The job that runs a notebook: its description, and the files that go with it.

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
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.client import Extras
from openpai.core.protocol import (
    SECTION_KEY,
    Job,
    Output,
    default_name,
    job_from_command,
    quote_word,
    random_letters,
)
from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats import (
    Notebook,
    check_parameters,
    declared_parameters,
    dump_notebook,
    encoded,
    encoded_points,
    load_notebook,
    to_script,
)
from openpai.notebook.jobs.server import PORT
from openpai.notebook.jobs.zipapp import write_bundle
from openpai.notebook.source import with_frozen

__all__ = ["FACTS_KEY", "MODES", "Description", "Request", "describe"]

MODES = ("silent", "script", "interactive")

#: The key in ``extras`` that says which notebook a job runs, and how.
FACTS_KEY = "openpai.notebook"

_BUNDLE = ".openpai/notebook.pyz"
_MARK = "OPENPAI_PARAMETERS"
_SECRET = "jupyter_token"  # noqa: S105 - its name

#: Seconds between two copies of the running notebook to the job's outputs.
_SAVE_EVERY = 30.0


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: The notebook's file.
        image: The docker image.
        mode: ``silent``: executed by a kernel; ``script``: run as a Python script;
            ``interactive``: open in a Jupyter server.
        name: The job's name, ``$`` for random letters; ``None``: one made of the notebook's.
        parameters: Values for the notebook, made of JSON's types.
        points: The sets of parameters of a sweep; of all these jobs the first is described.
        sources: Files and folders that the notebook needs, relative to the current folder.
        outputs: What else to save: paths or globs relative to the notebook's folder.
        folder: Whether the notebook's whole folder goes along.
        requirements: Python packages that it needs, as pip reads them.
        freeze: Whether all packages of this Python environment are required, too.
        workspace: Where code and outputs lie; ``None``: the user's own on the default storage.
        kernel: The kernel to use; ``None``: the notebook's own, else Python.
        allow_errors: Whether cells after a failed one are run.
        html: Whether a web page is made of the executed notebook.
        python: The program that runs it in the container.
        resources: ``cpu``, ``gpu``, ``memory_mb`` of the one task.
        virtual_cluster: ``None``: the server's default one.
        skip: Indices of cells that are not run.
        document: The notebook where it is not in a file; ``path`` is only its place then.
        token: The secret that lets one into the Jupyter server.
    """

    path: Path
    image: str
    mode: str = "silent"
    name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    points: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Path] = ()
    outputs: Sequence[str] = ()
    folder: bool = False
    requirements: Sequence[str] = ()
    freeze: bool = False
    workspace: str | None = None
    kernel: str | None = None
    allow_errors: bool = False
    html: bool = True
    python: str = "python3"
    resources: Mapping[str, int] = field(default_factory=dict)
    virtual_cluster: str | None = None
    skip: Sequence[int] = ()
    document: Notebook | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Description:
    """What :func:`openpai.core.client.prepare.prepare` is given.

    Attributes:
        job: The job, without what only the cluster can tell.
        extras: The files that go with it.
        base: The folder of this machine that becomes the job's working folder.
        remarks: What its submitter should know: one sentence each.
        token: The token of the Jupyter server, if the job runs one.
        points: The sets of parameters of a sweep, as the description of a job holds them.
    """

    job: Job
    extras: Extras
    base: Path
    remarks: Sequence[str]
    token: str = field(default="", repr=False)
    points: Sequence[Mapping[str, Any]] = ()


@contextmanager
def describe(request: Request) -> Iterator[Description]:
    """Describe the job of a notebook; the files of the description live as long as the block.

    Raises:
        InvalidNotebookError: The file is no notebook, or cannot become what is asked for.
    """
    notebook = request.document or load_notebook(request.path)
    for values in (request.parameters, *request.points):
        check_parameters(notebook, values)
    if request.mode not in MODES:
        raise InvalidNotebookError(
            f"There is no mode '{request.mode}'.", f"Modes: {', '.join(MODES)}."
        )
    if request.mode == "interactive":
        _check_token(request)
    if request.mode == "script":
        to_script(notebook, request.path.name)  # what cannot be converted is told before it is sent
    folder = _absolute(request.path).parent
    sources = [_absolute(source) for source in request.sources]
    sources += [folder] if request.folder else []
    packages = with_frozen(request.requirements) if request.freeze else None
    base = Path(os.path.commonpath([folder, *sources]))
    place = (folder / request.path.name).relative_to(base).as_posix()
    with TemporaryDirectory(prefix="openpai-notebook-") as temporary:
        bundle = Path(temporary) / "notebook.pyz"
        write_bundle(bundle)
        shipped = _marked(notebook, request, Path(temporary))
        yield Description(
            job=_job(request, place),
            extras=Extras(
                sources=sources,
                requirements=packages.requirements if packages else request.requirements,
                workspace=request.workspace,
                files={_BUNDLE: bundle, place: shipped},
            ),
            base=base,
            remarks=[*_undeclared(notebook, request), *(packages.left_out if packages else ())],
            token=request.token if request.mode == "interactive" else "",
            points=encoded_points(request.points)[1],
        )


def _undeclared(notebook: Notebook, request: Request) -> list[str]:
    """Point out parameters that the notebook's own cell of parameters does not name."""
    declared = declared_parameters(notebook)
    given = dict.fromkeys([*request.parameters, *(name for p in request.points for name in p)])
    unknown = [name for name in given if declared and name not in declared]
    return [f"The notebook declares no parameter '{name}'." for name in unknown]


def _check_token(request: Request) -> None:
    """Refuse what an open server, or a token that the shell would read, would do."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", request.token):
        raise InvalidNotebookError(
            "The token of a Jupyter server needs 16 or more letters, digits, '-' and '_'.",
            "Leave it out to get a random one.",
        )
    if request.parameters or request.points:
        raise InvalidNotebookError(
            "An interactive notebook is run by hand; it takes no parameters.",
            "Use the mode 'silent'.",
        )


def _absolute(path: Path) -> Path:
    """Return a path from the root on; a link keeps its own name."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def _marked(notebook: Notebook, request: Request, folder: Path) -> Path:
    """Return the file to send: the notebook's own unless it has none or cells are skipped."""
    if not request.skip and request.document is None:
        return request.path
    for index in request.skip:
        tags = notebook["cells"][index]["metadata"].setdefault("tags", [])
        tags.append("skip-execution")
    copy = folder / "notebook.ipynb"
    dump_notebook(notebook, copy)
    return copy


def _job(request: Request, place: str) -> Job:
    kinds, values = encoded(request.parameters)
    if request.points:
        more, points = encoded_points(request.points)
        kinds, values = {**kinds, **more}, {**values, **points[0]}
    job = job_from_command(
        _name(request),
        [_command(request, place, kinds)],
        image=request.image,
        virtual_cluster=request.virtual_cluster,
        ports={PORT: 1} if request.mode == "interactive" else None,
        **request.resources,  # type: ignore[arg-type]  # the names are those of numbers
    )
    document = job.to_dict()
    if values:
        document["parameters"] = values
    if request.mode == "interactive":
        document["secrets"] = {_SECRET: request.token}
    outputs = list(_outputs(request, place))
    document["extras"] = {
        FACTS_KEY: {"notebook": place, "mode": request.mode},
        SECTION_KEY: {"version": 1, "outputs": [output.to_dict() for output in outputs]},
    }
    return Job.from_dict(document)


def _name(request: Request) -> str:
    """Return the name that is asked for, each ``$`` in it replaced by ten random letters.

    A sweep is known by the notebook's own name, so that submitting it again completes it.
    """
    own = plain_name(request.path) if request.points else ""
    name = request.name or own or default_name([plain_name(request.path)])
    return "".join(random_letters(10) if letter == "$" else letter for letter in name)


def plain_name(path: Path) -> str:
    """Return a notebook's name in the letters of a job's: ``Ubung_1`` for ``Übung 1.ipynb``."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "notebook"


def _command(request: Request, place: str, kinds: Mapping[str, str]) -> str:
    """Return the command line.

    It takes the place of the task's shell, so that a signal to the task reaches it directly. The
    values of the parameters come on stdin, where no shell reads them.
    """
    words = [request.python, _BUNDLE, place]
    if request.mode == "script":
        words.append("--script")
    if request.mode == "interactive":
        words.append("--serve")
    words += ["--html"] if request.html and request.mode == "silent" else []
    words += ["--allow-errors"] if request.allow_errors else []
    words += ["--kernel", request.kernel] if request.kernel else []
    line = "exec " + " ".join(map(quote_word, words))
    if request.mode == "interactive":
        return f"export JUPYTER_TOKEN=<% $secrets.{_SECRET} %>\n{line}"
    if not kinds:
        return line
    lines = [f"{kind} {name} <% $parameters.{name} %>" for name, kind in kinds.items()]
    return "\n".join([f"{line} --parameters - <<'{_MARK}'", *lines, _MARK])


def _outputs(request: Request, place: str) -> Iterator[Output]:
    folder = glob.escape(posixpath.dirname(place))
    stem = glob.escape(posixpath.splitext(place)[0])
    if request.mode == "script":
        yield Output(f"{stem}.py")
        yield Output(f"{stem}.results.jsonl", every=_SAVE_EVERY)
    else:
        yield Output(glob.escape(place), every=_SAVE_EVERY)
    if request.mode == "silent":
        yield Output(f"{stem}.results.json")
        if request.html:
            yield Output(f"{stem}.html")
    for path in request.outputs:
        yield Output(posixpath.normpath(posixpath.join(folder, path)))
