"""``%load_ext openpai.notebook``: ``%opai`` runs a command, ``%%opai`` runs a cell as a job.

Variables go into such a job and come back as JSON, and never as pickles, which could run code on
either side: numbers, texts, booleans, ``None``, lists and dicts. Anything else travels in files.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, Sequence

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from openpai.core.errors import OpenPaiError
from openpai.notebook.errors import InvalidNotebookError, NotebookError
from openpai.notebook.formats import Notebook
from openpai.notebook.jobs import NotebookJob, NotebookJobSpec

__all__ = ["OpaiMagics"]

#: Characters of JSON that variables may take in the description of a job.
_MOST = 64 * 1024


#: Fields of the job spec that a cell may set.
_FIELDS = frozenset(
    (
        *("image", "gpu", "cpu", "memory", "virtual_cluster", "workspace"),
        *("sources", "outputs", "requirements"),
    )
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors do not end the kernel."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%opai: {message}")


def _parser() -> _Parser:
    """Return the parser of ``%%opai``; its options are those of ``opai notebook submit``."""
    parser = _Parser(prog="%%opai", add_help=False, allow_abbrev=False)
    parser.add_argument("-a", "--cluster-alias", dest="alias")
    for item in fields(NotebookJobSpec):
        if item.name in _FIELDS:
            option = item.metadata["option"]
            repeated: dict[str, Any] = {"action": "append", "default": []}
            parser.add_argument(
                *option.names,
                dest=item.name,
                type=int if option.kind == "number" else option.parse or str,
                **(repeated if option.multiple else {}),
            )
    parser.add_argument("--outputs", action="append", default=[])
    parser.add_argument("--in", dest="given", type=_names, default=[])
    parser.add_argument("--out", dest="wanted", type=_names, default=[])
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@magics_class
class OpaiMagics(Magics):
    """The magics of OpenPAI."""

    @line_cell_magic
    def opai(self, line: str, cell: str | None = None) -> None:
        """Run ``opai LINE``; or, as ``%%opai``, run the cell as a job.

        ``%%opai [-a CLUSTER] [-i IMAGE] [--gpu N] [--cpu N] [--mem SIZE] [--in X,Y] [--out Z]
        [--src PATH] [--outputs GLOB] [--pip PACKAGE] [--vc VC] [-w WORKSPACE]``
        """
        try:
            if cell is None:
                _run_command(shlex.split(line))
            else:
                self._run_cell(cell, shlex.split(line))
        except (OpenPaiError, OSError, ValueError) as error:
            raise UsageError(f"opai: {error}") from None

    def _run_cell(self, source: str, words: Sequence[str]) -> None:
        assert self.shell is not None
        variables = self.shell.user_ns
        options = vars(_parser().parse_args(words))
        names, wanted = options.pop("given"), options.pop("wanted")
        given = _values(variables, names)
        job = _send(_notebook(source, wanted), given, options)
        sys.stdout.write(f"Submitted {job.key}; interrupting this cell leaves it running.\n")
        if names or wanted:
            summary = f"in: {', '.join(names) or 'none'}; out: {', '.join(wanted) or 'none'}"
            sys.stdout.write(f"Variables, as JSON: {summary}.\n")
        for line in job.logs(follow=True):
            sys.stdout.write(line + "\n")
        detail = job.wait()
        executed = job.notebook()
        _show(executed, source)
        if detail.state != "SUCCEEDED":
            message = executed["metadata"]["openpai"].get("message")
            raise NotebookError(f"{job.key} {detail.state}: {message}")
        results = job.results()
        variables.update({name: results[name] for name in wanted})


def _run_command(words: Sequence[str]) -> None:
    """Run ``opai`` and write what it says into the cell."""
    beside = str(Path(sys.executable).parent)
    program = shutil.which("opai", path=beside) or shutil.which("opai")
    if program is None:
        raise NotebookError("The command 'opai' is not installed.", "Run: pip install openpai-cli")
    with subprocess.Popen(
        [program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
    if process.returncode:
        raise NotebookError(f"The command ended with exit code {process.returncode}.")


def _values(namespace: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the variables that go into the job.

    Raises:
        InvalidNotebookError: One does not exist, or has no form in JSON, or they are too large.
    """
    missing = [name for name in names if name not in namespace]
    if missing:
        raise InvalidNotebookError(f"There is no variable '{missing[0]}'.")
    values = {name: namespace[name] for name in names}
    try:
        size = len(json.dumps(values))
    except (TypeError, ValueError) as error:
        raise InvalidNotebookError(
            f"The variables cannot go into the job: {error}.",
            "Give numbers, texts, lists and dicts; the rest in a file, with --src.",
        ) from None
    if size > _MOST:
        raise InvalidNotebookError(
            f"The variables take {size:,} characters; {_MOST:,} fit into a job's description.",
            "Give them in a file, with --src.",
        )
    return values


def _notebook(source: str, wanted: Sequence[str]) -> Notebook:
    """Return the notebook of the job: the cell, and one that records what is to come back."""
    records = [f"record({name!r}, {name})" for name in wanted]
    sources = [source]
    if records:
        sources.append("\n".join(["from openpai.notebook import record", *records]))
    empty: Notebook = {"cell_type": "code", "metadata": {}, "execution_count": None}
    cells: list[Notebook] = [{**empty, "source": text, "outputs": []} for text in sources]
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    metadata = {"kernelspec": spec}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


def _send(notebook: Notebook, given: dict[str, Any], options: dict[str, Any]) -> NotebookJob:
    from openpai.core.client import Cluster
    from openpai.notebook.jobs import describe, notebook_spec, send

    cluster = Cluster.load(options.pop("alias"))
    spec = notebook_spec(
        Path("cell.ipynb"), document=notebook, parameters=given, html=False, **options
    )
    with describe(spec) as description:
        return send(description, cluster)


def _show(executed: Notebook, source: str) -> None:
    """Show the figures and values that the cell has made; its text was in the log."""
    for cell in executed["cells"]:
        if cell["source"].strip() == source.strip():
            for output in cell["outputs"]:
                if output["output_type"] in ("display_data", "execute_result"):
                    bundle, metadata = output["data"], output["metadata"]
                    display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
