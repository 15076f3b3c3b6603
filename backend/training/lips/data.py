# SPDX-License-Identifier: GPL-3.0-or-later
"""Data: batches of chunks from a prepared set; batch i is the same in every run with the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from backend.audio import SAMPLE_RATE
from backend.phonetics.phones import SILENCE
from backend.training.errors import CorpusError
from backend.training.speech import sounds
from torch import Tensor

from .augment import interrupted, piece_of, vary, with_effort
from .config import AugmentConfig, DataConfig, GroupConfig
from .prepare import COPY, FPS, OPEN, Clip, read_clips
from .rules import CHANNELS
from .styles import STYLES, styled
from .tempo import at_tempo

_NOT_SPEECH_SOUNDS = 200
_RECORDED_SOUNDS = 150


@dataclass(frozen=True)
class Batch:
    """Chunks of equal length, all with motion of one FaceSpace."""

    audio: Tensor
    """float32 [B, n] at 16 kHz."""
    values: Tensor
    """float32 [B, frames, 52]: the motion to learn."""
    identity: Tensor
    """int64 [B]."""
    visemes: Tensor
    """int64 [B, frames]: index in `phones.CLASSES`."""
    lips: Tensor
    """int64 [B, frames]: open, shut or between (`prepare`)."""
    space: str = "arkit"

    @property
    def origin(self) -> str:
        return "speech"

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on a device."""
        tensors = (self.audio, self.values, self.identity, self.visemes, self.lips)
        return Batch(*(tensor.to(device) for tensor in tensors), space=self.space)


@dataclass(frozen=True, eq=False)
class Chunk:
    """One row of a batch before it is varied."""

    samples: np.ndarray
    curves: np.ndarray
    visemes: np.ndarray
    lips: np.ndarray


