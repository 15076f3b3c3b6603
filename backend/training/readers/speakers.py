# SPDX-License-Identifier: GPL-3.0-or-later
"""Speakers: a corpus of `synthesize` as annotated motion, every voice with a manner of its own and every mood seen.

Every recording is there twice, the second time in the manner of another speaker: a model that only ever sees a manner
with its voice need not ask who is to move.

The lower face is what the rules make of the phones (`lips.rules`) as the speaker articulates (`lips.voices`) in
the mood of the recording (`lips.moods`), the rest of the face is drawn for every recording (`lips.life`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from backend.audio import SAMPLE_RATE, AudioError, decode
from backend.face import arkit
from backend.phonetics.phones import split
from backend.training.errors import CorpusError
from backend.training.lips import life, moods, rules, voices
from backend.training.lips.prepare import loudness_of
from backend.training.motion.clip import REDUCTIONS, ClipError
from backend.training.speech import corpus
from backend.training.speech.corpus import Recording

from .annotated import AnnotatedClip, DataSet, drawn_split

FPS = 60.0
HEARD = 6
"""Recordings of a speaker by which their voice is judged."""
BORROWED = "-borrowed"
"""How the name of a clip ends whose motion is in another speaker's manner."""


class Speaker:
    """Somebody in a corpus; their voice is listened to when somebody asks for their manner."""

    def __init__(self, folder: Path, recordings: list[Recording]) -> None:
        calm = [each for each in recordings if not each.emotions and each.effort == "plain"]
        self._folder, self._recordings = folder, (calm or recordings)[:HEARD]

    @cached_property
    def manner(self) -> voices.Manner:
        """How the speaker moves. Raises ClipError for a sound that cannot be read."""
        sounds = [_sound(self._folder / recording.audio) for recording in self._recordings]
        return voices.manner_of(
            voices.sound_of(sounds, [split(each.phones, each.alphabet) for each in self._recordings])
        )


def read(folder: Path) -> list[DataSet]:
    """The synthesized speakers of a corpus folder. Raises CorpusError."""
    recordings = corpus.read(folder)
    if not recordings:
        raise CorpusError(f"{folder} holds no recording; make some with `synthesize`.")
    names = tuple(sorted({recording.speaker for recording in recordings}))
    people = {name: Speaker(folder, [each for each in recordings if each.speaker == name]) for name in names}
    space = arkit(FPS / REDUCTIONS[int(FPS)])
    by_name = {_name_of(recording): recording for recording in recordings}
    own = drawn_split(_clip(folder, recording, name, people[recording.speaker]) for name, recording in by_name.items())
    borrowed = [_borrowed(folder, clip, by_name[clip.name], people) for clip in own if len(people) > 1]
    clips = tuple(sorted([*own, *borrowed], key=lambda clip: clip.name))
    return [DataSet(folder.resolve().name, space, names, clips, cut_long=True, level=True)]


def _name_of(recording: Recording) -> str:
    return Path(recording.audio).with_suffix("").as_posix()


def _clip(folder: Path, recording: Recording, name: str, speaker: Speaker) -> AnnotatedClip:
    return AnnotatedClip(
        name,
        folder / corpus.MANIFEST,
        folder / recording.audio,
        partial(_motion, folder, recording, name, speaker),
        FPS,
        arkit(FPS).name,
        recording.speaker,
        "train",
        emotions=recording.emotions,
    )


def _borrowed(folder: Path, clip: AnnotatedClip, recording: Recording, people: dict[str, Speaker]) -> AnnotatedClip:
    """The same recording, of the same split, in the manner of somebody else."""
    others = [name for name in sorted(people) if name != clip.identity]
    other = others[_number_of(clip.name) % len(others)]
    name = f"{clip.name}{BORROWED}"
    made = _clip(folder, recording, name, people[other])
    return replace(made, identity=other, voice=clip.identity, split=clip.split)


def _number_of(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def _motion(folder: Path, recording: Recording, name: str, speaker: Speaker, _manifest: Path) -> np.ndarray:
    """float32 [frames, 52] at 60 frames per second, the same in every run. Raises ClipError."""
    samples = _sound(folder / recording.audio)
    frames = round(len(samples) / SAMPLE_RATE * FPS)
    loudness = [loudness_of(samples, phone) for phone in recording.phones]
    speech = rules.Speech(recording.phones, recording.shut(), loudness, recording.alphabet)
    manner = moods.moody(speaker.manner, recording.emotions)
    mouth = rules.to_arkit(voices.articulated(rules.weights(speech, frames, FPS), manner))
    random = np.random.default_rng(_number_of(name))
    parts, felt = split(recording.phones, recording.alphabet), moods.expression(recording.emotions)
    return life.lively(mouth, FPS, parts, manner, felt, random)


def _sound(path: Path) -> np.ndarray:
    try:
        return decode(path)
    except AudioError as error:
        raise ClipError(f"{path} cannot be used: {error}") from error
