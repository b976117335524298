"""Durations and sizes."""

from __future__ import annotations

import pytest

from openpai.core.errors import ConfigError
from openpai.core.units import (
    format_duration,
    format_size,
    mebibytes,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (5, 5),
        (0.5, 0.5),
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1d12h", 129600),
        ("1.5h", 5400),
        ("2d", 172800),
    ],
)
def test_parse_duration_adds_units(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "10x", "h1", "1h 30m", "10 m", "-5", "5y", "nan", "inf", -1]
)
def test_parse_duration_refuses_other_text(text):
    with pytest.raises(ValueError, match=r"invalid duration '.*': write 90s, 10m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "units", "text"),
    [
        (0, 2, "0s"),
        (45.9, 2, "45s"),
        (3725, 2, "1h 2m"),
        (3725, 1, "1h"),
        (90061, 2, "1d 1h"),
        (3601, 2, "1h 1s"),
    ],
)
def test_format_duration_shows_the_largest_units(seconds, units, text):
    assert format_duration(seconds, units) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [("500K", 512000), ("10M", 10 << 20), ("1.5g", 3 << 29), ("7", 7), ("16 GB", 1 << 34)],
)
def test_parse_size_uses_powers_of_1024(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "g", "1.5.2g", "8x", "-1", "0", "²"])
def test_parse_size_refuses_other_text(text):
    with pytest.raises(ValueError, match="invalid size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")]
)
def test_format_size(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("amount", "mib"), [(4096, 4096), ("512", 512), ("8GB", 8192), (" 512m ", 512), ("1.5g", 1536)]
)
def test_memory_amount_is_parsed(amount: int | str, mib: int) -> None:
    """A number is MiB; a unit may follow."""
    assert mebibytes(amount) == mib


@pytest.mark.parametrize("amount", ["", "g", "1.5.2g", "8x", "-1", "0", 0, "²"])
def test_invalid_memory_amount_raises(amount: int | str) -> None:
    """The sentence says what to write."""
    with pytest.raises(ConfigError, match="8192 for MiB"):
        mebibytes(amount)
