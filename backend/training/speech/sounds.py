# SPDX-License-Identifier: GPL-3.0-or-later
"""Sounds that are no speech: noise, hum, tones like music, breath and knocks; made here, not recorded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from backend.audio import SAMPLE_RATE

Generator = np.random.Generator


def bank(count: int, seconds: float, seed: int) -> np.ndarray:
    """float32 [count, samples]: `count` different sounds, each at a root mean square of 1."""
    random = np.random.default_rng(seed)
    length = round(seconds * SAMPLE_RATE)
    sounds = np.empty((count, length), np.float32)
    for index, row in enumerate(sounds):
        sound = MAKERS[index % len(MAKERS)](random, length)
        row[:] = sound / max(float(np.sqrt(np.mean(sound**2))), 1e-6)
    return sounds


def coloured_noise(random: Generator, length: int) -> np.ndarray:
    """Noise that falls by 0 to 12 dB per octave, with a random tilt over it."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    slope = np.maximum(hertz, 30.0) ** -random.uniform(0.0, 2.0)
    tilt = np.interp(hertz, np.linspace(0, 8000, 6), random.uniform(0.1, 1.0, 6))
    return np.fft.irfft(spectrum * slope * tilt, length)


def moving_noise(random: Generator, length: int) -> np.ndarray:
    """Noise whose level wanders, like wind, traffic or a crowd far away."""
    return coloured_noise(random, length) * _envelope(random, length, per_second=2.0)


def rumble(random: Generator, length: int) -> np.ndarray:
    """Wind on a microphone or steps on a floor: almost everything below 60 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum / (1 + (hertz / random.uniform(5, 60)) ** 4), length)


def hum(random: Generator, length: int) -> np.ndarray:
    """Mains hum or a motor: harmonics of a low tone over some noise."""
    pitch = random.choice([50.0, 60.0, random.uniform(30, 180)])
    noise = coloured_noise(random, length)
    return _tone(pitch, length, random.uniform(0.3, 1.0, 12)) + 0.3 * noise / noise.std()


def chords(random: Generator, length: int) -> np.ndarray:
    """Tones like music: a few notes at a time with soft or hard attacks, in a random tempo."""
    sound = np.zeros(length)
    beat = round(random.uniform(0.15, 0.8) * SAMPLE_RATE)
    brightness = random.uniform(0.3, 0.9)
    for start in range(0, length, beat):
        held = min(round(beat * random.uniform(0.5, 3)), length - start)
        for semitone in random.choice(49, random.integers(1, 4), replace=False):
            partials = brightness ** np.arange(random.integers(1, 10))
            decay = np.exp(-np.arange(held) / (random.uniform(0.1, 2.0) * SAMPLE_RATE))
            attack = np.minimum(np.arange(held) / (random.uniform(0.003, 0.1) * SAMPLE_RATE), 1)
            sound[start : start + held] += _tone(82.4 * 2 ** (semitone / 12), held, partials) * decay * attack
    return sound


def song(random: Generator, length: int) -> np.ndarray:
    """Music with a melody that glides and trembles as a violin or a whistle does, over chords and a beat."""
    times = np.arange(length) / SAMPLE_RATE
    notes = np.interp(times * random.uniform(0.8, 4), np.arange(200), np.repeat(random.integers(0, 30, 100), 2))
    tremble = random.uniform(0, 0.5) * np.sin(2 * np.pi * random.uniform(4, 7) * times)
    phase = 2 * np.pi * np.cumsum(110 * 2 ** ((notes + tremble) / 12)) / SAMPLE_RATE
    brightness = random.uniform(0.2, 0.8)
    melody = sum((brightness**part * np.sin((part + 1) * phase) for part in range(8)), np.zeros(length))
    melody *= _envelope(random, length, per_second=3.0)
    beat = coloured_noise(random, length) * np.exp(-8 * (times * random.uniform(1, 5) % 1.0))
    parts = (melody, chords(random, length), beat)
    return sum((random.uniform(0.2, 1) * part / max(part.std(), 1e-6) for part in parts), np.zeros(length))


def steady_tone(random: Generator, length: int) -> np.ndarray:
    """One tone, alone."""
    return _tone(float(np.exp(random.uniform(np.log(80), np.log(3000)))), length, random.uniform(0, 1, 4))


def breath(random: Generator, length: int) -> np.ndarray:
    """Breaths: bursts of noise around some part of the band, in and out, with rests between."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    middle = np.exp(random.uniform(np.log(800), np.log(6000)))
    width = random.uniform(0.4, 1) * middle
    noise = np.fft.irfft(spectrum * np.exp(-(((hertz - middle) / width) ** 2)), length)
    return noise * _envelope(random, length, per_second=1.2) ** 3 + 1e-3 * random.standard_normal(length)


