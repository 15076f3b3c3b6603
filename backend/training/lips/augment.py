# SPDX-License-Identifier: GPL-3.0-or-later
"""Augmentation: what rooms, microphones, crowds and cheap equipment do to a voice, for a whole batch at once.

Without it a model trained on synthesized speech reads synthesized speech only. Everything here keeps the timing.
"""

from __future__ import annotations

import math

import numpy as np
from backend.audio import SAMPLE_RATE
from backend.training.speech import effort
from backend.training.speech.sounds import MAKERS, breath, coughs, knocks
from backend.training.speech.spectra import sounds_of, spectra_of

from .config import AugmentConfig

Generator = np.random.Generator
KNOCKS = MAKERS.index(knocks)
"""Which sounds of a `sounds.bank` are knocks: this one and every further one at as many places as there are makers."""
_TAIL = 9728
"""Samples of room response that may reach over the end of a chunk; with 4 s it makes a quick length to transform."""
_APART = 32
"""Samples, or bins of a spectrum (7 Hz), between two places at which something smooth is computed."""

_SHORTEST_PAUSE = 18
"""Frames at 60 fps of a pause that something can be heard in."""


def vary(
    chunks: np.ndarray,
    sounds: np.ndarray,
    config: AugmentConfig,
    random: Generator,
    recorded: np.ndarray | None = None,
) -> np.ndarray:
    """Chunks float32 [B, n], and sounds [m, >= n] to mix in, to the same chunks heard otherwise, float32 [B, n].

    `sounds` is a `sounds.bank`; `recorded`, [m, >= n] where there is any, holds sounds of the world.
    """
    spared = random.random(len(chunks)) < config.clean
    heard = filtered(chunks, config, random)
    heard = mixed(heard, sounds, config, random, recorded)
    heard = distorted(heard, config, random)
    return np.where(spared[:, None], chunks, heard).astype(np.float32)


def with_effort(chunk: np.ndarray, config: AugmentConfig, random: Generator) -> np.ndarray:
    """A chunk float32 [n], whispered or shouted if its turn comes.

    Nothing is drawn where a config asks for neither: runs of older configs repeat to the last bit.
    """
    if config.whispered + config.shouted <= 0:
        return chunk
    turn = random.random()
    if turn < config.whispered:
        return effort.whispered(chunk, random)
    return effort.shouted(chunk, random) if turn < config.whispered + config.shouted else chunk


def interrupted(
    chunk: np.ndarray, pauses: np.ndarray, sounds: np.ndarray, config: AugmentConfig, random: Generator
) -> np.ndarray:
    """A chunk float32 [n] with a cough, breath or knock of its speaker in one of its `pauses`, bool [frames].

    It may be louder than the voice, and the mouth is still to rest: it takes more than loudness to be speech.
    """
    per_frame = len(chunk) / len(pauses)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], pauses, [False]]).astype(int)))
    long_ones = [(a, b) for a, b in edges.reshape(-1, 2) if b - a >= _SHORTEST_PAUSE]
    if not long_ones:
        return chunk
    first, last = (round(edge * per_frame) for edge in long_ones[random.integers(len(long_ones))])
    length = round(random.uniform(0.3, 1.0) * (last - first))
    start = first + random.integers(last - first - length + 1)
    maker = (breath, coughs, coughs, knocks)[random.integers(4)]
    made_before = sounds[MAKERS.index(maker) :: len(MAKERS)]
    sound = coughs(random, length, config.gasps) if maker is coughs else piece_of(made_before, length, random)
    fade = np.minimum(np.minimum(np.arange(length), np.arange(length)[::-1]) / 160, 1)
    scale = _level(chunk) / max(_level(sound), 1e-6) * 10 ** (random.uniform(-25, config.loudest_interruption) / 20)
    changed = chunk.copy()
    changed[start : start + length] += (scale * fade * sound).astype(np.float32)
    return changed


def filtered(chunks: np.ndarray, config: AugmentConfig, random: Generator) -> np.ndarray:
    """Room, microphone curve and band limit, as one multiplication of spectra."""
    length = chunks.shape[1] + _TAIL
    spectra = spectra_of(chunks, length)
    hertz = _places(spectra.shape[1]) * (SAMPLE_RATE / length)
    for spectrum in spectra:
        if random.random() < config.reverb:
            spectrum *= spectra_of(room_response(random), length)
        response = np.ones(len(hertz), np.float32)
        if random.random() < config.equalize:
            response *= _equalizer(hertz, random)
        if random.random() < config.band:
            response *= _band(hertz, random)
        spectrum *= _between(response, len(spectrum))
    return sounds_of(spectra, length)[:, : chunks.shape[1]]


