"""The table writer."""

from __future__ import annotations

from openpai.cli.ui.table import Cell, cell_width, draw_record, draw_table


def plain(text: str, style: str) -> str:
    """Paint nothing."""
    return text


def table(headers, rows, width=None):
    """Draw rows of plain texts."""
    return list(draw_table(headers, [[Cell(t) for t in row] for row in rows], width, plain))


def test_table_aligns_columns():
    """Each column begins at the same place in every line."""
    assert table(["NAME", "STATE"], [["a", "RUNNING"], ["longer", "FAILED"]]) == [
        "NAME    STATE",
        "a       RUNNING",
        "longer  FAILED",
    ]


def test_table_aligns_numbers_right():
    """A column of numbers, and its header, end at the same place."""
    rows = [[Cell("x"), Cell("7", is_number=True)], [Cell("y"), Cell("120", is_number=True)]]
    assert list(draw_table(["N", "GPUS"], rows, None, plain)) == ["N  GPUS", "x     7", "y   120"]


def test_table_number_column_with_gaps():
    """A missing value among numbers does not move them; a text among them does."""
    gap, seven, text = Cell("-"), Cell("7", is_number=True), Cell("x")
    assert list(draw_table(["GPUS"], [[gap], [seven]], None, plain))[1:] == ["   -", "   7"]
    assert list(draw_table(["GPUS"], [[text], [seven]], None, plain))[1:] == ["x", "7"]


def test_table_truncates_widest_column():
    """A row that is too wide loses characters of its widest column, and says so by an ellipsis."""
    lines = table(["NAME", "STATE"], [["a" * 50, "RUNNING"]], width=30)
    assert lines[1] == "a" * 20 + "…  RUNNING"
    assert max(map(len, lines)) == 30


def test_table_drops_last_columns():
    """On a very narrow terminal the last columns go; the first one always stays."""
    lines = table(["NAME", "STATE", "USER"], [["n" * 20, "SUCCEEDED", "somebody"]], width=19)
    assert lines == ["NAME      STATE", "nnnnnnn…  SUCCEEDED"]
    assert table(["NAME", "STATE"], [["abcdefghij", "RUNNING"]], width=5)[1] == "abcd…"


def test_table_measures_wide_characters():
    """A character that takes two columns of a terminal counts as two."""
    assert cell_width("数据") == 4
    assert cell_width("e\N{COMBINING ACUTE ACCENT}") == 1
    assert table(["A", "B"], [["数据", "x"], ["abcd", "y"]])[1:] == ["数据  x", "abcd  y"]


def test_table_aligns_coloured_cells():
    """Only the text is painted; spaces are counted without colour codes."""
    rows = [[Cell("FAILED", "red"), Cell("x")], [Cell("RUNNING", "cyan"), Cell("y")]]
    lines = list(draw_table(["STATE", "N"], rows, None, lambda t, s: f"<{t}>" if s else t))
    assert lines[1:] == ["<FAILED>   x", "<RUNNING>  y"]


def test_record_has_line_per_value():
    """One thing is shown as one line for each of its values."""
    assert list(draw_record(["Alias", "User"], [Cell("prod"), Cell("alice")], plain)) == [
        "Alias  prod",
        "User   alice",
    ]
