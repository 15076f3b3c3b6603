# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthesize: a corpus of speech with known phone times, from free speech engines and our own prompts."""

from __future__ import annotations

import multiprocessing
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from types import ModuleType

import numpy as np
import soundfile
import soxr
from backend.phonetics.phones import Phone, closures_of
from backend.settings import SettingsError, from_plain
from backend.training.errors import ConfigError, EngineError
from tqdm import tqdm

from . import corpus, espeak, festival, flite, moods
from .corpus import Recording
from .effort import Effort, shouted, whispered
from .prompts import compose
from .spoken import Prompt, Spoken
from .stops import band_level, snapped_closures

ENGINES: dict[str, ModuleType] = {"espeak": espeak, "flite": flite, "festival": festival}
RATE = 16000
LICENCE = "GPL-3.0-or-later (synthesized by this project)"
_SLOWER = 1.15
"""Factor of a shout's length, whose vowels last longer. By how much is our choice, here and below."""
_LOUDER, _SOFTER = 3.0, 9.0
"""Decibels of a shout above the usual peak, and of a whisper below it. An angry shout still fits below full scale."""


@dataclass(frozen=True)
class VoiceSet:
    """Some voices of one engine and how many utterances they share."""

    name: str
    engine: str
    voices: tuple[str, ...]
    """Voice names of the engine; for espeak-ng LANGUAGE, to be joined with one of `variants`."""
    utterances: int
    language: str = ""
    """The prompts to read; empty = the first letters of the voice name."""
    variants: tuple[str, ...] = ()
    stretch: tuple[float, ...] = (0.8, 1.3)
    """Lowest and highest; above 1 speaks slower."""
    emotional: float = 0.0
    """Share of the utterances that are spoken with an emotion (`moods`)."""
    whispered: float = 0.0
    """Share of the utterances that are whispered: what people whisper is spoken, and then made a whisper (`effort`)."""
    shouted: float = 0.0
    """Share of the utterances that are shouted; with `whispered` at most 1."""

    def __post_init__(self) -> None:
        if not (self.whispered >= 0 and self.shouted >= 0 and self.whispered + self.shouted <= 1):
            raise ValueError("the shares whispered and shouted are 0 or more, and at most 1 together")


@dataclass(frozen=True)
class CorpusPlan:
    """A corpus config."""

    sets: tuple[VoiceSet, ...]


def read_plan(path: Path) -> tuple[VoiceSet, ...]:
    """The voice sets of a corpus config such as `configs/corpus.toml`; raises ConfigError."""
    try:
        return from_plain(CorpusPlan, tomllib.loads(path.read_text(encoding="utf-8")), "config").sets
    except (OSError, tomllib.TOMLDecodeError, SettingsError) as error:
        raise ConfigError(f"The config {path} is wrong: {error}.") from error


def plan(sets: tuple[VoiceSet, ...], seed: int, scale: float = 1.0) -> Iterator[tuple[str, Prompt]]:
    """All utterances as (name, prompt): the same for the same seed, whatever was made before."""
    for voice_set in sets:
        for index in range(max(round(voice_set.utterances * scale), 1)):
            name = f"{voice_set.name}-{index:05d}"
            # drawn apart, so that whatever share is whispered or shouted, all others are spoken as they were without
            effort = _drawn_effort(voice_set, Random(f"{seed} {name} effort"))
            yield name, _prompt(voice_set, effort, Random(f"{seed} {name}"))


def synthesize(folder: Path, utterances: list[tuple[str, Prompt]], processes: int) -> int:
    """Speaks what the folder does not have yet; returns how many recordings it has then.

    The manifest grows by whole lines, so a killed run goes on where it stopped. Raises EngineError for a missing
    engine and CorpusError for a broken manifest.
    """
    manifest = folder / corpus.MANIFEST
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    done = {Path(recording.audio).stem for recording in corpus.read(folder)} if manifest.is_file() else set()
    missing = [(name, prompt) for name, prompt in utterances if name not in done]
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool, manifest.open("a", encoding="utf-8") as lines:
        spoken = pool.imap_unordered(partial(_record, folder), missing, chunksize=4)
        for recording in tqdm(spoken, "synthesize", len(missing), unit=" sentences"):
            lines.write(corpus.write_line(recording) + "\n")
            lines.flush()
    return len(done) + len(missing)


