"""Turn a Python notebook into a script that needs neither Jupyter nor IPython.

Of IPython's own syntax a script gets what has a plain meaning outside a notebook: shell lines and
shell cells, ``%pip``, ``%cd``, ``%env``, ``%time``, ``%run``, ``%%writefile``, and so on. What only
a notebook understands (``%matplotlib inline``) becomes a comment. Everything else is refused with
the number of its cell among the code cells; nothing is dropped in silence.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import Callable

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.nbformat4 import Notebook, code_cells, language

__all__ = ["to_script"]

#: Line magics that only change how a notebook looks or works.
_NOTEBOOK_ONLY = (
    *("alias", "autoreload", "autosave", "colors", "config", "load_ext", "logstart", "logstop"),
    *("matplotlib", "pdb", "pinfo", "precision", "pylab", "reload_ext", "unload_ext", "xmode"),
)

_MAGIC = re.compile(r"(?P<indent>\s*)(?P<target>[\w.,\[\] ]+=\s*)?(?P<mark>%|!!?)(?P<rest>[^%].*)")
_HELP = re.compile(r"\s*\?{1,2}[\w.*]+\s*$|\s*[%\w.*]+\?{1,2}\s*$")

_PRELUDE = r'''def _shell(command, names=()):
    """Run a shell line as a notebook does: its failure does not end the script."""
    import subprocess
    subprocess.run(["bash", "-c", _expand(command, names)])


def _shell_lines(command, names=()):
    """Return the lines that a shell line writes to stdout."""
    import subprocess
    run = subprocess.run(["bash", "-c", _expand(command, names)], stdout=-1, text=True)
    return run.stdout.splitlines()


def _expand(command, names):
    """Put in the values of {expression} and $name, as a notebook does."""
    import re

    def value(match):
        try:
            return str(eval(match[1] or match[2], dict(names)))
        except Exception:
            return match[0]

    return re.sub(r"(?<!{){([^{}]+)}(?!})|(?<!\$)\$([a-zA-Z_]\w*)", value, command)


def _shell_cell(program, script):
    """Run a cell in another program; its failure ends the script."""
    import subprocess
    subprocess.run([program], input=script, text=True, check=True)


def display(*values):
    for value in values:
        print(value)

'''


def to_script(notebook: Notebook, name: str, library: Path | None = None) -> str:
    """Return the notebook as the text of a Python script.

    Args:
        notebook: The notebook.
        name: Its name, for messages.
        library: An archive that brings ``openpai.notebook`` where it is not installed.

    Raises:
        InvalidNotebookError: It is not a Python notebook, or a cell has no meaning in a script.
    """
    if language(notebook) not in ("python", "ipython"):
        raise InvalidNotebookError(
            f"'{name}' is a notebook in {language(notebook)}; only Python ones become scripts.",
            "Use the mode 'silent'.",
        )
    cells = enumerate((cell["source"] for _, cell in code_cells(notebook)), start=1)
    bodies = [(number, _cell(source, number)) for number, source in cells]
    parts = [f"# {name} as a script.\n"]
    if library is not None and any("openpai" in body for _, body in bodies):
        parts.append(f"import sys; sys.path.append({str(library)!r})\n")
    if any(_uses_prelude(body) for _, body in bodies):
        parts.append(_PRELUDE)
    for number, body in bodies:
        _check(body, number)
        parts.append(f"# cell {number}\n{body}\n")
    return "\n".join(parts)


def _uses_prelude(body: str) -> bool:
    return re.search(r"\b(_shell(_lines|_cell)?|display)\(", body) is not None


def _check(body: str, number: int) -> None:
    """Refuse a cell that Python would refuse, naming it."""
    try:
        compile(body, f"cell {number}", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"cell {number}" + (f", line {line}" if line else "")
        if _awaits_at_top(body):
            raise InvalidNotebookError(
                f"In {where} something is awaited at top level, which a script cannot do.",
                "Use the mode 'silent', or asyncio.run.",
            ) from None
        raise InvalidNotebookError(f"In {where} Python finds: {error}.") from None


def _awaits_at_top(body: str) -> bool:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile(body, "cell", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _cell(source: str, number: int) -> str:
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        return _cell_magic(first[2:].strip(), rest, number)
    lines: list[str] = []
    for line in _logical_lines(source):
        special = _MAGIC.fullmatch(line) or _HELP.fullmatch(line)
        lines.append(_line(line, number) if special and _starts_statement(lines) else line)
    return "\n".join(lines).rstrip()


def _logical_lines(source: str) -> list[str]:
    """Split into lines, joining a magic or shell line continued after a backslash."""
    lines: list[str] = []
    for line in source.splitlines():
        before = lines[-1] if lines else ""
        if before.endswith("\\") and _MAGIC.fullmatch(before[:-1]):
            lines[-1] = before[:-1] + line.lstrip()
        else:
            lines.append(line)
    return lines


def _starts_statement(lines: list[str]) -> bool:
    """Whether the next line begins a statement, and not the inside of a text or bracket."""
    if lines and lines[-1].rstrip().endswith("\\"):
        return False
    text = "\n".join(lines) + "\n"
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except tokenize.TokenError:
        return False
    except IndentationError:
        return True
    return True


def _line(line: str, number: int) -> str:
    if _HELP.fullmatch(line):
        return _commented(line)
    match = _MAGIC.fullmatch(line)
    if match is None:
        return line
    indent, target, mark, rest = match.group("indent", "target", "mark", "rest")
    if mark != "%":
        if target or mark == "!!":
            return f"{indent}{target or ''}{_call('_shell_lines', rest)}"
        return indent + _call("_shell", rest)
    name, _, arguments = rest.strip().partition(" ")
    translated = _line_magic(name, arguments.strip(), number)
    if translated is None:
        return _commented(line)
    return f"{indent}{target or ''}{translated}"


def _call(function: str, command: str) -> str:
    names = ", {**globals(), **locals()}" if set("{$") & set(command) else ""
    return f"{function}({command!r}{names})"


def _commented(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}pass  # {line.strip()}"


def _line_magic(name: str, arguments: str, number: int) -> str | None:
    """Return Python for a line magic, or ``None`` for one that only a notebook needs."""
    if name in _NOTEBOOK_ONLY:
        return None
    takes_more = name == "run" and not re.fullmatch(r"[^\s-]\S*\.py", arguments)
    if name not in _LINE_MAGICS or takes_more:
        raise _refused(f"%{name}", number)
    return _LINE_MAGICS[name](arguments)


def _environment(arguments: str) -> str:
    name, _, value = re.sub(r"\s*=\s*|\s+", "=", arguments, count=1).partition("=")
    if not value:
        return f"print(__import__('os').environ{f'.get({name!r})' if name else ''})"
    return f"__import__('os').environ[{name!r}] = {value!r}"


_LINE_MAGICS: dict[str, Callable[[str], str]] = {
    "pip": lambda text: _call("_shell", f"python3 -m pip {text}"),
    "conda": lambda text: _call("_shell", f"conda {text}"),
    "sx": lambda text: _call("_shell_lines", text),
    "system": lambda text: _call("_shell_lines", text),
    "cd": lambda text: f"__import__('os').chdir(__import__('os').path.expanduser({text or '~'!r}))",
    "pwd": lambda _text: "__import__('os').getcwd()",
    "env": _environment,
    "set_env": _environment,
    "time": lambda text: text,
    "run": lambda text: f"globals().update(__import__('runpy').run_path({text!r}))",
}


def _cell_magic(head: str, body: str, number: int) -> str:
    name, _, arguments = head.partition(" ")
    arguments = arguments.strip()
    if name in ("time", "capture") and not arguments:
        return _cell(body, number)
    if name in ("bash", "sh", "perl", "ruby") and not arguments:
        return f"_shell_cell({name!r}, {body!r})"
    if name == "writefile":
        append = arguments.startswith("-a ")
        path = arguments[3:].strip() if append else arguments
        return f"print({body!r}, file=open({path!r}, {'a' if append else 'w'!r}))"
    raise _refused(f"%%{head}", number)


def _refused(magic: str, number: int) -> InvalidNotebookError:
    return InvalidNotebookError(
        f"Cell {number} uses '{magic}', which has no meaning in a script.",
        "Use the mode 'silent', or take it out.",
    )
