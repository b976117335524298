"""Run one command line: the last-resort handler that turns every failure into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

import click

from openpai.cli.commands.table import opai
from openpai.cli.framework import CliApp

if TYPE_CHECKING:
    from openpai.cli.framework import ErrorReport

__all__ = ["run"]

#: A group without a command shows its help; click before 8.2 does so by itself.
_ASKED_FOR_NOTHING: tuple[type[click.UsageError], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])
)


def run(arguments: Sequence[str]) -> int:
    """Run ``opai`` with these arguments and return the exit code.

    Nothing escapes: errors become a sentence on stderr (one JSON object when ``-o json`` was
    asked for), a reader that went away ends the command silently with 141, Ctrl-C with 130.
    """
    app = CliApp()
    app.debug = "--debug" in takewhile(lambda argument: argument.startswith("-"), arguments)
    try:
        code = _invoke(arguments, app)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 141
    except (Exception, KeyboardInterrupt) as error:
        return _fail(app, error, as_json=_wants_json(arguments))
    finally:
        app.close()


def _invoke(arguments: Sequence[str], app: CliApp) -> int:
    """Run the command; click's own ``main`` would take a closed pipe for a failure."""
    completing = os.environ.get("_OPAI_COMPLETE")
    if completing:
        from openpai.cli.framework import complete

        return complete(opai, completing, arguments)
    try:
        with opai.make_context("opai", list(arguments), obj=app) as context:
            opai.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except _ASKED_FOR_NOTHING as error:
        click.echo(error.ctx.get_help() if error.ctx else error.message)
    return 0


def _fail(app: CliApp, error: BaseException, *, as_json: bool) -> int:
    """Print the error; modules for it are imported only now."""
    from openpai.cli.framework import report_for

    if app.debug and isinstance(error, Exception):
        import traceback

        traceback.print_exc()
    failure = report_for(error)
    _report(app, failure, as_json=as_json)
    return failure.exit_code


def _report(app: CliApp, failure: ErrorReport, *, as_json: bool) -> None:
    if as_json:
        import json

        app.console.print_error(json.dumps({"error": failure.to_dict()}, ensure_ascii=False))
        return
    for line in failure.lines(app.console.paint):
        app.console.print_error(line)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``-o json`` stands among the arguments, also among those that could not be parsed."""
    own = list(arguments)
    if "--" in own:
        own = own[: own.index("--")]
    apart = any(pair in (("-o", "json"), ("--format", "json")) for pair in pairwise(own))
    return apart or "-ojson" in own or "--format=json" in own


def _forget_stdout() -> None:
    """Keep Python from complaining at exit about what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