def missing_voices(utterances: list[tuple[str, Prompt]], *, strict: bool = False) -> dict[tuple[str, str], str]:
    """The engines and voices of some utterances that this machine lacks, each with a sentence that says what to do.

    Raises EngineError where none of them can speak, or, if `strict`, where one cannot, naming all packages to install.
    """
    voices = {(prompt.engine, prompt.voice.split("+")[0]): prompt for _, prompt in utterances}
    missing: dict[tuple[str, str], str] = {}
    for (engine, voice), prompt in voices.items():
        try:
            ENGINES[engine].speak(prompt)
        except EngineError as error:
            missing[engine, voice] = str(error)
    if missing and strict:
        packages = {name for engine, voice in missing for name in ENGINES[engine].packages(voice)}
        raise EngineError(
            f"{len(missing)} of {len(voices)} voices cannot speak here; install the Debian packages"
            f" {' '.join(sorted(packages))}, or leave out --strict to do without these voices."
        )
    if missing and len(missing) == len(voices):
        raise EngineError(next(iter(missing.values())))
    return missing


def _drawn_effort(voice_set: VoiceSet, random: Random) -> Effort:
    turn = random.random()
    if turn < voice_set.whispered:
        return "whispered"
    return "shouted" if turn < voice_set.whispered + voice_set.shouted else "plain"


def _prompt(voice_set: VoiceSet, effort: Effort, random: Random) -> Prompt:
    voice = random.choice(voice_set.voices)
    language = voice_set.language or voice.split("-")[0]
    if voice_set.variants:
        voice = f"{voice}+{random.choice(voice_set.variants)}"
    text = " ".join(compose(language, random, effort) for _ in range(random.choice((1, 1, 1, 2))))
    stretch = random.uniform(voice_set.stretch[0], voice_set.stretch[-1])
    prompt = Prompt(voice_set.engine, voice, language, text, stretch, random.random(), random.random())
    if voice_set.emotional:
        prompt = moods.toned(prompt, moods.drawn(voice_set.emotional, random), random.uniform(0.4, 1.0))
    return _with_effort(prompt, effort)


def _with_effort(prompt: Prompt, effort: Effort) -> Prompt:
    match effort:
        case "whispered":
            return replace(prompt, effort=effort, loudness=prompt.loudness - _SOFTER)
        case "shouted":
            return replace(prompt, effort=effort, loudness=prompt.loudness + _LOUDER, stretch=prompt.stretch * _SLOWER)
        case "plain":
            return prompt


def _record(folder: Path, utterance: tuple[str, Prompt]) -> Recording:
    """Speaks one prompt into an audio file; runs in a worker process."""
    name, prompt = utterance
    spoken = _with_pauses(ENGINES[prompt.engine].speak(prompt), Random(name))
    samples = moods.tilted(soxr.resample(spoken.samples, spoken.rate, RATE), RATE, prompt.tilt)
    samples = _levelled(samples, prompt.loudness)
    # looked for in the plain voice, whose gaps are clearer: a whisper and a shout have theirs at the same times
    heard = snapped_closures(spoken.phones, band_level(samples, RATE), ENGINES[prompt.engine].CLOSURE_SEARCH)
    if prompt.effort != "plain":
        samples = _levelled(_strained(samples, spoken.phones, prompt.effort, name), prompt.loudness)
    audio = f"audio/{name}.flac"
    soundfile.write(folder / audio, samples, RATE)
    return Recording(
        audio=audio,
        text=prompt.text,
        speaker=f"{prompt.engine}-{prompt.voice}",
        language=prompt.language,
        source=prompt.engine,
        licence=LICENCE,
        phones=tuple(Phone(p.name, round(p.start, 4), round(p.end, 4)) for p in spoken.phones),
        closures=corpus.rounded(closures_of(spoken.phones)),
        closures_snap=corpus.rounded(heard),
        alphabet=spoken.alphabet,
        duration=len(samples) / RATE,
        emotions=dict(prompt.emotions),
        effort=prompt.effort,
    )


def _with_pauses(spoken: Spoken, random: Random) -> Spoken:
    """Up to 0.4 s of digital silence before and after, as recordings of people have."""
    before, after = random.uniform(0.05, 0.4), random.uniform(0.05, 0.4)
    samples = np.pad(spoken.samples, (round(before * spoken.rate), round(after * spoken.rate)))
    moved = [Phone(name, start + before, end + before) for name, start, end in spoken.phones]
    phones = (Phone("sil", 0.0, before), *moved, Phone("sil", moved[-1].end, len(samples) / spoken.rate))
    return Spoken(samples, spoken.rate, phones, spoken.alphabet)


def _strained(samples: np.ndarray, phones: tuple[Phone, ...], effort: Effort, name: str) -> np.ndarray:
    """The same float32 [n] whispered or shouted, always alike for a name; the silence before and after is kept."""
    first, last = round(phones[0].end * RATE), round(phones[-1].start * RATE)
    change = whispered if effort == "whispered" else shouted
    strained = samples.copy()
    strained[first:last] = change(samples[first:last], np.random.default_rng(list(name.encode())))
    return strained


def _levelled(samples: np.ndarray, loudness: float) -> np.ndarray:
    peak = float(np.abs(samples).max())
    if peak == 0:
        raise EngineError("An engine answered with silence.")
    return samples * (0.5 * 10 ** (loudness / 20) / peak)
