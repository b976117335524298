"""The job that runs a notebook: its description, and the files that go with it.

The job is an ordinary one. Its code is the notebook, whatever sources were named, and the bundle
that runs it (:mod:`openpai.notebook.bundle`); its outputs are the executed notebook and what else
the mode makes. The notebook's parameters are the job's own parameters, so that another value, or a
sweep of values, needs no other code.
"""

from __future__ import annotations

import glob
import json
import math
import os
import posixpath
import re
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.command_job import command_job, default_name, quote_word
from openpai.core.prepare import Extras
from openpai.core.protocol.job import Job
from openpai.core.protocol.runtime_section import SECTION_KEY, Output
from openpai.notebook.bundle import write_bundle
from openpai.notebook.convert import to_script
from openpai.notebook.document import Notebook, dump_notebook, load_notebook
from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.parameters import check_parameters, declared_parameters

__all__ = ["FACTS_KEY", "MODES", "Description", "Request", "describe"]

MODES = ("silent", "script")

#: The key in ``extras`` that says which notebook a job runs, and how.
FACTS_KEY = "openpai.notebook"

_BUNDLE = ".openpai/notebook.pyz"
_MARK = "OPENPAI_PARAMETERS"

#: Seconds between two copies of the running notebook to the job's outputs.
_SAVE_EVERY = 30.0

# What would not reach the job's shell as it is: line ends, and what PAI's servers read as theirs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|<%|\$[$(]|\{\{|^\s|\s$")


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: The notebook's file.
        image: The docker image.
        mode: ``silent``: executed by a kernel; ``script``: run as a Python script.
        name: The job's name; ``None``: one made of the notebook's.
        parameters: Values for the notebook, made of JSON's types.
        sources: Files and folders that the notebook needs, relative to the current folder.
        outputs: What else to save: paths or globs relative to the notebook's folder.
        requirements: Python packages that it needs, as pip reads them.
        workspace: Where code and outputs lie; ``None``: the user's own on the default storage.
        kernel: The kernel to use; ``None``: the notebook's own, else Python.
        allow_errors: Whether cells after a failed one are run.
        html: Whether a web page is made of the executed notebook.
        python: The program that runs it in the container.
        resources: ``cpu``, ``gpu``, ``memory_mb`` of the one task.
        virtual_cluster: ``None``: the server's default one.
        skip: Indices of cells that are not run.
        document: The notebook where it is not in a file; ``path`` is only its place then.
    """

    path: Path
    image: str
    mode: str = "silent"
    name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Path] = ()
    outputs: Sequence[str] = ()
    requirements: Sequence[str] = ()
    workspace: str | None = None
    kernel: str | None = None
    allow_errors: bool = False
    html: bool = True
    python: str = "python3"
    resources: Mapping[str, int] = field(default_factory=dict)
    virtual_cluster: str | None = None
    skip: Sequence[int] = ()
    document: Notebook | None = None


@dataclass(frozen=True)
class Description:
    """What :func:`openpai.core.prepare.prepare` is given.

    Attributes:
        job: The job, without what only the cluster can tell.
        extras: The files that go with it.
        base: The folder of this machine that becomes the job's working folder.
        undeclared: Parameters that the notebook's own cell of parameters does not name.
    """

    job: Job
    extras: Extras
    base: Path
    undeclared: Sequence[str]


@contextmanager
def describe(request: Request) -> Iterator[Description]:
    """Describe the job of a notebook; the files of the description live as long as the block.

    Raises:
        InvalidNotebookError: The file is no notebook, or cannot become what is asked for.
    """
    notebook = request.document or load_notebook(request.path)
    check_parameters(notebook, request.parameters)
    if request.mode not in MODES:
        raise InvalidNotebookError(
            f"There is no mode '{request.mode}'.", f"Modes: {', '.join(MODES)}."
        )
    if request.mode == "script":
        to_script(notebook, request.path.name)  # what cannot be converted is told before it is sent
    declared = declared_parameters(notebook)
    folder = _absolute(request.path).parent
    sources = [_absolute(source) for source in request.sources]
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
                requirements=request.requirements,
                workspace=request.workspace,
                files={_BUNDLE: bundle, place: shipped},
            ),
            base=base,
            undeclared=[name for name in request.parameters if declared and name not in declared],
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
    kinds, values = _encoded(request.parameters)
    job = command_job(
        request.name or _default_name(request.path),
        [_command(request, place, kinds)],
        image=request.image,
        virtual_cluster=request.virtual_cluster,
        **request.resources,  # type: ignore[arg-type]  # the names are those of numbers
    )
    document = job.to_dict()
    if values:
        document["parameters"] = values
    outputs = list(_outputs(request, place))
    document["extras"] = {
        FACTS_KEY: {"notebook": place, "mode": request.mode},
        SECTION_KEY: {"version": 1, "outputs": [output.to_dict() for output in outputs]},
    }
    return Job.from_dict(document)


def _default_name(path: Path) -> str:
    """Return a free name made of the notebook's: ``Ubung_1_k3x9q2ab`` for ``Übung 1.ipynb``."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return default_name([re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "notebook"])


def _command(request: Request, place: str, kinds: Mapping[str, str]) -> str:
    """Return the command line.

    It takes the place of the task's shell, so that a signal to the task reaches it directly. The
    values of the parameters come on stdin, where no shell reads them.
    """
    words = [request.python, _BUNDLE, place]
    if request.mode == "script":
        words.append("--script")
    words += ["--html"] if request.html and request.mode == "silent" else []
    words += ["--allow-errors"] if request.allow_errors else []
    words += ["--kernel", request.kernel] if request.kernel else []
    line = "exec " + " ".join(map(quote_word, words))
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
        if request.html:
            yield Output(f"{stem}.html")
    for path in request.outputs:
        yield Output(posixpath.normpath(posixpath.join(folder, path)))


def _encoded(parameters: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return how each parameter is read in the job, and its value in the job's description.

    The server pastes a value as JavaScript writes it, 1.0 as ``1`` and a list as ``1,2``; so a
    float is read as one, and what has no plain form travels as JSON text.
    """
    kinds: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        kinds[name], values[name] = _encode(value)
    return kinds, values


def _encode(value: Any) -> tuple[str, Any]:
    if isinstance(value, str) and value and not _UNSAFE.search(value):
        return "text", value
    if isinstance(value, float) and math.isfinite(value):
        return "float", float(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return "json", value
    text = json.dumps(value)
    for character, pattern in (("$", r"\$"), ("<", "<"), ("{", r"\{(?=\{)")):
        text = re.sub(pattern, f"\\\\u{ord(character):04x}", text)
    return "json", text
