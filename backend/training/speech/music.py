# SPDX-License-Identifier: GPL-3.0-or-later
"""Music that nobody sings: pieces made up here, and played by FluidSynth on sampled instruments.

Tones made of sines (`sounds.chords`, `sounds.song`) teach a model to rest over music made of sines. Instruments have
attacks, formants and noises of their own, some much like a voice's.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from backend.audio import SAMPLE_RATE, decode
from backend.training.errors import CorpusError
from mido import Message, MetaMessage, MidiFile, MidiTrack, bpm2tempo

Generator = np.random.Generator

_PROGRAM = "fluidsynth"
_SUNG = {52, 53, 54, 85, 91}
"""Programs of General MIDI (from 0) that sing: choir, oohs, synthesized voices. A mouth need not rest over those."""
_INSTRUMENTS = np.array([program for program in range(120) if program not in _SUNG])
_BASSES = np.arange(32, 40)
_DRUMS = 9
"""The channel that General MIDI keeps for drums."""
_KICK, _SNARE, _HATS = 36, (38, 37, 39, 40), (42, 44, 46, 51)
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))
_BAR = 4
"""Beats."""
_TICKS = 480
"""Per beat."""
_WHEEL = 1
"""The controller that makes a note tremble."""

Note = tuple[float, float, int, int]
"""Start and length in beats, pitch (60 is middle C), and velocity 1 to 127."""


def played(random: Generator, seconds: float, soundfont: Path) -> np.ndarray:
    """float32 [n] at 16 kHz: a new piece of about so many seconds, on the instruments of a sound font.

    Raises CorpusError where FluidSynth or its sounds are missing, or it fails.
    """
    program = shutil.which(_PROGRAM)
    if program is None or not soundfont.is_file():
        missing = _PROGRAM if program is None else soundfont
        raise CorpusError(
            f"{missing} is missing, which plays the music: install fluidsynth and fluid-soundfont-gm, name another "
            "sound font by --soundfont, or ask for none by --pieces 0."
        )
    with tempfile.TemporaryDirectory() as folder:
        piece, sound = Path(folder) / "piece.mid", Path(folder) / "piece.wav"
        composed(random, seconds).save(piece)
        rendered = ["-n", "-i", "-q", "-r", str(SAMPLE_RATE), "-T", "wav", "-F", sound]
        done = subprocess.run([program, *rendered, soundfont, piece], capture_output=True, text=True, check=False)
        if done.returncode or not sound.is_file():
            raise CorpusError(f"{_PROGRAM} failed: {done.stderr.strip() or done.returncode}.")
        return decode(sound)


def composed(random: Generator, seconds: float) -> MidiFile:
    """A piece of one to four parts over a row of chords, as a MIDI file."""
    tempo = float(random.uniform(55, 180))
    bars = max(round(seconds * tempo / 60 / _BAR), 1)
    scale = _SCALES[random.integers(len(_SCALES))]
    key, roots = int(random.integers(48, 60)), random.integers(0, len(scale), bars)
    parts = {
        0: (_melody(random, bars, scale, key), int(random.choice(_INSTRUMENTS))),
        1: (_chords(random, roots, scale, key), int(random.choice(_INSTRUMENTS))),
        2: (_bass(random, roots, scale, key), int(random.choice(_BASSES))),
        _DRUMS: (_drums(random, bars), 0),
    }
    wanted = random.choice(list(parts), random.integers(1, len(parts) + 1), replace=False)
    piece = MidiFile(ticks_per_beat=_TICKS)
    piece.tracks.append(MidiTrack([MetaMessage("set_tempo", tempo=bpm2tempo(tempo))]))
    for channel in map(int, wanted):
        notes, instrument = parts[channel]
        piece.tracks.append(_track(random, channel, instrument, notes))
    return piece


def _melody(random: Generator, bars: int, scale: tuple[int, ...], key: int) -> list[Note]:
    """A line that moves by small steps, at times leaps or rests."""
    notes, beat, degree = [], 0.0, int(random.integers(len(scale)))
    octave, values = 12 * int(random.integers(0, 3)), random.choice((0.25, 0.5, 1.0, 2.0), 3)
    while beat < bars * _BAR:
        length = float(random.choice(values))
        degree = int(np.clip(degree + random.choice((-4, -2, -1, -1, 0, 1, 1, 2, 4)), -5, 12))
        if random.random() < 0.85:
            held = length * random.uniform(0.5, 1.1)
            notes.append((beat, held, _pitch(degree, scale, key + octave), int(random.integers(60, 120))))
        beat += length
    return notes


def _chords(random: Generator, roots: np.ndarray, scale: tuple[int, ...], key: int) -> list[Note]:
    """A chord a bar: held, struck or broken."""
    per_bar, broken = int(random.choice((1, 2, 4, 8))), random.random() < 0.4
    length, loud = _BAR / per_bar, int(random.integers(45, 100))
    notes = []
    for bar, root in enumerate(roots):
        pitches = [_pitch(int(root) + step, scale, key) for step in (0, 2, 4)]
        for turn in range(per_bar):
            struck = [pitches[turn % len(pitches)]] if broken else pitches
            notes += [(bar * _BAR + turn * length, 0.95 * length, pitch, loud) for pitch in struck]
    return notes


def _bass(random: Generator, roots: np.ndarray, scale: tuple[int, ...], key: int) -> list[Note]:
    """The root of each bar, once or often."""
    per_bar, loud = int(random.choice((1, 2, 4, 8))), int(random.integers(60, 115))
    length = _BAR / per_bar
    return [
        (bar * _BAR + turn * length, 0.9 * length, _pitch(int(root), scale, key - 24), loud)
        for bar, root in enumerate(roots)
        for turn in range(per_bar)
    ]


def _drums(random: Generator, bars: int) -> list[Note]:
    """One bar of kick, snare and cymbals, again and again."""
    steps, snare, hat = 4 * _BAR, int(random.choice(_SNARE)), int(random.choice(_HATS))
    struck = {_KICK: random.random(steps) < 0.2, snare: random.random(steps) < 0.12, hat: random.random(steps) < 0.5}
    struck[_KICK][0] = True
    return [
        (bar * _BAR + step / 4, 0.2, drum, int(random.integers(60, 120)))
        for bar in range(bars)
        for drum, pattern in struck.items()
        for step in np.flatnonzero(pattern)
    ]


def _pitch(degree: int, scale: tuple[int, ...], key: int) -> int:
    octave, step = divmod(degree, len(scale))
    return int(np.clip(key + 12 * octave + scale[step], 12, 108))


def _track(random: Generator, channel: int, instrument: int, notes: list[Note]) -> MidiTrack:
    """Notes of one instrument, which trembles more or less; times from each event to the next."""
    tremble = int(random.integers(0, 90)) if random.random() < 0.5 else 0
    track = MidiTrack([Message("program_change", channel=channel, program=instrument)])
    track.append(Message("control_change", channel=channel, control=_WHEEL, value=tremble))
    now = 0
    for tick, kind, pitch, velocity in sorted(_events(notes)):
        track.append(Message(kind, channel=channel, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    return track


def _events(notes: list[Note]) -> Iterator[tuple[int, str, int, int]]:
    """Ticks with what happens then; a note's end sorts before a start at the same tick."""
    for start, length, pitch, velocity in notes:
        yield round(start * _TICKS), "note_on", pitch, velocity
        yield round((start + length) * _TICKS) - 1, "note_off", pitch, 0
