# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages: people whom Debian's free packages hold, and the words that they say.

Two packages bring texts beside their sounds. tuxpaint-stamps-default has the names of its stamps, read aloud in ten
languages and a few names in others. fillets-ng-data-cs and -nl have the dialogues of a game, acted by two fish and many
others, whose subtitles lie in the Lua scripts of fillets-ng-data. All are read as their packages unpack, below one
folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.training.errors import CorpusError

STAMPS, FILLETS = "tuxpaint-stamps-default", "fillets-ng-data"
PACKAGES = (STAMPS, FILLETS, f"{FILLETS}-cs", f"{FILLETS}-nl")
"""As `apt-get download` knows them."""
_STAMPS_FOLDER = Path("usr/share/tuxpaint/stamps")
_GAME_FOLDER = Path("usr/share/games/fillets-ng")
_TO_BE_FILLED = "%"
"""In subtitles: a number goes here, and several sounds share the line."""
_STAMP = re.compile(r"(?P<stamp>.+)_desc(?:_(?P<language>[A-Za-z_]+))?\.(?:ogg|wav)")
_LINE = re.compile(
    r'dialogId\(\s*"(?P<name>[^"]*)"\s*,\s*"font_(?P<actor>[^"]*)".*?\)\s*dialogStr\(\s*"(?P<text>(?:[^"\\]|\\.)*)"',
    re.S,
)


@dataclass(frozen=True)
class Prompted:
    """One sound file and what is said in it."""

    sound: Path
    text: str
    speaker: str
    language: str
    """As espeak-ng names it."""
    source: str
    licence: str


def find(folder: Path) -> list[Prompted]:
    """All sounds with their words below a folder that packages were unpacked into; raises CorpusError for none."""
    found = [*_dialogues(folder / _GAME_FOLDER), *_stamps(folder / _STAMPS_FOLDER)]
    if not found:
        wanted = " ".join(PACKAGES)
        raise CorpusError(
            f"{folder} holds no recordings; `apt-get download {wanted}` and unpack each with `dpkg-deb -x … {folder}`."
        )
    return found


def _stamps(folder: Path) -> Iterator[Prompted]:
    """bird.txt has the English name in its first line and `fr.utf8=…` behind it; bird_desc_fr.ogg says it."""
    for sound in sorted(folder.rglob("*_desc*.*")):
        match = _STAMP.fullmatch(sound.name)
        names = sound.with_name(f"{match['stamp']}.txt") if match else sound
        if not match or not names.is_file():
            continue
        language = match["language"] or "en"
        text = _name_in(names, language)
        if text:
            code = language.lower().replace("_", "-")
            yield Prompted(sound, text, f"stamps-{code}", code, STAMPS, "GPL-2.0-or-later")


def _name_in(names: Path, language: str) -> str:
    english, *others = names.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    by_language = dict(line.split(".utf8=", 1) for line in others if ".utf8=" in line)
    return (english if language == "en" else by_language.get(language, "")).strip()


def _dialogues(folder: Path) -> Iterator[Prompted]:
    """script/LEVEL/…LANGUAGE.lua names each line of a dialogue; LANGUAGE/NAME.ogg somewhere in sound/LEVEL says it."""
    for script in sorted((folder / "script").rglob("*_??.lua")):
        language = script.stem[-2:]
        level = folder / "sound" / script.parent.relative_to(folder / "script")
        sounds = {sound.stem: sound for sound in sorted(level.rglob(f"{language}/*.ogg"))}
        for match in _LINE.finditer(script.read_text(encoding="utf-8", errors="replace")) if sounds else ():
            text = match["text"].replace('\\"', '"').replace("\\n", " ")
            if match["name"] in sounds and _TO_BE_FILLED not in text:
                speaker = f"fillets-{language}-{match['actor']}"
                yield Prompted(sounds[match["name"]], text, speaker, language, FILLETS, "GPL-2.0-only")
