# SPDX-License-Identifier: GPL-3.0-or-later
"""How text is said in any of the languages of espeak-ng, asked from the program where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from .phones import IPA
from .pronunciation import ENGLISH, Pronunciation, PronunciationError

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


def program() -> str | None:
    """The program's path; None where it is not installed."""
    found = shutil.which(PROGRAM)
    return found or next((str(place) for place in _USUAL_PLACES if place.is_file()), None)


def pronounce(text: str, language: str, command: str) -> Pronunciation:
    """The phones (IPA) of each word of a text; numbers and abbreviations are read out in the language's own way.

    Short words are often drawn into one ("of the"). Raises `PronunciationError` for an unknown language.
    """
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
    words = (_phones(word, language) for word in _SWITCH.sub(" ", said.stdout.decode("utf-8", "replace")).split())
    return Pronunciation(tuple(word for word in words if word), IPA)


def _unknown(language: str) -> str:
    return f"espeak-ng knows no language “{language}”; `espeak-ng --voices` lists the ones it knows."


def _phones(word: str, language: str) -> tuple[str, ...]:
    """The phones of a word without stress; the tapped t of American English is a t to lips and listeners alike."""
    phones = tuple(phone for phone in _MARKS.sub("", word).split("_") if phone)
    return tuple("t" if phone == _FLAP else phone for phone in phones) if language.startswith(ENGLISH) else phones
