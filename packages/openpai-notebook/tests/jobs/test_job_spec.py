"""The typed description of a notebook's job."""

from __future__ import annotations

from dataclasses import fields

from openpai.notebook.jobs.job_spec import NotebookJobSpec, NotebookOptions


def test_keyword_arguments_are_fields_of_spec():
    """`submit_notebook` takes every field that describes the job, and nothing else."""
    own = {"path", "points", "skip", "document", "token"}
    names = {item.name for item in fields(NotebookJobSpec)}
    assert set(NotebookOptions.__annotations__) == names - own


def test_repr_hides_secrets():
    spec = NotebookJobSpec(token="hidden-token", secrets={"KEY": "hidden-value"})
    assert "hidden" not in repr(spec)
