# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones: names from ARPAbet, IPA and the speech engines, read as the few classes that look different on a mouth."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

CLASSES: tuple[str, ...] = (
    *("sil", "pb", "m", "fv", "th", "td", "n", "l", "sz", "sh", "kg", "ng", "hh", "r", "rr", "w", "y"),
    *("IY", "IH", "EH", "AE", "AA", "AH", "AO", "OW", "UH", "UW", "ER", "UE"),
)
"""Consonants in small letters, vowels in capitals; `rr` is a tapped or trilled r, `UE` a rounded front vowel."""

SILENCE = CLASSES.index("sil")
VOWELS = frozenset(name for name in CLASSES if name.isupper())
BILABIALS = frozenset({"pb", "m"})
LABIODENTALS = frozenset({"fv"})
ARPABET, IPA = "arpabet", "ipa"
FIRST_HALF = 0.55
"""Share of a diphthong that its first vowel takes."""

_ARPABET = {
    "sil": "sil",
    "pau": "sil",
    "sp": "sil",
    "": "sil",
    "h#": "sil",
    "#": "sil",
    "brth": "sil",
    "ssil": "sil",
    "p": "pb",
    "b": "pb",
    "m": "m",
    "em": "m",
    "f": "fv",
    "v": "fv",
    "th": "th",
    "dh": "th",
    "t": "td",
    "d": "td",
    "dx": "td",
    "n": "n",
    "en": "n",
    "nx": "n",
    "l": "l",
    "el": "l",
    "s": "sz",
    "z": "sz",
    "sh": "sh",
    "zh": "sh",
    "ch": "sh",
    "jh": "sh",
    "k": "kg",
    "g": "kg",
    "ng": "ng",
    "hh": "hh",
    "hv": "hh",
    "r": "r",
    "w": "w",
    "wh": "w",
    "y": "y",
    "q": "hh",
    "iy": "IY",
    "ih": "IH",
    "ix": "IH",
    "eh": "EH",
    "ae": "AE",
    "aa": "AA",
    "ah": "AH",
    "ax": "AH",
    "ax-h": "AH",
    "ao": "AO",
    "uh": "UH",
    "uw": "UW",
    "ux": "UW",
    "er": "ER",
    "axr": "ER",
    "ey": "EH IY",
    "ay": "AA IH",
    "oy": "AO IY",
    "aw": "AA UH",
    "ow": "OW UH",
}

ARPABET_NAMES = frozenset(_ARPABET)
"""Every phone of the alphabet, in small letters and without stress."""

_IPA_GROUPS = {
    "pb": "pbɓ",
    "m": "m",
    "fv": "fvʋɸβɱⱱ",
    "th": "θð",
    "td": "tdʈɖɗ",
    "n": "nɳɲɴ",
    "l": "lɫɭʎʟɬɮ",
    "sz": "szʦʣ",
    "sh": "ʃʒɕʑʂʐʧʤʨʥ",
    "kg": "kgɡqɢcɟɠ",
    "ng": "ŋ",
    "hh": "hɦxɣχʁħʕʔçʝɧ",
    "r": "ɹɻ",
    "rr": "rɾʀɽ",
    "w": "wʍɥɰ",
    "y": "j",
    "IY": "i",
    "IH": "ɪɨɯᵻ",
    "EH": "eɛɘε",  # the last is Greek, as espeak-ng writes Danish
    "AE": "æ",
    "AA": "aɑɶ",
    "AH": "ɐəʌɤ",
    "AO": "ɔɒ",
    "OW": "o",
    "UH": "ʊ",
    "UW": "uʉ",
    "ER": "ɜɚɝɞ",
    "UE": "yʏøœɵ",
}
_IPA = {letter: name for name, letters in _IPA_GROUPS.items() for letter in letters}


class Phone(NamedTuple):
    """One phone of a recording; times in seconds."""

    name: str
    start: float
    end: float


def classes_of(name: str, alphabet: str = ARPABET) -> tuple[str, ...]:
    """The mouth classes that one phone passes through: one, or two for a diphthong; empty for a bare modifier.

    ARPAbet names may carry stress digits. Of an affricate only the fricative is kept: its stop is not seen. Pauses,
    p, b, m, f and v have the same names in both alphabets.
    """
    plain = name.lower().rstrip("012")
    if plain in _ARPABET and (alphabet == ARPABET or _ARPABET[plain] == "sil"):
        return tuple(_ARPABET[plain].split())
    letters = [_IPA[letter] for letter in unicodedata.normalize("NFD", name) if letter in _IPA]
    if len(letters) > 1 and letters[0] in ("td", "kg") and letters[1] in ("sz", "sh", "hh"):
        letters = letters[1:]
    return tuple(letter for index, letter in enumerate(letters) if index == 0 or letter != letters[index - 1])


def split(phones: Sequence[Phone], alphabet: str = ARPABET) -> list[Phone]:
    """The same phones with class names for names: diphthongs become two, neighbours of silence become one."""
    parts: list[Phone] = []
    for name, start, end in phones:
        found = classes_of(name, alphabet) or (parts[-1].name if parts else "sil",)
        shares = _shares(len(found))
        for index, part in enumerate(found):
            left, right = start + shares[index] * (end - start), start + shares[index + 1] * (end - start)
            if parts and part == parts[-1].name == "sil":
                parts[-1] = Phone("sil", parts[-1].start, right)
            else:
                parts.append(Phone(part, left, right))
    return parts


def _shares(count: int) -> list[float]:
    return [0.0, FIRST_HALF, 1.0] if count == 2 else [index / count for index in range(count + 1)]


def closures_of(phones: Sequence[Phone]) -> list[tuple[float, float]]:
    """When the lips are shut, one interval for each p, b and m, in seconds.

    A stop is shut from just after its start until its burst, at about three fifths of its length; the murmur of an
    m fills it but for its flanks. The fractions are measured on the engines' own speech (see `stops.py`).
    """
    shut: list[tuple[float, float]] = []
    for name, start, end in phones:
        first = classes_of(name)[:1]
        length = end - start
        if first == ("pb",):
            shut.append((start + 0.008, start + min(max(0.62 * length, 0.035), 0.09)))
        elif first == ("m",):
            shut.append((start + 0.1 * length, end - 0.15 * length))
    return shut
