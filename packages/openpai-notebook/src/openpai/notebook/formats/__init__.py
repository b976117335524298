"""Notebooks as files and as scripts; parameters and results."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.notebook.formats.encoding import (
        encode_grid as encode_grid,
        encode_parameters as encode_parameters,
    )
    from openpai.notebook.formats.nbformat4 import (
        Notebook as Notebook,
        code_cells as code_cells,
        dump_notebook as dump_notebook,
        language as language,
        load_notebook as load_notebook,
        parse_notebook as parse_notebook,
    )
    from openpai.notebook.formats.parameters import (
        check_parameters as check_parameters,
        declared_parameters as declared_parameters,
        infer_value as infer_value,
        inject as inject,
        parse_assignment as parse_assignment,
    )
    from openpai.notebook.formats.results import (
        record as record,
        recorded as recorded,
        recorded_lines as recorded_lines,
    )
    from openpai.notebook.formats.script import to_script as to_script
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "encoding": ["encode_grid", "encode_parameters"],
            "nbformat4": [
                "Notebook",
                "code_cells",
                "dump_notebook",
                "language",
                "load_notebook",
                "parse_notebook",
            ],
            "parameters": [
                "check_parameters",
                "declared_parameters",
                "infer_value",
                "inject",
                "parse_assignment",
            ],
            "results": ["record", "recorded", "recorded_lines"],
            "script": ["to_script"],
        },
    )
