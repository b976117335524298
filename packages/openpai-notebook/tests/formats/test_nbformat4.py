"""Reading and writing notebooks as plain data."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.nbformat4 import (
    dump_notebook,
    language,
    load_notebook,
    parse_notebook,
)


def test_load_notebook_joins_lines(make_notebook):
    """A source that the file holds as lines is one text in memory."""
    path = make_notebook("a = 1\nb = 2")
    document = json.loads(path.read_text())
    document["cells"][0]["source"] = ["a = 1\n", "b = 2"]
    path.write_text(json.dumps(document))
    assert load_notebook(path)["cells"][0]["source"] == "a = 1\nb = 2"


def test_dump_notebook_round_trips(make_notebook, tmp_path):
    """Unknown keys, attachments, JSON outputs and odd characters survive writing and reading."""
    path = make_notebook("'ä€😀\u2028'")
    notebook = load_notebook(path)
    notebook["metadata"]["mine"] = {"x": [1, 2]}
    notebook["cells"][0]["outputs"] = [
        {
            "output_type": "display_data",
            "data": {"text/html": "<b>\n</b>", "application/x+json": ["a", "b"]},
            "metadata": {},
        },
        {"output_type": "stream", "name": "stdout", "text": "a\r\nb\x0cc\n"},
    ]
    notebook["cells"].append(
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "x",
            "id": "m",
            "attachments": {"a.png": {"image/png": "AAAA"}},
        }
    )
    target = tmp_path / "copy.ipynb"
    dump_notebook(notebook, target)
    assert load_notebook(target) == notebook
    nbformat.validate(nbformat.read(target, as_version=4))


def test_dump_notebook_writes_lone_surrogate(make_notebook, tmp_path):
    """Text that has no UTF-8 form is kept as a JSON escape."""
    notebook = load_notebook(make_notebook("'\udc80'"))
    dump_notebook(notebook, tmp_path / "copy.ipynb")
    assert load_notebook(tmp_path / "copy.ipynb") == notebook


def test_dump_notebook_keeps_old_file_on_failure(make_notebook):
    """What cannot be written does not harm what is there, and leaves no temporary file."""
    path = make_notebook("1")
    before = path.read_bytes()
    notebook = load_notebook(path)
    notebook["metadata"]["bad"] = object()
    with pytest.raises(TypeError):
        dump_notebook(notebook, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_language_reads_metadata(make_notebook):
    """The kernelspec names the language, else language_info, else it is Python."""
    assert language(load_notebook(make_notebook(metadata={}))) == "python"
    assert language(load_notebook(make_notebook(metadata={"language_info": {"name": "R"}}))) == "r"
    spec = {"kernelspec": {"name": "ir", "language": "R"}, "language_info": {"name": "python"}}
    assert language(load_notebook(make_notebook(metadata=spec))) == "r"


BROKEN = {
    "an empty file": (b"", "is empty"),
    "white space": (b" \n\n", "is empty"),
    "a script": (b"print(1)\n", "does not hold JSON"),
    "not text": (b"\x89PNG\r\n", "byte 0 is not UTF-8"),
    "a cut file": (b'{"nbformat": 4, "cells": [{"cell_type": "co', "is cut short"),
    "a cut list": (b'{"nbformat": 4, "cells": [{"cell_type": "code"},', "is cut short"),
    "a wrong comma": (b'{"nbformat": 4,, "cells": [], "metadata": {}, "x": 1}', "line 1, column"),
    "a list": (b"[1]", "no 'nbformat'"),
    "other JSON": (b'{"name": "x"}', "no 'nbformat'"),
    "no cells": (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
    "an old format": (b'{"nbformat": 2, "worksheets": []}', "format 2"),
    "a future format": (b'{"nbformat": 5, "cells": []}', "format 5"),
    "a merge": (b'{\n<<<<<<< HEAD\n"nbformat": 4\n', "conflict markers"),
    "an odd cell": (b'{"nbformat": 4, "cells": [7]}', "Cell 1"),
    "an odd source": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}', "Cell 1"),
    "odd outputs": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": 7}]}', "Cell 1"),
    "odd metadata": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "metadata": 7}]}', "Cell 1"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "format 3"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_load_notebook_explains_bad_file(case):
    """The error for a file that is not a notebook names the file."""
    data, expected = BROKEN[case]
    with pytest.raises(InvalidNotebookError, match=expected) as raised:
        parse_notebook(data, "some.ipynb")
    assert "some.ipynb" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_load_notebook_refuses_missing_file_and_folder(tmp_path):
    """The error for a path that is not a file names it."""
    with pytest.raises(InvalidNotebookError, match=r"no file '.*gone\.ipynb'"):
        load_notebook(tmp_path / "gone.ipynb")
    with pytest.raises(InvalidNotebookError, match="is a folder"):
        load_notebook(tmp_path)


def test_load_notebook_refuses_truncated_file(make_notebook):
    """However a notebook file is cut, it is refused and never read in part."""
    data = make_notebook("print('a')", "x = {1: 2}").read_bytes()
    for length in range(1, len(data)):
        with pytest.raises(InvalidNotebookError):
            parse_notebook(data[:length], "cut.ipynb")


def test_load_notebook_accepts_byte_order_mark(make_notebook):
    """A file that an editor began with a byte order mark is a notebook all the same."""
    data = b"\xef\xbb\xbf" + make_notebook("1").read_bytes()
    assert parse_notebook(data, "bom.ipynb")["cells"][0]["source"] == "1"


def test_dump_notebook_keeps_permissions(make_notebook):
    """Replacing a file keeps who may read it."""
    path = make_notebook("1")
    Path(path).chmod(0o600)
    dump_notebook(load_notebook(path), path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_old_format_names_the_converter():
    """Jupyter converts what is older than format 4."""
    with pytest.raises(InvalidNotebookError) as raised:
        parse_notebook(b'{"nbformat": 3, "worksheets": []}', "old.ipynb")
    assert "jupyter nbconvert --to notebook --inplace 'old.ipynb'" in raised.value.hint
