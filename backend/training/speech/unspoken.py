# SPDX-License-Identifier: GPL-3.0-or-later
"""Sounds that nobody speaks in, as a corpus: music played here, and animals, effects and music from Debian packages.

Two packages bring them. tuxpaint-stamps-default has the sounds of its animals beside their names; what lies on other
shelves of it, such as tools, instruments and vehicles, stays out and can be measured with. warmux-data has the music
and the effects of a game, and voices too, which stay out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from backend.audio import SAMPLE_RATE, SHORTEST, AudioError, decode, level
from backend.phonetics.phones import CLASSES, SILENCE, Phone
from backend.training.errors import CorpusError
from tqdm import tqdm

from . import corpus
from .corpus import Recording

PACKAGES = ("tuxpaint-stamps-default", "warmux-data")
"""As `apt-get download` knows them."""
PLAYED = "fluid-soundfont-gm"
"""Source of the music that is played here: whose instruments it is."""
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
"""Where Debian's package puts them."""
LONGEST = 15.0
"""Seconds of one recording of the corpus."""
NO_LANGUAGE = "zxx"
"""ISO 639-2 for what has no language in it."""
_PIECE_SECONDS = 30.0
_PAUSE = 0.25
"""Seconds between short sounds."""
_ENDINGS = (".ogg", ".wav")
_NAMED = "_desc"
"""In the names of sounds that say what a stamp shows."""
_SHELVES = {
    "usr/share/tuxpaint/stamps/animals": f"{PACKAGES[0]}, animals",
    "usr/share/games/warmux/music": f"{PACKAGES[1]}, music",
    "usr/share/games/warmux/sound/default/misc": f"{PACKAGES[1]}, effects",
    "usr/share/games/warmux/sound/default/weapons": f"{PACKAGES[1]}, effects",
}
"""Where which source lies."""
_LICENCE = "GPL-2.0-or-later"
"""Of both packages."""
_LICENCE_PLAYED = "MIT"


@dataclass(frozen=True)
class Unspoken:
    """A folder's sounds, which belong together."""

    name: str
    source: str
    sounds: tuple[Path, ...]


def find(folder: Path) -> list[Unspoken]:
    """The sounds of unpacked packages, folder by folder, but for clicks that are too short to be heard by a model.

    Raises CorpusError where there is none, and for a sound that cannot be read.
    """
    found = [one for shelf, source in _SHELVES.items() for one in _on(folder / shelf, source)]
    if not found:
        wanted = " ".join(PACKAGES)
        raise CorpusError(
            f"{folder} holds no sounds without speech; `apt-get download {wanted}` and unpack each with "
            f"`dpkg-deb -x … {folder}`."
        )
    return found


def write(found: Sequence[Unspoken], pieces: int, folder: Path, seed: int = 1, soundfont: Path = SOUNDFONT) -> float:
    """Writes the corpus of some sounds and of so many pieces of music; returns how many minutes it holds.

    Raises CorpusError for a sound that cannot be read, and where pieces are wanted that nothing here can play.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    recordings = []
    heard = tqdm(_heard(found, pieces, seed, soundfont), "unspoken", len(found) + pieces, unit=" folders and pieces")
    for number, (name, source, samples) in enumerate(heard):
        recordings += [_recording(folder, name, source, number, *cut) for cut in enumerate(_cut(samples))]
    lines = [corpus.write_line(recording) + "\n" for recording in recordings]
    (folder / corpus.MANIFEST).write_text("".join(lines), encoding="utf-8")
    return sum(recording.duration for recording in recordings) / 60


def _on(shelf: Path, source: str) -> Iterator[Unspoken]:
    """One for each folder below."""
    by_folder: dict[Path, list[Path]] = {}
    for sound in sorted(shelf.rglob("*")):
        if sound.suffix in _ENDINGS and _NAMED not in sound.stem and _seconds(sound) >= SHORTEST:
            by_folder.setdefault(sound.parent, []).append(sound)
    for parent, sounds in by_folder.items():
        yield Unspoken("-".join(parent.relative_to(shelf.parent).parts), source, tuple(sounds))


def _seconds(sound: Path) -> float:
    try:
        return soundfile.info(sound).duration
    except soundfile.SoundFileError as error:
        raise CorpusError(f"{sound} is not a sound that can be read: {error}.") from error


def _heard(found: Sequence[Unspoken], pieces: int, seed: int, soundfont: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, source and samples, float32 [n] at 16 kHz, of every folder and of every piece of music."""
    for one in found:
        yield one.name, one.source, _together(one.sounds)
    for number in range(pieces):
        yield "music", PLAYED, _piece(number, seed, soundfont)


def _together(sounds: Sequence[Path]) -> np.ndarray:
    """float32 [n]: some sounds one behind the other, each as loud as it would be made before a model hears it."""
    pause = np.zeros(round(_PAUSE * SAMPLE_RATE), np.float32)
    pieces = []
    for path in sounds:
        try:
            pieces += [level(decode(path)), pause]
        except AudioError as error:
            raise CorpusError(f"{path}: {error}") from error
    return np.concatenate(pieces)


def _piece(number: int, seed: int, soundfont: Path) -> np.ndarray:
    try:
        from . import music
    except ModuleNotFoundError as error:
        raise CorpusError(
            f"Music is written by {error.name}: `pip install {error.name}`, or ask for no pieces."
        ) from error
    return level(music.played(np.random.default_rng((seed, number)), _PIECE_SECONDS, soundfont))


def _cut(samples: np.ndarray) -> list[np.ndarray]:
    """Equal parts of at most `LONGEST` seconds."""
    return np.array_split(samples, int(np.ceil(len(samples) / (LONGEST * SAMPLE_RATE))))


def _recording(folder: Path, name: str, source: str, number: int, part: int, samples: np.ndarray) -> Recording:
    audio = f"audio/{name}-{number:03d}-{part:02d}.flac"
    soundfile.write(folder / audio, np.clip(samples, -1, 1), SAMPLE_RATE)
    seconds = len(samples) / SAMPLE_RATE
    return Recording(
        audio=audio,
        text="",
        speaker=name,
        language=NO_LANGUAGE,
        source=source,
        licence=_LICENCE_PLAYED if source == PLAYED else _LICENCE,
        phones=(Phone(CLASSES[SILENCE], 0.0, seconds),),
        closures=(),
        duration=seconds,
    )
