# SPDX-License-Identifier: GPL-3.0-or-later
"""What is spoken, as written down: in text files beside sounds, and in the words of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from . import phones
from .errors import BadInput

if TYPE_CHECKING:
    from bpy.types import SoundStrip

    from .choice import Choice

AUTO = "auto"
"""On the command line: the text file beside the sound."""
SIDECAR = ".txt"


def beside(sound: str | SoundStrip) -> Path | None:
    """The transcript beside a sound file or a strip's: talk.txt beside talk.wav; None where there is none."""
    path = Path(bpy.path.abspath(sound) if isinstance(sound, str) else _file_of(sound)).with_suffix(SIDECAR)
    return path if path.is_file() else None


def read(path: Path) -> str:
    """The text of a file in UTF-8; raises `BadInput`."""
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except OSError as problem:
        raise BadInput(f"The transcript “{path}” cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise BadInput(f"The transcript “{path}” is not in UTF-8. Save it as UTF-8 text.") from problem


def meant(written: str) -> str:
    """What a command was told to be spoken: the text of a file of that name where there is one, else the words.

    The backend's own command reads it alike. Raises `BadInput` for a file that cannot be read, and for the name of a
    text file that is not there.
    """
    return read(Path(written)) if written.lower().endswith(SIDECAR) or _is_file(written) else written


def completed(choice: Choice, strip: SoundStrip | None) -> Choice:
    """The choice with the text beside its sound, where that is what it asks for; raises `BadInput`."""
    if not choice.sidecar:
        return choice
    path = beside(strip or choice.audio)
    return replace(choice, transcript=read(path) if path else "")


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the options about words and phones."""
    group = parser.add_argument_group("known words")
    about = "what is spoken: a text, a text file, or auto for the text file beside the sound"
    group.add_argument("--transcript", default="", metavar="FILE|TEXT|auto", help=about)
    group.add_argument("--language", default="en", metavar="CODE", help="of the transcript (default: en)")
    group.add_argument("--phones", default="", metavar="FILE", help="save the phones: .TextGrid, or .json to edit")
    group.add_argument("--visemes", default="", metavar="FILE.json", help="phones with edited strengths")


def told(choice: Choice, said: Mapping[str, Any]) -> Choice:
    """The choice with what the options of `add` say; raises `BadInput` for a file that cannot be read."""
    text = str(said["transcript"]).strip()
    return replace(
        choice,
        transcript="" if text == AUTO else meant(text),
        sidecar=text == AUTO,
        language=str(said["language"]),
        visemes=phones.read(Path(said["visemes"])) if said["visemes"] else (),
        phones_file=str(said["phones"]),
    )


def _is_file(written: str) -> bool:
    try:
        return Path(written).is_file()
    except (OSError, ValueError):  # longer than any name can be, or with a null character
        return False


def _file_of(strip: SoundStrip) -> str:
    return bpy.path.abspath(strip.sound.filepath, library=strip.sound.library)
