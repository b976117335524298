"""The arguments of the command that runs a notebook in its job."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, Sequence

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_file
from openpai.notebook.errors import InvalidNotebookError, KernelError
from openpai.notebook.execute.jupyter_server import serve
from openpai.notebook.execute.log import Log
from openpai.notebook.formats import Notebook, inject, load_notebook, recorded, to_script

__all__ = ["main", "parse_parameter_lines"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a notebook.

    Returns:
        0; 1 after a failed cell; 2 where nothing could be run; 128+n after being asked to stop by
        signal n; the kernel's own code where it ended by itself.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    options = _parser().parse_args(arguments)
    log = Log()
    try:
        if options.serve:
            serve(options.notebook)
        notebook = load_notebook(options.notebook)
        notebook = inject(notebook, _parameters(options.parameters))
        if options.script:
            return _run_script(notebook, options.notebook)
        return _run_notebook(notebook, options, log)
    except OpenPaiError as error:
        log.error(str(error))
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="openpai-notebook", description="Run a notebook.")
    parser.add_argument("notebook", type=Path, help="the notebook file")
    parser.add_argument("--output", type=Path, help="executed notebook (default: in its place)")
    parser.add_argument("--script", action="store_true", help="run it as a script, without Jupyter")
    parser.add_argument("--serve", action="store_true", help="open it in a Jupyter server")
    parser.add_argument("--html", action="store_true", help="write a web page as well")
    parser.add_argument("--kernel", help="kernel to use instead of the notebook's own")
    parser.add_argument("--allow-errors", action="store_true", help="continue after a failed cell")
    parser.add_argument("--save-every", type=float, default=15.0, metavar="SECONDS")
    parser.add_argument(
        "--parameters", help="file with parameters, one 'KIND NAME VALUE' a line; - for stdin"
    )
    return parser


_KINDS: dict[str, Callable[[str], Any]] = {"text": str, "float": float, "json": json.loads}


def _parameters(source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    return parse_parameter_lines(text.rstrip("\n").split("\n"))


def parse_parameter_lines(lines: Iterable[str]) -> dict[str, Any]:
    """Read lines ``KIND NAME VALUE``, where KIND is ``text``, ``float`` or ``json``.

    Raises:
        InvalidNotebookError: A line is not of this form.
    """
    values: dict[str, Any] = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        name, space, text = rest.partition(" ")
        try:
            values[name] = _KINDS[kind](text)
        except (KeyError, ValueError):
            space = ""
        if not space:
            raise InvalidNotebookError(f"The parameter line '{line}' is not KIND NAME VALUE.")
    return values


def _run_notebook(notebook: Notebook, options: argparse.Namespace, log: Log) -> int:
    # Where Jupyter Server is installed, jsonschema builds a grammar of IRIs when it is imported.
    # That takes longer than a kernel's start, and the schema of notebooks has no use for it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        from openpai.notebook.execute.run import Options, execute
    except ImportError as error:
        raise KernelError(
            f"This image cannot run a notebook: {error}.",
            "Submit it with the requirements 'nbclient' and 'ipykernel', use an image that has"
            " Jupyter, or use the mode 'script', which needs Python alone.",
        ) from None
    output = (options.output or options.notebook).absolute()
    node, code = execute(
        notebook,
        Options(
            output=output,
            cwd=options.notebook.absolute().parent,
            kernel=options.kernel,
            save_every=options.save_every,
            allow_errors=options.allow_errors,
            library=_bundle(),
        ),
        log,
    )
    _write_results(node, output, log)
    if options.html and code < 128:
        from openpai.notebook.execute.html import write_page

        write_page(node, output.with_suffix(".html"), log)
    return code


def _write_results(notebook: Notebook, output: Path, log: Log) -> None:
    """Write what the notebook has recorded beside it, for programs that know no notebooks."""
    try:
        write_file(output.with_suffix(".results.json"), json.dumps(recorded(notebook)).encode())
    except OSError as error:
        log.note(f"the results could not be written: {error}")


def _run_script(notebook: Notebook, path: Path) -> int:
    """Become the script; does not return."""
    script = path.absolute().with_suffix(".py")
    write_file(script, to_script(notebook, path.name, _bundle()).encode("utf-8"))
    results = script.with_suffix(".results.jsonl")
    write_file(results, b"")
    os.environ["OPENPAI_NOTEBOOK_RESULTS"] = str(results)
    os.chdir(script.parent)
    return os.execv(sys.executable, [sys.executable, "-u", str(script)])  # noqa: S606


def _bundle() -> Path | None:
    """Return the archive that this code runs from; ``None`` where it is installed."""
    root = Path(__file__).parents[3]
    return root.absolute() if root.is_file() else None
