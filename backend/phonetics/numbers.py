# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as English words, for dictionaries that hold words only."""

from __future__ import annotations

import re

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_SIGNS = {"$": "dollars", "€": "euros", "£": "pounds", "%": "percent"}
_NUMBER = re.compile(r"(?P<before>[$€£]?)(?P<whole>\d+(?:,\d{3})*)(?:\.(?P<part>\d+))?(?P<behind>st|nd|rd|th|%)?")
_LARGEST = 10**15


def spelled_out(text: str) -> str:
    """The text with every number in it written as English words: years, ordinals, decimals, money and percent too."""
    return _NUMBER.sub(lambda found: f" {' '.join(_words(found))} ", text).replace("&", " and ")


def cardinal(number: int) -> list[str]:
    """The words of a whole number; its digits one by one where it has more than 15."""
    if number >= _LARGEST:
        return [_ONES[int(digit)] for digit in str(number)]
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]
    size, name = next((size, name) for size, name in _SCALES if number >= size)
    return [*cardinal(number // size), name, *(cardinal(number % size) if number % size else [])]


def ordinal(number: int) -> list[str]:
    """The words of a place in a row: first, twenty second, hundredth."""
    *before, last = cardinal(number)
    if last in _IRREGULAR:
        return [*before, _IRREGULAR[last]]
    return [*before, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"]


def year(number: int) -> list[str]:
    """A year in two halves: nineteen eighty four, eighteen hundred."""
    century, rest = divmod(number, 100)
    if rest == 0:
        return [*cardinal(century), "hundred"]
    return [*cardinal(century), *(["oh"] if rest < 10 else []), *cardinal(rest)]


def _words(found: re.Match[str]) -> list[str]:
    digits = found["whole"].replace(",", "")
    number, behind, sign = int(digits), found["behind"] or "", _SIGNS.get(found["before"] or found["behind"] or "")
    plain = not (found["part"] or sign)
    if plain and behind:
        return ordinal(number)
    if plain and digits == found["whole"] and (1100 <= number < 2000 or 2010 <= number < 2100):
        return year(number)
    part = ["point", *(_ONES[int(digit)] for digit in found["part"])] if found["part"] else []
    return [*cardinal(number), *part, *([sign] if sign else [])]