def coughs(random: Generator, length: int, gasps: float = 0.0) -> np.ndarray:
    """Coughs and throats being cleared, alone or in quick series: bursts of noise that end in a short, rough voice.

    A share `gasps` of them goes on as a hiss, and so many series end in a breath, which is as bright as an s.
    """
    sound = 1e-3 * random.standard_normal(length)
    for start in random.integers(0, max(length - SAMPLE_RATE // 2, 1), max(length // SAMPLE_RATE, 1)):
        for _ in range(random.integers(1, 4)):
            held = min(round(random.uniform(0.12, 0.45) * SAMPLE_RATE), length - start)
            if held > 1:
                sound[start : start + held] += random.uniform(0.4, 1) * _cough(random, held)
                if gasps and random.random() < gasps:
                    sound[start : start + held] += random.uniform(0.1, 0.6) * _hiss(random, held)
            start += held + round(random.uniform(0, 0.15) * SAMPLE_RATE)
        if gasps and random.random() < gasps:
            held = min(round(random.uniform(0.1, 0.6) * SAMPLE_RATE), length - start)
            if held > 1:
                sound[start : start + held] += _gasp(random, held)
    return sound


def _cough(random: Generator, held: int) -> np.ndarray:
    """The three phases of a cough (Korpáš, Sadloňová, Vrabec 1996): a burst, a rush of air, and often a rough voice."""
    times = np.arange(held) / SAMPLE_RATE
    ends = np.cumsum(random.dirichlet((1, 4, 2))) * held / SAMPLE_RATE
    burst = np.exp(-times / random.uniform(0.008, 0.03))
    rush = random.uniform(0.05, 0.5) * (times < ends[1]) * np.minimum(times / 0.01, 1)
    last = random.choice((0.0, random.uniform(0.1, 1))) * (times >= ends[1]) * np.exp((ends[1] - times) / 0.05)
    pitch = random.uniform(100, 300) * (1 - 0.6 * times) + 8 * np.cumsum(random.standard_normal(held)) / 60
    voice = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE)) * (times > ends[0])
    noise = coloured_noise(random, held)
    source = noise / max(noise.std(), 1e-6) + (times >= ends[1]) * random.uniform(0, 1.5) * voice
    heard = _through_a_mouth(source, random) if random.random() < 0.7 else source
    return (burst + rush + last) * heard


def _gasp(random: Generator, held: int) -> np.ndarray:
    """The breath that is taken after a cough, much softer than it, and at times the click of a mouth at its end."""
    breathed = 10 ** random.uniform(-2.3, -0.8) * _hiss(random, held)
    if random.random() < 0.4:
        length = min(round(random.uniform(0.002, 0.03) * SAMPLE_RATE), held)
        click = random.standard_normal(length) * np.exp(-np.arange(length) / (0.3 * length))
        breathed[held - length :] += 10 ** random.uniform(-2, -0.5) * click
    return breathed


def _hiss(random: Generator, held: int) -> np.ndarray:
    """Air through teeth or lips: noise above 1.5 to 4.5 kHz that comes and goes."""
    spectrum = np.fft.rfft(random.standard_normal(held))
    hertz = np.fft.rfftfreq(held, 1 / SAMPLE_RATE)
    lowest, width = random.uniform(1500, 4500), random.uniform(200, 1500)
    noise = np.fft.irfft(spectrum / (1 + np.exp((lowest - hertz) / width)), held)
    times, begins, fades = np.linspace(0, 1, held), random.uniform(0, 0.7), random.uniform(0.05, 0.6)
    shape = np.clip((times - begins) / 0.2, 0, 1) * np.clip((1 - times) / fades, 0, 1)
    return shape * noise / max(noise.std(), 1e-6)


def _through_a_mouth(source: np.ndarray, random: Generator) -> np.ndarray:
    """With the formants of a vowel, which make a cough so much like speech."""
    hertz = np.fft.rfftfreq(len(source), 1 / SAMPLE_RATE)
    formants = (random.uniform(350, 900), random.uniform(900, 1900), random.uniform(2200, 3200))
    response = sum((1 / (1 + ((hertz - formant) / 150) ** 2) for formant in formants), np.full(len(hertz), 0.05))
    heard = np.fft.irfft(np.fft.rfft(source) * response, len(source))
    return heard / max(heard.std(), 1e-6)


def knocks(random: Generator, length: int) -> np.ndarray:
    """Clicks and knocks: short ringing hits over faint noise."""
    sound = 0.02 * random.standard_normal(length)
    for start in random.integers(0, length, random.integers(3, 25)):
        held = min(round(random.uniform(0.01, 0.15) * SAMPLE_RATE), length - start)
        ring = _tone(random.uniform(80, 3000), held, random.uniform(0, 1, 3)) + random.standard_normal(held)
        sound[start : start + held] += ring * np.exp(-np.arange(held) / (0.2 * held + 1))
    return sound


MAKERS: tuple[Callable[[Generator, int], np.ndarray], ...] = (
    coloured_noise,
    moving_noise,
    rumble,
    hum,
    chords,
    song,
    breath,
    coughs,
    knocks,
    steady_tone,
)


def _tone(pitch: float, length: int, partials: np.ndarray) -> np.ndarray:
    turning = np.exp(2j * np.pi * pitch * np.arange(length) / SAMPLE_RATE)
    partial, sound = np.ones(length, np.complex128), np.zeros(length)
    for index, loud in enumerate(partials, 1):
        if index * pitch >= 7500:
            break
        partial *= turning  # its next power: much quicker than another sine
        sound += loud * np.imag(partial)
    return sound


def _envelope(random: Generator, length: int, per_second: float) -> np.ndarray:
    points = max(round(length / SAMPLE_RATE * per_second), 2) + 1
    return np.interp(np.linspace(0, points - 1, length), np.arange(points), random.uniform(0, 1, points))
