"""Suggestions for misspelled words."""

from __future__ import annotations

from typing import Iterable

__all__ = ["did_you_mean", "nearest_words"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known word, else an empty text."""
    near = nearest_words(word, known)
    return f"Did you mean '{near[0]}'?" if near else ""


def nearest_words(
    word: str, known: Iterable[str], most: int = 1, *, similarity: float = 0.6
) -> list[str]:
    """Return the known words that are like a word, the nearest first; case does not count.

    Args:
        word: What was written.
        known: What may be meant.
        most: How many to return.
        similarity: From 0 to 1 for the same word (:meth:`difflib.SequenceMatcher.ratio`).
    """
    from difflib import get_close_matches

    by_fold = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(by_fold), n=most, cutoff=similarity)
    return [by_fold[name] for name in near]
