# SPDX-License-Identifier: GPL-3.0-or-later
"""TextGrid: what Praat and forced aligners write about a recording, read from both of its text forms.

By Praat's manual ("TextGrid file formats") only strings in quotes, numbers that stand alone and flags such as <exists>
count in a text file; all else, as the words of the long form, is for people. So both forms are read in the same way.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.training.errors import CorpusError

ENDING = ".TextGrid"
_INTERVALS = "IntervalTier"
_TOKEN = re.compile(r'"(?P<text>[^"]*(?:""[^"]*)*)"|!.*|(?P<word>[^\s"!]+)')
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_OVERLAP = 0.001
"""Seconds; aligners round each time for itself."""


class Interval(NamedTuple):
    """One interval of a tier; times in seconds."""

    text: str
    start: float
    end: float


def read(path: Path) -> dict[str, list[Interval]]:
    """The interval tiers of a file by their names, in its order; tiers of points are left out.

    UTF-8, or UTF-16 with its byte order mark. Raises CorpusError with one sentence that names the file.
    """
    try:
        return _tiers(_tokens(_decoded(path.read_bytes())))
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror}).") from error
    except StopIteration as error:
        raise CorpusError(f"{path} ends in the middle of a tier; make or copy it again.") from error
    except ValueError as error:
        raise CorpusError(f"{path} is no TextGrid that can be read: {error}.") from error


def _decoded(content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if marked else "utf-8-sig")


def _tokens(content: str) -> Iterator[str | float]:
    """What counts in the file: strings without their quotes, and numbers."""
    for match in _TOKEN.finditer(content):
        if match["text"] is not None:
            yield match["text"].replace('""', '"')
        elif match["word"] is not None and _NUMBER.fullmatch(match["word"]):
            yield float(match["word"])


def _tiers(tokens: Iterator[str | float]) -> dict[str, list[Interval]]:
    kind, what = next(tokens, ""), next(tokens, "")
    if not str(kind).startswith("ooTextFile") or what != "TextGrid":
        raise ValueError("it does not begin as one; in Praat, choose Save as text file")
    _span(tokens)
    tiers: dict[str, list[Interval]] = {}
    for _ in range(_count(tokens)):
        kind, name = _text(tokens), _text(tokens)
        _span(tokens)
        if kind == _INTERVALS:
            tiers.setdefault(name, _intervals(tokens))
        else:
            _skip_points(tokens)
    return tiers


def _intervals(tokens: Iterator[str | float]) -> list[Interval]:
    intervals: list[Interval] = []
    for _ in range(_count(tokens)):
        start, end = _span(tokens)
        if intervals and start < intervals[-1].end - _OVERLAP:
            raise ValueError(f"intervals overlap at {start:g} s")
        intervals.append(Interval(_text(tokens), start, end))
    return intervals


def _skip_points(tokens: Iterator[str | float]) -> None:
    for _ in range(_count(tokens)):
        _number(tokens)
        _text(tokens)


def _span(tokens: Iterator[str | float]) -> tuple[float, float]:
    start, end = _number(tokens), _number(tokens)
    if not 0 <= start <= end:
        raise ValueError(f"{start:g} to {end:g} s is no stretch of time")
    return start, end


def _count(tokens: Iterator[str | float]) -> int:
    number = _number(tokens)
    if not (number >= 0 and number.is_integer()):
        raise ValueError(f"{number:g} is no number of things")
    return int(number)


def _number(tokens: Iterator[str | float]) -> float:
    token = next(tokens)
    if isinstance(token, str):
        raise ValueError(f"“{token[:40]}” stands where a number belongs")
    return token


def _text(tokens: Iterator[str | float]) -> str:
    token = next(tokens)
    if not isinstance(token, str):
        raise ValueError(f"{token:g} stands where a text belongs")
    return token
