"""Sweeps: points, the names of their jobs, and jobs that say what they were given."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from openpai.core.errors import OpenPaiError
from openpai.core.sweeps.parameters import (
    grid,
    names_of,
    point_name,
    sample,
    split_try,
    sweep_jobs,
    try_name,
    zipped,
)


@pytest.fixture
def job(make_job):
    """A job that uses two parameters."""
    job = make_job("train --lr <% $parameters.lr %> --batch <% $parameters.batch %>", name="train")
    job.document["parameters"] = {"lr": 0.1, "batch": 32}
    return job


def test_grid_has_every_combination():
    """The last axis changes fastest."""
    assert grid(a=[1, 2], b=["x", "y"]) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_zip_pairs_values():
    """And says so when the axes are not equally long."""
    assert zipped(a=[1, 2], b=[3, 4]) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(OpenPaiError, match="a has 2, b has 1 values"):
        zipped(a=[1, 2], b=[3])


def test_samples_with_same_seed_are_equal():
    """So a random search can be resumed."""
    choices = {"lr": lambda r: 10 ** r.uniform(-4, -1), "batch": [16, 32]}
    assert sample(20, seed=7, **choices) == sample(20, seed=7, **choices)
    assert sample(20, seed=7, **choices) != sample(20, seed=8, **choices)
    assert all(1e-4 <= point["lr"] <= 0.1 for point in sample(50, **choices))


def test_names_contain_parameters(job):
    """In the letters that PAI allows."""
    jobs = sweep_jobs(job, grid(lr=[0.1, 1e-05], batch=[32, 64]))
    assert [j.name for j in jobs] == [
        "train_lr-0p1_batch-32",
        "train_lr-0p1_batch-64",
        "train_lr-1e-05_batch-32",
        "train_lr-1e-05_batch-64",
    ]


def test_jobs_have_parameters_and_original_is_unchanged(job):
    """Each job is a whole description."""
    jobs = sweep_jobs(job, [{"lr": 0.5}], name="other")
    assert jobs[0].name == "other_lr-0p5"
    assert jobs[0].document["parameters"] == {"lr": 0.5, "batch": 32}
    assert job.document["parameters"]["lr"] == 0.1


def test_unused_parameter_raises(job):
    """All the jobs would do the same."""
    with pytest.raises(OpenPaiError, match="no parameter 'rate'"):
        sweep_jobs(job, [{"rate": 1}])


def test_similar_values_have_distinct_names(job):
    """By a mark of their values."""
    names = [j.name for j in sweep_jobs(job, [{"lr": "a b"}, {"lr": "a/b"}, {"lr": "c"}])]
    assert len(set(names)) == 3
    assert names[2] == "train_lr-c"
    assert names == [j.name for j in sweep_jobs(job, [{"lr": "a b"}, {"lr": "a/b"}, {"lr": "c"}])]


def test_equal_points_are_numbered(job):
    """A random search may draw one twice."""
    names = [j.name for j in sweep_jobs(job, [{"lr": 1}, {"lr": 1}, {"lr": 2}])]
    assert len(set(names)) == 3


POINTS = st.lists(
    st.dictionaries(
        st.text(min_size=1, max_size=20),
        st.one_of(st.integers(), st.floats(), st.text(max_size=400), st.booleans(), st.none()),
        max_size=8,
    ),
    max_size=8,
)


@given(points=POINTS)
def test_names_are_accepted_by_pai(points):
    """Letters, digits, _ and -, at most 255 of them."""
    names = names_of("base", points)
    assert len(set(names)) == len(points)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,249}", name), name
        assert split_try(name) == (name, 1)
        assert split_try(try_name(name, 3)) == (name, 3)


def test_point_name_without_sweep(job):
    """As a script may want it for a folder."""
    assert point_name("train", {"lr": -0.5, "deep": True}) == "train_lr--0p5_deep-true"
