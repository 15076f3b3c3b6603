# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the bench: synthesized speech, the faces that speak it, data sets as published ones lie on a disk, prepared.

Nothing that is there is made again, so that a run which was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from backend.audio import decode
from backend.phonetics.phones import CLASSES
from backend.training.motion import motion_set, prepare
from backend.training.motion.evaluate import Options
from backend.training.motion.motion_set import MotionSet
from backend.training.speech import corpus, prompts, synthesize
from backend.training.speech.spoken import Prompt

from . import conventions, layouts, performance, surfaces
from .conventions import FlameLike
from .layouts import Take
from .mask import Mask, of_rings, of_rows
from .sets import FLAME, GRID, PHONES, RINGS, SETS, SHARES, UNSEEN, BenchSet

ONE_SHOT = "one-sentence"
_SHAPES = 3
"""Shape coefficients that tell the speakers of the FLAME-like set apart."""


@dataclass(frozen=True)
class Size:
    """How much is made."""

    voices: int | None = None
    """Of every data set at most; None for all."""
    sentences: int | None = None
    components: int = 64

    def of(self, about: BenchSet) -> tuple[int, int]:
        """Voices and sentences of a data set."""
        return min(len(about.voices), self.voices or len(about.voices)), self.sentences or about.sentences


FULL = Size()
QUICK = Size(voices=2, sentences=10, components=24)
"""Ten sentences are the fewest of which a tenth is left for a test."""


@dataclass(frozen=True, eq=False)
class Bench:
    """The prepared data sets and what measuring them needs."""

    sets: dict[str, MotionSet]
    """By the names in `sets`, with PHONES."""
    shares: dict[str, MotionSet]
    """The unseen data set with less to train on: `1`, `1/2`, … and `ONE_SHOT`."""
    options: Options
    """Meshes of weights and parameters, and the regions of all faces."""


def make(folder: Path, size: Size, processes: int) -> Bench:
    """Everything in a folder. Raises EngineError for a missing speech engine, CorpusError, OSError."""
    takes = _speak(folder / "speech", size, processes)
    for about in (*SETS, PHONES):
        layouts.once(folder / "published" / about.name, lambda home, a=about: _write(home, a, takes[a.name]))
    prepared = {about.name: _prepare(folder, about.layout, about.name, "prepared", size) for about in (*SETS, PHONES)}
    names = (*map(share_name, SHARES), ONE_SHOT)
    shares = {name: _share(folder, takes[UNSEEN.name], size, name) for name in names}
    return Bench(prepared, shares, surfaces.write(folder))


def share_name(fewer: int) -> str:
    """`1/4` for four times fewer sentences."""
    return "1" if fewer == 1 else f"1/{fewer}"


def _speak(folder: Path, size: Size, processes: int) -> dict[str, list[Take]]:
    """The sentences of every data set, by its name; those that were spoken before are kept."""
    utterances = [each for about in (*SETS, PHONES) for each in _utterances(about, *size.of(about))]
    found = corpus.read(folder) if (folder / corpus.MANIFEST).is_file() else []
    if len(found) < len(utterances):
        synthesize.synthesize(folder, utterances, processes)
        found = corpus.read(folder)
    by_stem = {Path(recording.audio).stem: recording for recording in found}
    return {
        about.name: [_take(folder, about, by_stem[name]) for name, _ in _utterances(about, *size.of(about))]
        for about in (*SETS, PHONES)
    }


def _utterances(about: BenchSet, voices: int, sentences: int) -> Iterator[tuple[str, Prompt]]:
    """Names as `grid-00-000`, with the number of the speaker and that of the sentence."""
    for speaker, voice in enumerate(about.voices[:voices]):
        pitch = Random(f"{about.name} {speaker}").random()
        for sentence in range(sentences):
            random = Random(f"{about.name} {speaker} {sentence}")
            text = prompts.compose(voice.language, random)
            stretch, liveliness = random.uniform(*about.stretch), random.random()
            prompt = Prompt(voice.engine, voice.name, voice.language, text, stretch, pitch, liveliness)
            yield f"{about.name}-{speaker:02}-{sentence:03}", prompt


