# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about how a text is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

ENGLISH = "en"
MOST_LISTED = 20


class PronunciationError(Exception):
    """A text cannot be turned into phones; the sentence says why and what to do."""


class Word(NamedTuple):
    """How one word is said."""

    phones: tuple[str, ...]
    """Empty where nothing tells: something is said there, and nobody knows what it sounds like."""
    alphabet: str
    """`phones.ARPABET` or `phones.IPA`, as the source of the word writes it."""


@dataclass(frozen=True)
class Pronunciation:
    """The phones of a text, word by word."""

    words: tuple[Word, ...] = ()
    guessed: tuple[str, ...] = ()
    """Words that were read letter by letter because no dictionary has them."""
    unknown: tuple[str, ...] = ()
    """Words, numbers and signs that nothing tells the sound of: those without phones."""


def listed(words: Sequence[str]) -> str:
    """Words for a sentence: all of them, or the first `MOST_LISTED` and how many there are beside."""
    more = len(words) - MOST_LISTED
    return ", ".join(words[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
