# SPDX-License-Identifier: GPL-3.0-or-later
"""Known words: from what somebody has written down to the phones of a sound and to lips that follow them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import closures, hearing, phone_track
from .closures import Lips
from .hearing import Ears
from .phone_track import PhoneSearch, PhoneTrack
from .phonetics import words
from .phonetics.pronunciation import ENGLISH, Pronunciation, PronunciationError
from .sound import Samples

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .planning import Plan

LISTENER = "default"
"""The model that listens for those that have no phone head of their own."""
SIDECAR = ".txt"


@dataclass(frozen=True)
class Transcript:
    """What is spoken, as written down."""

    text: str
    language: str = ENGLISH
    """A language of espeak-ng, such as ``de`` or ``pt-br``."""
    dictionary: Path | None = None
    """The user's own pronunciation dictionary, which goes before everything else for the words that it has."""


def pronounced(transcript: Transcript | None) -> Pronunciation | None:
    """How a transcript is said; None without one. Raises `PronunciationError` where nothing tells."""
    if transcript is None:
        return None
    return words.pronounce(transcript.text, transcript.language, transcript.dictionary)


def listen(
    listener: LoadedModel,
    samples: Samples,
    transcript: Transcript | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> PhoneTrack:
    """The phones of `samples`, by the transcript where there is one and it fits.

    Raises `PronunciationError` where nothing tells how the transcript is said; `go_on` may raise to stop.
    """
    search = PhoneSearch(pronounced(transcript))
    hearing.attend(Ears(listener, search.hear), samples, go_on)
    return search.track(len(samples))


def lips(track: PhoneTrack, planned: Plan) -> Lips | None:
    """What the lips of a planned motion have to follow; None where they are left to the model.

    That is without a transcript that fits, and where no words `lead` the lips.
    """
    return phone_track.lips(track.phones) if track.follows_transcript and lead(planned) else None


def lead(planned: Plan) -> bool:
    """Whether words that are known lead the lips of a planned motion: not if it is raw or has no ARKit lips."""
    return not planned.raw and closures.can_follow(planned.channels)


def about(track: PhoneTrack | None) -> dict[str, str | bool]:
    """What a motion should carry about its transcript; plain JSON values."""
    return {} if track is None else {"follows_transcript": track.follows_transcript, "transcript_note": track.note}


def rows(track: PhoneTrack | None) -> dict[str, list[list[str | float]]]:
    """The phones as a motion file carries them: name, viseme, start and end in seconds."""
    return (
        {}
        if track is None
        else {"phones": [[p.name, p.viseme, round(p.start, 4), round(p.end, 4)] for p in track.phones]}
    )


def sidecar(sound: Path) -> Path | None:
    """The transcript that lies beside a sound under its name: talk.txt beside talk.wav; None where there is none."""
    path = sound.with_suffix(SIDECAR)
    return path if path.is_file() else None


def meant(written: str) -> str:
    """What a command was told to be spoken: the text of a file of that name where there is one, else the words.

    Raises `PronunciationError` for a file that cannot be read, and for the name of a text file that is not there.
    """
    return read(Path(written)) if written.lower().endswith(SIDECAR) or _is_file(written) else written


def read(path: Path) -> str:
    """The text of a transcript file in UTF-8. Raises `PronunciationError`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PronunciationError(f"The transcript {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise PronunciationError(f"The transcript {path} is not in UTF-8; save it as UTF-8 text.") from error


def _is_file(written: str) -> bool:
    try:
        return Path(written).is_file()
    except (OSError, ValueError):  # longer than any name can be, or with a null character
        return False