def mixed(
    chunks: np.ndarray,
    sounds: np.ndarray,
    config: AugmentConfig,
    random: Generator,
    recorded: np.ndarray | None = None,
) -> np.ndarray:
    """Noise or the other voices of the batch in the background, at a random distance in decibels.

    Knocks, as of a microphone that is touched, may be much louder than the voice: they leave most of it unharmed.
    """
    noisy = chunks.copy()
    for index in np.flatnonzero(random.random(len(chunks)) < config.noise):
        kind = random.random()
        if kind < 0.1:
            noise = piece_of(sounds[KNOCKS :: len(MAKERS)], chunks.shape[1], random)
            below = random.uniform(config.loudest_noise - 13, 20)
        elif kind < 0.25:
            others = random.choice(len(chunks), 4)
            noise = chunks[others[others != index]].sum(0)
            noise = np.roll(noise, random.integers(chunks.shape[1]))
            below = random.uniform(config.loudest_noise + 5, 30)
        elif kind < 0.25 + config.white:
            noise = random.standard_normal(chunks.shape[1]).astype(np.float32)
            below = random.uniform(config.white_from, config.white_to)
        else:
            bank = recorded if recorded is not None and random.random() < config.recorded else sounds
            noise = piece_of(bank, chunks.shape[1], random)
            below = random.uniform(config.loudest_noise, 40)
        scale = _level(chunks[index]) / max(_level(noise), 1e-6) * 10 ** (-below / 20)
        noisy[index] += noise * np.float32(scale)
    return noisy


def distorted(chunks: np.ndarray, config: AugmentConfig, random: Generator) -> np.ndarray:
    """Clipping, coarse quantisation and another, wandering level."""
    changed = chunks.copy()
    for chunk in changed:
        peak = max(float(np.abs(chunk).max()), 1e-6)
        if random.random() < config.clip:
            np.clip(chunk, -peak * random.uniform(0.15, 0.6), peak * random.uniform(0.15, 0.6), out=chunk)
        if random.random() < config.quantize:
            chunk[:] = _companded(chunk / peak, float(2 ** random.integers(5, 9))) * peak
        chunk *= _gain(len(chunk), config.gain, random)
    return changed


def piece_of(sounds: np.ndarray, length: int, random: Generator) -> np.ndarray:
    """float32 [length]: a random stretch of a random sound."""
    start = random.integers(sounds.shape[1] - length + 1)
    return sounds[random.integers(len(sounds)), start : start + length]


def room_response(random: Generator) -> np.ndarray:
    """float32 [<= 9728]: the direct sound, a few reflections and a tail of noise that dies away in 0.08 to 0.6 s."""
    decay = random.uniform(0.08, 0.6)
    length = min(round(decay * SAMPLE_RATE), _TAIL)
    tail = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / (decay * SAMPLE_RATE))
    tail[: round(random.uniform(0.002, 0.02) * SAMPLE_RATE)] *= 0.1
    response = tail * (10 ** (random.uniform(-22, -4) / 20) / np.sqrt(np.sum(tail**2)))
    response[0] = 1.0
    return response.astype(np.float32)


def _equalizer(hertz: np.ndarray, random: Generator) -> np.ndarray:
    knots = np.geomspace(60, 8000, 8)
    decibels = np.interp(np.log(np.maximum(hertz, 40)), np.log(knots), random.normal(0, 4, len(knots)))
    return (10 ** (decibels / 20)).astype(np.float32)


def _band(hertz: np.ndarray, random: Generator) -> np.ndarray:
    low, high = random.choice([0.0, random.uniform(60, 400)]), random.choice([9000.0, random.uniform(2800, 7000)])
    passes = 1 / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 12)
    return passes.astype(np.float32)


def _companded(chunk: np.ndarray, steps: float) -> np.ndarray:
    """Quantised on a logarithmic scale, as telephone codecs do (mu-law)."""
    squeezed = np.log(1 + 255 * np.abs(chunk)) / math.log(256)
    coarse = np.round(squeezed * steps) / steps
    return np.copysign(np.exp(coarse * math.log(256)) - 1, chunk) / 255


def _gain(length: int, most: float, random: Generator) -> np.ndarray:
    """float32 [length]: a level that wanders by up to `most` decibels, as when a speaker turns away or fades."""
    course = random.uniform(-most, most) + random.uniform(0, most / 2) * random.uniform(-1, 1, 6)
    decibels = np.interp(_places(length) / (length - 1), np.linspace(0, 1, 6), course)
    return _between((10 ** (decibels / 20)).astype(np.float32), length)


def _places(length: int) -> np.ndarray:
    """int64: every `_APART`-th of `length` places, from the first to behind the last."""
    return np.arange(0, length + _APART, _APART)


def _between(values: np.ndarray, length: int) -> np.ndarray:
    """float32 [length]: what has these `values` at its `_places`, and goes straight from each to the next."""
    ramp = np.arange(_APART, dtype=np.float32) / _APART
    return (values[:-1, None] + np.diff(values)[:, None] * ramp).ravel()[:length]


def _level(chunk: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(chunk))))
