"""`opai cluster resources`: what is free, on all clusters side by side."""

from __future__ import annotations

import os
import sys

import pexpect
import pytest

from openpai.cli.ui.bars import bar


@pytest.fixture
def dead(local, home):
    """A second cluster that does not answer, beside the local one."""
    with (home / "clusters.yaml").open("a") as file:
        file.write("- {cluster_alias: dead, pai_uri: 'http://127.0.0.1:1', user: bob, token: t}\n")


def test_resources_show_free_capacity(opai, local):
    """Each virtual cluster with what it has and what of it is free."""
    (row,) = opai("cluster", "resources", "-o", "json").json
    assert (row["cluster"], row["virtualCluster"]) == ("local", "default")
    assert (row["cpus"], row["gpus"]) == (16, 1)
    assert 0 <= row["cpusFree"] <= 16


def test_resources_include_unreachable_cluster(opai, dead):
    """It has a row of its own, a warning, and gives the exit code; names are only what is known."""
    result = opai("cluster", "resources", "-o", "json")
    assert result.exit_code == 6
    assert "opai: warning: dead: " in result.stderr
    good, bad = result.json
    assert (good["cluster"], good["cpus"], good["error"]) == ("local", 16, None)
    assert (bad["cluster"], bad["virtualCluster"], bad["cpus"]) == ("dead", None, None)
    assert "refused" in bad["error"]
    assert opai("cluster", "resources", "-o", "name").stdout == "default\n"


def test_resources_of_selected_clusters(opai, dead):
    """-a takes one or several aliases; one that is not known is 2."""
    result = opai("cluster", "resources", "-a", "local", "-o", "json")
    assert (result.exit_code, len(result.json)) == (0, 1)
    assert len(opai("cluster", "resources", "-a", "dead", "-a", "local", "-o", "json").json) == 2
    assert opai("cluster", "resources", "-a", "nope").exit_code == 2


def test_resources_in_pipe_have_no_bars(opai, dead):
    """Numbers alone, one in each column, whatever the environment says of colour."""
    table = opai("cluster", "resources").stdout
    assert table.isascii()
    assert table.splitlines()[0].split("  ")[0] == "CLUSTER"


def test_resources_without_cluster_exit_2(opai):
    """As any command that needs one does."""
    result = opai("cluster", "resources")
    assert result.exit_code == 2
    assert "opai local up" in result.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    ("columns", "encoding", "drawn"),
    [(120, "utf-8", "█"), (80, "utf-8", "█"), (80, "ascii", "#"), (40, "utf-8", "")],
)
def test_resources_draw_bars_in_wide_terminal(dead, columns, encoding, drawn):
    """In the terminal's own letters, and no line wider than it."""
    text = pexpect.run(
        f"{sys.executable} -m openpai.cli cluster resources",
        env={
            **os.environ,
            "NO_COLOR": "1",
            "COLUMNS": str(columns),
            "PYTHONIOENCODING": encoding,
        },
        timeout=60,
    ).decode()
    header, good, bad = text.split("\r\n")[-4:-1]
    assert header.split()[:2] == ["CLUSTER", "VC"]
    assert max(map(len, (header, good, bad))) <= columns
    assert bad.split()[:3] == ["dead", "no", "answer"]
    assert drawn in good
    assert "\x1b" not in text
    assert any(letter in good for letter in "█#") == bool(drawn)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        *((0, 8, "...."), (8, 8, "####"), (4, 8, "##.."), (1, 800, "#..."), (799, 800, "###.")),
        *((3, 0, ""), (9, 8, "####")),
    ],
)
def test_bar_is_exact_at_both_ends(part, whole, expected):
    """Something is not nothing, and nearly all is not all."""
    assert bar(part, whole, 4, "latin-1") == expected
