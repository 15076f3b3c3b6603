# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound that is read where somebody listens is the sound that is read at once, in memory that does not grow."""

from __future__ import annotations

import functools
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend import audio, sound
from backend.audio import SAMPLE_RATE, AudioError
from backend.sound import Sound

FILES = [
    ("WAV", "PCM_16", 16_000),
    ("WAV", "FLOAT", 44_100),
    ("FLAC", None, 48_000),
    ("OGG", "VORBIS", 22_050),
    ("OGG", "OPUS", 24_000),
    ("MP3", None, 44_100),
    ("AIFF", None, 11_025),
]


@functools.cache
def encoded(seconds: float, rate: int, kind: str, subtype: str | None, channels: int = 1) -> bytes:
    """Noise that gets louder, written a second at a time."""
    stream, chance = io.BytesIO(), np.random.default_rng(0)
    with soundfile.SoundFile(stream, "w", rate, channels, subtype, format=kind) as file:
        for second in range(round(seconds)):
            file.write(chance.normal(0, 0.002 * (second + 1), (rate, channels)).astype(np.float32))
    return stream.getvalue()


@pytest.mark.parametrize(("start", "duration"), [(0.0, None), (-3.3, 77.123), (65.0, 9.0)])
@pytest.mark.parametrize(("kind", "subtype", "rate"), FILES)
def test_any_stretch_is_that_of_the_whole_sound(
    kind: str, subtype: str | None, rate: int, start: float, duration: float | None
):
    content = encoded(70, rate, kind, subtype)
    whole, lazily = audio.decode(content, start, duration), Sound(memoryview(content), start, duration)
    assert len(lazily) == len(whole)
    assert sound.speech_gain(lazily) == sound.speech_gain(whole) != 1.0
    edges = [(0, len(whole)), (len(whole) - 5, len(whole)), (0, 25 * SAMPLE_RATE), (7, 7), (12_345, 887_654)]
    edges += [(first, first + 25 * SAMPLE_RATE) for first in range(0, len(whole), 20 * SAMPLE_RATE)]
    for first, stop in edges:
        np.testing.assert_array_equal(lazily[first:stop], whole[first:stop])


def test_half_an_hour_is_read_in_the_memory_of_a_minute(tmp_path: Path):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(30):
            file.write(np.random.default_rng(0).normal(0, 0.1, 60 * 8000).astype(np.float32))
    tracemalloc.start()
    lazily = Sound(path)
    heard = sum(len(lazily[first : first + 25 * SAMPLE_RATE]) for first in range(0, len(lazily), 25 * SAMPLE_RATE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard == len(lazily) == 1800 * SAMPLE_RATE
    assert peak < 24e6  # all samples: 115 MB


def passes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with every pass through a file from now on."""
    found, read = [], audio.pieces

    def pieces(*arguments: object):
        found.append(arguments)
        return read(*arguments)

    monkeypatch.setattr(audio, "pieces", pieces)
    return found


@pytest.mark.parametrize(("seconds", "expected"), [(50, 1), (130, 2)])
def test_a_short_sound_is_read_once_and_a_long_one_twice(seconds: int, expected: int, monkeypatch: pytest.MonkeyPatch):
    gone_through = passes(monkeypatch)
    lazily = Sound(encoded(seconds, 8000, "WAV", None))
    for first in range(0, len(lazily), 20 * SAMPLE_RATE):
        assert len(lazily[first : first + 25 * SAMPLE_RATE])
    assert len(gone_through) == expected


def test_a_file_that_is_cut_meanwhile_ends_in_silence(tmp_path: Path):
    path = tmp_path / "talk.wav"
    path.write_bytes(encoded(100, 8000, "WAV", None))
    lazily = Sound(path)
    path.write_bytes(encoded(30, 8000, "WAV", None))
    assert lazily[: 25 * SAMPLE_RATE].any()
    late = lazily[20 * SAMPLE_RATE : 80 * SAMPLE_RATE]
    assert len(late) == 60 * SAMPLE_RATE and late[: 9 * SAMPLE_RATE].any() and not late[11 * SAMPLE_RATE :].any()


def test_what_cannot_be_read_is_told_at_once_and_whenever_it_happens(tmp_path: Path):
    with pytest.raises(AudioError, match="not a sound"):
        Sound(b"Dear diary")
    path = tmp_path / "talk.wav"
    path.write_bytes(encoded(100, 8000, "WAV", None))
    lazily = Sound(path)
    path.unlink()
    with pytest.raises(AudioError, match=r"talk\.wav does not exist"):
        lazily[:16_000]


def test_reading_can_be_stopped():
    asked = []

    def go_on() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Sound(encoded(100, 8000, "WAV", None), go_on=go_on)
    assert len(asked) == 3


def test_bytes_are_read_without_a_copy():
    content = encoded(60, 44_100, "WAV", "PCM_16", channels=2)
    tracemalloc.start()
    with soundfile.SoundFile(io.BufferedReader(audio.Bytes(content))) as file:
        file.seek(44_100 * 30)
        assert len(file.read(1000)) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(content) / 20
