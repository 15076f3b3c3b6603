# SPDX-License-Identifier: GPL-3.0-or-later
"""How text is said in any of the languages of espeak-ng, asked from the program where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from .phones import IPA
from .pronunciation import ENGLISH, Pronunciation, PronunciationError, Word

PROGRAM = "espeak-ng"
SECONDS = 120
"""How long the program may take; it reads a book in less."""
_USUAL_PLACES = (
    Path("C:/Program Files/eSpeak NG/espeak-ng.exe"),
    Path("/opt/homebrew/bin/espeak-ng"),
    Path("/usr/local/bin/espeak-ng"),
)
"""Where installers put it without telling the PATH that Blender hands on."""
_VOICES = {ENGLISH: "en-us"}
"""Voices for languages whose plain name stands for a narrower accent: `en` is British, and drops most of its r's."""
_LANGUAGE = re.compile(r"[a-z]{2,4}(-[a-z0-9]+)*", re.IGNORECASE | re.ASCII)
"""How languages are named. espeak-ng would take other words for paths to voice files."""
_SWITCH = re.compile(r"\([^)]*\)")
_MARKS = re.compile("[ˈˌ]")
_FLAP = "ɾ"
_BETWEEN = "xqzxqz"
"""A word that nobody says, a paragraph of its own: it sounds alike each time, and parts what the program answers."""


def program() -> str | None:
    """The program's path; None where it is not installed."""
    found = shutil.which(PROGRAM)
    return found or next((str(place) for place in _USUAL_PLACES if place.is_file()), None)


def pronounce(text: str, language: str, command: str) -> Pronunciation:
    """The phones (IPA) of each word of a text; numbers and abbreviations are read out in the language's own way.

    Short words are often drawn into one ("of the"). Raises `PronunciationError` for an unknown language.
    """
    return _pronunciation(_lines(text, language, command), language)


def pronounce_each(texts: Sequence[str], language: str, command: str) -> list[Pronunciation]:
    """`pronounce` for several texts, all in one call of the program."""
    if len(texts) == 1:
        return [pronounce(texts[0], language, command)]
    lines = _lines(f"\n\n{_BETWEEN}\n\n".join(["", *texts]), language, command)
    marks = [number for number, line in enumerate(lines) if line == lines[0]]
    if len(marks) != len(texts):  # somebody does say the word
        return [pronounce(text, language, command) for text in texts]
    pieces = (lines[mark + 1 : until] for mark, until in pairwise([*marks, len(lines)]))
    return [_pronunciation(piece, language) for piece in pieces]


def _lines(text: str, language: str, command: str) -> list[str]:
    """What the program answers: a line for each clause, none of them empty."""
    if not _LANGUAGE.fullmatch(language):
        raise PronunciationError(_unknown(language))
    asked = [command, "-q", "--ipa", "--sep=_", "-b", "1", "-v", _VOICES.get(language, language), "--stdin"]
    try:
        said = subprocess.run(
            asked, input=text.encode("utf-8", "replace"), capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PronunciationError(f"espeak-ng does not work here ({error}); install it again.") from error
    if said.returncode:
        raise PronunciationError(_unknown(language))
    return [line for line in said.stdout.decode("utf-8", "replace").splitlines() if line.strip()]


def _pronunciation(lines: Iterable[str], language: str) -> Pronunciation:
    words = (_phones(word, language) for word in _SWITCH.sub(" ", "\n".join(lines)).split())
    return Pronunciation(tuple(Word(word, IPA) for word in words if word))


def _unknown(language: str) -> str:
    return f"espeak-ng knows no language “{language}”; `espeak-ng --voices` lists the ones it knows."


def _phones(word: str, language: str) -> tuple[str, ...]:
    """The phones of a word without stress; the tapped t of American English is a t to lips and listeners alike."""
    phones = tuple(phone for phone in _MARKS.sub("", word).split("_") if phone)
    return tuple("t" if phone == _FLAP else phone for phone in phones) if language.startswith(ENGLISH) else phones
