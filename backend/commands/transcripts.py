# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``generate`` about known words: what is spoken, in which language, and where the phones go."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import terminal
from .terminal import BadInput

if TYPE_CHECKING:
    from backend.animating import Listening
    from backend.checkpoint import LoadedModel
    from backend.known_words import Transcript
    from backend.phone_track import PhoneTrack

AUTO = "auto"
"""Stands for the text file beside each sound."""


@dataclass(frozen=True)
class Wish:
    """What was asked for about known words."""

    transcript: str
    """A text, a file, `AUTO`, or empty."""
    language: str
    dictionary: Path | None
    phones: Path | None
    """File or folder for the phone tracks."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has to listen."""
        return not self.transcript and self.phones is None


def add_arguments(parser: ArgumentParser) -> None:
    about = "what is spoken, for the lips to follow: a text, a text file, or auto for the NAME.txt beside each sound"
    parser.add_argument("--transcript", default="", metavar="FILE|TEXT|auto", help=about)
    parser.add_argument(
        "--language", default="en", metavar="CODE", help="of the transcript, as espeak-ng names it (default: en)"
    )
    terminal.add_dictionary(parser)
    about = "also write the phones and their times: a .TextGrid or .json file, or the folder for one per sound"
    parser.add_argument("--phones", type=Path, metavar="PATH", help=about)


def wish(arguments: Namespace) -> Wish:
    """What the options ask for. Raises `BadInput` for what cannot be."""
    from backend import phone_file

    phones, sounds = arguments.phones, arguments.audio
    if len(sounds) > 1 and arguments.transcript not in ("", AUTO):
        raise BadInput("One transcript cannot be that of several sounds; use --transcript auto, with a NAME.txt each.")
    if phones is not None and len(sounds) > 1 and phones.suffix:
        raise BadInput(f"{phones} is one file; name a folder for the phones of {len(sounds)} sounds.")
    if phones is not None and len(sounds) == 1 and not phones.is_dir():
        with terminal.bad_input(phone_file.PhoneFileError):
            phone_file.checked_format(phones)
    return Wish(arguments.transcript.strip(), arguments.language, arguments.dictionary, phones)


def transcript_of(wanted: Wish, sound: Path) -> Transcript | None:
    """What is spoken in a sound, where somebody has said so. Raises `BadInput`."""
    from backend import known_words
    from backend.phonetics.pronunciation import PronunciationError

    with terminal.bad_input(PronunciationError):
        text = _text(wanted.transcript, sound)
    return known_words.Transcript(text, wanted.language, wanted.dictionary) if text is not None else None


def listening(loaded: LoadedModel, wanted: Wish, sound: Path) -> Listening | None:
    """Who listens to a sound, and to what words; None where nobody has to. Raises `BadInput`."""
    from backend import catalogue, checkpoint, hearing, known_words
    from backend.animating import Listening

    if wanted.is_empty:
        return None
    transcript = transcript_of(wanted, sound)
    if wanted.transcript == AUTO and transcript is None:
        terminal.warn(f"{sound.name}: there is no {sound.with_suffix('.txt').name} beside it; its words are not known.")
    if hearing.has_ears(loaded):
        return Listening(loaded, transcript)
    with terminal.bad_input(catalogue.CatalogueError, checkpoint.CheckpointError):
        return Listening(checkpoint.load(catalogue.find(known_words.LISTENER)), transcript)


def note(track: PhoneTrack, wanted: Wish, sound: Path) -> None:
    """Write the phones of a sound where that was asked for, and say what is to be known of them. Raises `BadInput`."""
    from backend import phone_file

    if wanted.phones is not None:
        with terminal.bad_input(phone_file.PhoneFileError):
            phone_file.write(_phones_of(wanted.phones, sound), track.phones)
    if track.note:
        terminal.warn(f"{sound.name}: {track.note}")


def _text(written: str, sound: Path) -> str | None:
    from backend import known_words

    if written == AUTO:
        beside = known_words.sidecar(sound)
        return None if beside is None else known_words.read(beside)
    return known_words.meant(written) if written else None


def _phones_of(path: Path, sound: Path) -> Path:
    """The file of one sound's phones; in a folder, a TextGrid."""
    return path if path.suffix and not path.is_dir() else path / f"{sound.stem}.TextGrid"
