"""Find the cells of a notebook that submit it, and that its job must not run.

The calling cell is not run in the job. So a cell that looks at what only that cell made, such as
``job.result("accuracy")``, would find no ``job`` there and fail it: it stays out as well, and so do
the cells that need what it makes.
"""

from __future__ import annotations

import ast
from typing import Iterator, Sequence

from openpai.notebook.formats import Notebook, code_cells

__all__ = ["submitting_cells"]

_CALL = "submit_notebook"


def submitting_cells(notebook: Notebook, calling: Sequence[int]) -> list[int]:
    """Return the indices of the calling cells and of those that need the job they submit."""
    trees = {index: _parsed(cell["source"]) for index, cell in code_cells(notebook)}
    out = {index for index in calling if index in trees}
    missing = {name for index in out for name in _jobs(trees[index])}
    bound = {name for index in trees.keys() - out for name in _bound(trees[index])}
    missing -= bound
    for index, tree in trees.items():
        if out and index > min(out) and index not in out and missing & set(_read(tree)):
            out.add(index)
            elsewhere = {n for i in trees.keys() - out for n in _bound(trees[i])}
            missing |= set(_bound(tree)) - elsewhere
    return sorted(out | set(calling))


def _parsed(source: str) -> ast.Module:
    """Return the Python of a cell without its magics; nothing where that is not Python."""
    lines = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _jobs(tree: ast.Module) -> Iterator[str]:
    """Yield the names that get what ``submit_notebook`` returns."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            continue
        if node.value is not None and _CALL in _names(node.value):
            yield from _bound(node)


def _names(tree: ast.AST) -> set[str]:
    """Return the names and attributes that are read."""
    nodes = list(ast.walk(tree))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _read(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
