# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about how a text is said."""

from __future__ import annotations

from dataclasses import dataclass

ENGLISH = "en"


class PronunciationError(Exception):
    """A text cannot be turned into phones; the sentence says why and what to do."""


@dataclass(frozen=True)
class Pronunciation:
    """The phones of a text, word by word."""

    words: tuple[tuple[str, ...], ...]
    alphabet: str
    """`phones.ARPABET` or `phones.IPA`."""
    guessed: tuple[str, ...] = ()
    """Words that were read letter by letter because no dictionary has them."""