def _take(speech: Path, about: BenchSet, recording: corpus.Recording) -> Take:
    sound = speech / recording.audio
    _, speaker, sentence = sound.stem.split("-")
    annotate = partial(_motion, about, int(speaker), recording, sound)
    return Take(int(speaker), int(sentence), sound, annotate)


def _motion(about: BenchSet, speaker: int, recording: corpus.Recording, sound: Path) -> np.ndarray:
    """float32 [frames, dim]: a sentence as the data set annotates it."""
    samples = decode(sound)
    if about is PHONES:
        return performance.phone_classes(recording, samples, about.fps)
    who = f"{about.name} {speaker}"
    values = performance.controls(recording, samples, performance.manner(who, about.exaggeration), about.fps)
    random = performance.random_of(sound.stem)
    match about.space:
        case GRID.space:
            return conventions.vertices(values, _face(of_rows(), who), 1.0, random)
        case RINGS.space:
            return conventions.vertices(values, _face(of_rings(), who), conventions.MILLIMETRES, random)
        case FLAME.space:
            return FlameLike(conventions.parameter_mesh()).parameters(values, _shape(who), random)
        case "3DETF_blendshape_weight":
            return conventions.fitted_weights(values, random)
        case "arkit":
            return conventions.captured_weights(values, random)
        case _:
            return conventions.sliders(values)


def _face(mesh: Mask, who: str) -> conventions.Face:
    return conventions.face(mesh, performance.random_of(who))


def _shape(who: str) -> np.ndarray:
    return performance.random_of(who).normal(0, 1, _SHAPES)


def _write(home: Path, about: BenchSet, takes: Sequence[Take]) -> None:
    match about.layout:
        case "unitalker":
            layouts.write_unitalker(home, about, takes, _templates(about, takes), _scale(about))
        case "3d-etf":
            layouts.write_etf(home, takes)
        case "beat":
            layouts.write_beat(home, takes)
        case _:
            names = CLASSES if about is PHONES else tuple(conventions.SLIDERS)
            layouts.write_clips(home, about, takes, names)


def _scale(about: BenchSet) -> float:
    return 1 / conventions.MILLIMETRES if about.unit == "mm" else 1.0


def _templates(about: BenchSet, takes: Sequence[Take]) -> np.ndarray:
    """[speakers, dim] in the data set's own unit."""
    names = [f"{about.name} {speaker}" for speaker in sorted({take.speaker for take in takes})]
    if about is FLAME:
        shapes = np.stack([_shape(name) for name in names])
        return np.pad(shapes, ((0, 0), (0, 413 - _SHAPES)))
    mesh = of_rows() if about is GRID else of_rings()
    return np.stack([_face(mesh, name).neutral.reshape(-1) for name in names]) / _scale(about)


def _share(folder: Path, takes: Sequence[Take], size: Size, name: str) -> MotionSet:
    """The unseen data set with fewer sentences, prepared as if there had never been more."""
    published = folder / "published"
    home, base = published / f"{UNSEEN.name}-{name.replace('/', 'of')}", published / UNSEEN.name
    trained = size.of(UNSEEN)[1] - layouts.VALIDATED - layouts.TESTED

    def write(partial: Path) -> None:
        fewer, speakers = (trained, 1) if name == ONE_SHOT else (int(name.rpartition("/")[2]), 0)
        layouts.write_lists(partial, base, UNSEEN, takes, _scale(UNSEEN), fewer, speakers)
        (partial / "id_template.npy").write_bytes((base / "id_template.npy").read_bytes())

    layouts.once(home, write)
    return _prepare(folder, UNSEEN.layout, home.name, "shares", size)


def _prepare(folder: Path, layout: str, name: str, output: str, size: Size) -> MotionSet:
    home = folder / output / name
    if not (home / motion_set.MANIFEST).is_file():
        options = prepare.Options(strict=True, components=size.components)
        prepare.prepare(layout, folder / "published" / name, folder / output, options, name)
    (found,) = motion_set.read([home])
    return found