class TrainingSet:
    """A prepared folder, mapped into memory, from which chunks are drawn group by group."""

    def __init__(self, folder: Path, config: DataConfig, augment: AugmentConfig, seed: int) -> None:
        self.config, self.augment, self.seed = config, augment, seed
        self.clips = read_clips(folder)
        self.samples = np.load(folder / "samples.npy", mmap_mode="r")
        self.frames = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("curves", "visemes", "lips")}
        self.members = _members(self.clips, config.groups)
        self.sounds = sounds.bank(_NOT_SPEECH_SOUNDS, 2 * config.seconds, seed)
        members = [self.members[group.name] for group in config.groups if group.background]
        self.backgrounds = [clips for clips in members if clips]
        self.recorded = self._recorded(seed)
        shares = np.array([group.share if self.members[group.name] else 0.0 for group in config.groups])
        if shares.sum() <= 0:
            raise CorpusError(f"{folder} has no recording that the config's groups train on.")
        self.shares = shares / shares.sum()

    def batch(self, step: int, piece: int = 0) -> Batch:
        """The batch of one step, or one of the pieces that such a step has."""
        random = np.random.default_rng((self.seed, step, piece) if piece else (self.seed, step))
        chunks = [self._chunk(random) for _ in range(self.config.batch)]
        heard = np.stack([chunk.samples for chunk in chunks])
        audio = vary(heard, self.sounds, self.augment, random, self.recorded)
        identity = np.array([self._identity(random) for _ in chunks])
        curves = np.stack([chunk.curves for chunk in chunks])
        return Batch(
            torch.from_numpy(audio),
            torch.from_numpy(styled(curves, identity)),
            torch.from_numpy(identity),
            torch.from_numpy(np.stack([chunk.visemes for chunk in chunks]).astype(np.int64)),
            torch.from_numpy(np.stack([chunk.lips for chunk in chunks]).astype(np.int64)),
        )

    def held_out(self) -> list[Clip]:
        """The recordings of the groups to validate on, without coded copies."""
        names = [group.name for group in self.config.groups if group.validate]
        clips = [self.clips[index] for name in names for index in self.members[name]]
        return [clip for clip in clips if not clip.name.endswith(COPY)]

    def sound(self, clip: Clip, first: int = 0, last: int | None = None) -> np.ndarray:
        """float32 [n]: one whole recording, or its samples from `first` to the one before `last`."""
        end = clip.samples if last is None else last
        return self.samples[clip.first_sample + first : clip.first_sample + end].astype(np.float32) / 32768

    def _recorded(self, seed: int) -> np.ndarray | None:
        """float32 [sounds, samples]: what is heard behind voices besides the sounds made here; None for nothing."""
        if not self.backgrounds or not self.augment.recorded:
            return None
        random = np.random.default_rng(seed)
        length = round(2 * self.config.seconds * SAMPLE_RATE)
        groups = [self.backgrounds[number % len(self.backgrounds)] for number in range(_RECORDED_SOUNDS)]
        return np.stack([_stretch(self.sound(self.clips[random.choice(clips)]), length, random) for clips in groups])

    def _chunk(self, random: np.random.Generator) -> Chunk:
        length = round(self.config.seconds * SAMPLE_RATE)
        if random.random() < self.config.rest:
            if self._rests_in_the_world(random):
                clips = self.backgrounds[random.integers(len(self.backgrounds))]
                return self._varied_cut(self.clips[random.choice(clips)], random)
            loudness = random.choice([0.0, 0.05], p=[0.2, 0.8])
            return _rest(piece_of(self.sounds, length, random) * loudness, round(self.config.seconds * FPS))
        group = self.config.groups[random.choice(len(self.shares), p=self.shares)]
        clip = self.clips[random.choice(self.members[group.name])]
        return self._varied_cut(clip, random)

    def _rests_in_the_world(self, random: np.random.Generator) -> bool:
        """Whether the next rest is over a recorded sound; nothing is drawn where a config asks for none."""
        return bool(self.backgrounds and self.config.recorded) and random.random() < self.config.recorded

    def _varied_cut(self, clip: Clip, random: np.random.Generator) -> Chunk:
        return self._cut(clip, _speed(self.augment, random), _tempo(self.augment, random), random)

    def _cut(self, clip: Clip, speed: float, tempo: float, random: np.random.Generator) -> Chunk:
        """A chunk of a clip at `speed` (pitch and formants go with it) and `tempo` (they do not).

        Around a short clip there is rest.
        """
        seconds = self.config.seconds
        room = clip.samples / SAMPLE_RATE - seconds * speed * tempo
        start = random.uniform(min(room, 0.0), max(room, 0.0))
        at_sample = start * SAMPLE_RATE + np.arange(round(seconds * tempo * SAMPLE_RATE)) * speed
        at_frame = np.round(start * FPS + np.arange(round(seconds * FPS)) * speed * tempo).astype(int)
        sound = self._heard_at(clip, at_sample)
        if tempo != 1.0:
            sound = at_tempo(sound, tempo, round(seconds * SAMPLE_RATE))
        sound = with_effort(sound, self.augment, random)
        inside = (at_frame >= 0) & (at_frame < clip.frames)
        rows = clip.first_frame + np.clip(at_frame, 0, clip.frames - 1)
        visemes = np.where(inside, self.frames["visemes"][rows], SILENCE)
        if random.random() < self.augment.interrupted:
            sound = interrupted(sound, visemes == SILENCE, self.sounds, self.augment, random)
        return Chunk(
            sound,
            np.where(inside[:, None], self.frames["curves"][rows], 0).astype(np.float32),
            visemes,
            np.where(inside, self.frames["lips"][rows], OPEN),
        )

    def _heard_at(self, clip: Clip, places: np.ndarray) -> np.ndarray:
        """float32 [n]: a recording between its samples, at `places` that rise; 0 before and behind it.

        Only what lies between the first and the last place is read: clips may be much longer than a chunk.
        """
        first = int(np.clip(places[0], 0, clip.samples - 1))
        last = int(np.clip(places[-1] + 2, first + 1, clip.samples))
        near = self.sound(clip, first, last)
        return np.interp(places, np.arange(first, last), near, left=0, right=0).astype(np.float32)

    def _identity(self, random: np.random.Generator) -> int:
        """A style's row, or the last row, the pivot."""
        return len(STYLES) if random.random() < self.config.pivot else int(random.integers(len(STYLES)))


def _members(clips: list[Clip], groups: tuple[GroupConfig, ...]) -> dict[str, list[int]]:
    """Clip numbers of each group; the first group that fits takes a clip."""
    members: dict[str, list[int]] = {group.name: [] for group in groups}
    for number, clip in enumerate(clips):
        for group in groups:
            source_fits = not group.sources or clip.source in group.sources
            if source_fits and (not group.speakers or clip.speaker in group.speakers):
                members[group.name].append(number)
                break
    return members


def _stretch(sound: np.ndarray, length: int, random: np.random.Generator) -> np.ndarray:
    """float32 [length]: a part of a sound, which begins again where it ends, at a root mean square of 1."""
    start = random.integers(len(sound))
    part = np.resize(np.roll(sound, -start), length)
    return (part / max(float(np.sqrt(np.mean(part**2))), 1e-6)).astype(np.float32)


def _rest(samples: np.ndarray, frames: int) -> Chunk:
    silence = np.full(frames, SILENCE)
    return Chunk(samples, np.zeros((frames, len(CHANNELS)), np.float32), silence, np.full(frames, OPEN))


def _speed(config: AugmentConfig, random: np.random.Generator) -> float:
    return random.uniform(config.slowest, config.fastest) if random.random() < config.speed else 1.0


def _tempo(config: AugmentConfig, random: np.random.Generator) -> float:
    return random.uniform(config.leisurely, config.hurried) if random.random() < config.tempo else 1.0
