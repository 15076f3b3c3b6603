# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sound file comes in at the right moment and level; everything else is refused with one sentence."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend import audio
from backend.audio import AudioError, decode, speech_gain

CLICK = 1.3
"""Second at which the test sound clicks."""


def click(rate: int, channels: int = 1, seconds: float = 2.5) -> np.ndarray:
    """Silence with 5 ms of tone: float32 [n, channels]."""
    samples = np.zeros((round(seconds * rate), channels), np.float32)
    tone = 0.8 * np.sin(2 * np.pi * 400 * np.arange(rate // 200) / rate)
    samples[round(CLICK * rate) : round(CLICK * rate) + len(tone)] = tone[:, None]
    return samples


def encoded(samples: np.ndarray, rate: int, kind: str = "WAV", subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def onset(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(samples) > 0.1)) / audio.SAMPLE_RATE


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 44_100),
        ("WAV", "PCM_U8", 8_000),
        ("WAV", "PCM_24", 192_000),
        ("WAV", "FLOAT", 48_000),
        ("FLAC", None, 22_050),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("MP3", None, 44_100),
        ("AIFF", None, 11_025),
        ("CAF", None, 16_000),
    ],
)
def test_any_file_is_heard_at_the_right_moment(
    kind: str, subtype: str | None, rate: int, channels: int, tmp_path: Path
):
    channels = min(channels, 2) if kind == "MP3" else channels
    content = encoded(click(rate, channels), rate, kind, subtype)
    path = tmp_path / f"Klick für {channels}.{kind.lower()}"
    path.write_bytes(content)
    whole = decode(path)
    assert whole.dtype == np.float32
    assert len(whole) == pytest.approx(2.5 * 16_000, abs=2)
    assert onset(whole) == pytest.approx(CLICK, abs=0.001)
    part = decode(content, 1.0, 1.0)
    assert len(part) == 16_000
    assert 1.0 + onset(part) == pytest.approx(CLICK, abs=0.001)


def test_silence_is_added_around_the_file():
    content = encoded(click(44_100), 44_100)
    around = decode(content, -1.0, 5.0)
    assert len(around) == 80_000
    assert onset(around) == pytest.approx(1.0 + CLICK, abs=0.001)
    assert not around[: 16_000 - 20].any() and not around[int(3.5 * 16_000) + 20 :].any()
    assert not decode(content, 100.0, 2.0).any()
    assert not decode(content, -100.0, 2.0).any()


def test_a_stretch_is_the_same_part_of_the_whole():
    sound = np.random.default_rng(0).normal(0, 0.1, 48_000 * 25).astype(np.float32)
    content = encoded(sound, 48_000, "WAV", "FLOAT")
    whole, part = decode(content), decode(content, 11.0, 3.0)
    np.testing.assert_allclose(part[200:-200], whole[176_000 + 200 : 224_000 - 200], atol=1e-3)


def test_a_steady_tone_keeps_its_pitch_and_its_strength():
    rate = 44_100
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate * 12) / rate)
    heard = decode(encoded(tone.astype(np.float32), rate, "WAV", "FLOAT"))
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000 * 12) / 16_000)
    np.testing.assert_allclose(heard[800:-800], expected[800:-800], atol=1e-3)


def test_long_files_are_read_in_blocks():
    """Ten seconds out of the middle of 8 channels at 48 kHz for ten minutes cost no more than a block."""
    content = encoded(np.zeros((48_000 * 600, 8), np.int16), 48_000)
    tracemalloc.start()
    assert len(decode(content, 300.0, 10.0)) == 160_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def with_samples(*values: float) -> bytes:
    sound = click(16_000)
    sound[100 : 100 + len(values), 0] = values
    return encoded(sound, 16_000, "WAV", "FLOAT")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"Dear diary,\n" * 100, "not a sound"),
        (b"RIFF\x00\x00", "not a sound"),
        (encoded(click(16_000), 16_000)[:20], "not a sound"),
        (encoded(np.zeros((0, 1)), 16_000), "lasts 0 s"),
        (encoded(click(16_000)[:160], 16_000), "lasts 0.01 s; at least 0.1 s"),
        (with_samples(np.nan), "NaN"),
        (with_samples(np.inf), "NaN or infinite"),
    ],
    ids=["empty", "text", "cut", "header", "no samples", "10 ms", "nan", "inf"],
)
def test_what_is_no_usable_sound_is_refused(content: bytes, sentence: str, tmp_path: Path):
    path = write(tmp_path / "naïve name.wav", content)
    for source in (content, path):
        with pytest.raises(AudioError) as caught:
            decode(source)
        assert sentence in str(caught.value)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert "naïve name.wav" in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path):
    with pytest.raises(AudioError, match=r"nowhere\.wav does not exist"):
        decode(tmp_path / "nowhere.wav")
    with pytest.raises(AudioError, match="is a folder"):
        decode(tmp_path)
    with pytest.raises(AudioError, match="cannot be read"):
        decode(write(tmp_path / "file", b"x") / "below.wav")


def test_a_raw_file_is_refused_and_not_guessed(tmp_path: Path):
    with pytest.raises(AudioError, match="not a sound"):
        decode(write(tmp_path / "speech.raw", bytes(32_000)))


@pytest.mark.skipif(os.name != "posix", reason="a link to itself needs rights that Windows users lack")
def test_a_file_that_the_system_does_not_give_is_named(tmp_path: Path):
    path = tmp_path / "round.wav"
    path.symlink_to(path)
    with pytest.raises(AudioError, match="cannot be read"):
        decode(path)


@pytest.mark.parametrize(("start", "duration"), [(0.0, 0.01), (0.0, 0.0), (0.0, -1.0), (2.45, None), (0.0, 1e9)])
def test_a_stretch_has_a_sensible_length(start: float, duration: float | None):
    with pytest.raises(AudioError, match=r"at (least|most)"):
        decode(encoded(click(16_000), 16_000), start, duration)


@pytest.mark.parametrize("gain", [0.03, 1.0, 1e4])
def test_speech_comes_to_the_same_level_however_loud_and_however_sparse(gain: float):
    speech = np.random.default_rng(0).normal(0, 0.1, 2 * 16_000)
    room = np.random.default_rng(1).normal(0, 1e-4, 60 * 16_000)
    for spoken in (speech, np.concatenate((speech, room)), np.concatenate((room, speech))):
        samples = (spoken * gain).astype(np.float32)
        levelled = samples * speech_gain(samples)
        loud = levelled[:32_000] if spoken[0] == speech[0] else levelled[-32_000:]
        assert 20 * np.log10(loud.std()) == pytest.approx(audio.SPEECH_LEVEL, abs=0.5)


def test_silence_and_room_noise_stay_quiet():
    assert speech_gain(np.zeros(16_000, np.float32)) == 1.0
    assert speech_gain(np.zeros(100, np.float32)) == 1.0
    hiss = np.random.default_rng(0).normal(0, 10 ** (-70 / 20), 16_000).astype(np.float32)
    assert speech_gain(hiss) == 1.0
    assert 20 * np.log10(speech_gain(hiss * 3)) <= audio.MOST_GAIN + 0.01
