# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound files as the models hear them: mono, 16 kHz, one stretch, at an even level.

Whatever libsndfile reads is welcome (wav, flac, ogg, opus, mp3, aiff, …), at any rate and with any number of channels.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from .windows import SAMPLE_RATE

SHORTEST = 0.1
"""Seconds; less sound than this is a mistake, not speech."""
LONGEST = 24 * 3600.0
"""Seconds of sound for one job."""

SPEECH_LEVEL = -24.0
"""dBFS of the speech after levelling, pauses not counted."""
MOST_GAIN = 30.0
"""dB; more would only lift the noise of an empty room."""
_SILENCE_LEVEL = -65.0
_BLOCK_SECONDS = 10
_LEVEL_FRAME = 320


class AudioError(Exception):
    """The sound cannot be used; the sentence says why and what to do."""


def decode(source: bytes | Path, start: float = 0.0, duration: float | None = None) -> np.ndarray:
    """One stretch of a sound file, mixed to mono at 16 kHz: float32 [round(duration * 16000)].

    `source` is a path or a whole file's bytes. `start` (seconds) may lie before the file and ``start + duration``
    behind it: silence is added there; None means up to where the file really ends. Only the stretch is read, block by
    block. Raises `AudioError` for what is no sound, holds broken numbers or is too short.
    """
    name = f"The sound file {source.name}" if isinstance(source, Path) else "The sound"
    with _opened(source, name) as file:
        length = file.frames / file.samplerate
        wanted = length - start if duration is None else duration
        _check_length(length, name)
        _check_length(wanted, f"The stretch of {name[0].lower()}{name[1:]}")
        begin = max(start, 0.0)
        blocks = _mono_blocks(file, round(begin * file.samplerate), round((start + wanted) * file.samplerate), name)
        samples = np.zeros(round(wanted * SAMPLE_RATE), np.float32)
        offset = round((begin - start) * SAMPLE_RATE)
        for piece in _resampled(blocks, file.samplerate):
            inside = piece[: max(len(samples) - offset, 0)]
            samples[offset : offset + len(inside)] = inside
            offset += len(inside)
    if duration is None and offset < len(samples) - SHORTEST * SAMPLE_RATE:  # its header claims more than it holds
        _check_length(offset / SAMPLE_RATE, name)
        return samples[:offset].copy()
    return samples


def to_model_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples in memory, float [n] or [n, channels], as the models hear them: float32 [m], mono, 16 kHz."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    return np.concatenate(list(_resampled([mono.astype(np.float32, copy=False)], rate)))


def speech_gain(samples: np.ndarray) -> float:
    """What samples (float32 [n], 16 kHz) must be multiplied by to bring their speech to `SPEECH_LEVEL`; 1 for silence.

    The level is the mean power of the 20 ms frames that pass two gates, as in ITU-R BS.1770-4 annex 1: one against
    silence, one 15 dB below the mean of what is left. So neither pauses nor the length of the sound count.
    """
    framed = samples[: len(samples) // _LEVEL_FRAME * _LEVEL_FRAME].reshape(-1, _LEVEL_FRAME)
    power = np.einsum("ij,ij->i", framed, framed, dtype=np.float64) / _LEVEL_FRAME
    power = power[power > 10 ** (_SILENCE_LEVEL / 10)]
    if not len(power):
        return 1.0
    speech = power[power >= power.mean() / 10**1.5].mean()
    return float(10 ** (min(SPEECH_LEVEL - 10 * np.log10(speech), MOST_GAIN) / 20))


def level(samples: np.ndarray) -> np.ndarray:
    """`samples` at `SPEECH_LEVEL`: what the pipeline lets a model hear."""
    return samples * np.float32(speech_gain(samples))


@contextlib.contextmanager
def _opened(source: bytes | Path, name: str) -> Iterator[soundfile.SoundFile]:
    """The file, open for reading; whatever goes wrong inside becomes one sentence."""
    try:
        with _byte_stream(source, name) as stream, soundfile.SoundFile(stream) as file:
            yield file
    except FileNotFoundError as error:
        raise AudioError(f"{name} does not exist; check the path.") from error
    except OSError as error:
        raise AudioError(f"{name} cannot be read ({error.strerror}).") from error
    except MemoryError as error:
        raise AudioError(f"{name} is too long for the memory of this computer; cut it into parts.") from error
    except (soundfile.SoundFileError, TypeError) as error:
        reason = "is not a sound that can be read; convert it to wav, flac, ogg or mp3"
        raise AudioError(f"{name} {reason}.") from error


def _byte_stream(source: bytes | Path, name: str) -> BinaryIO:
    if isinstance(source, Path) and source.is_dir():
        raise AudioError(f"{name} is a folder; name a file inside it.")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size == 0:
        raise AudioError(f"{name} is empty (0 bytes); export it again.")
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _check_length(seconds: float, name: str) -> None:
    if seconds < SHORTEST - 1e-6:
        raise AudioError(f"{name} lasts {max(seconds, 0.0):.2g} s; at least {SHORTEST:g} s are needed.")
    if seconds > LONGEST:
        raise AudioError(f"{name} lasts {seconds / 3600:.0f} hours; at most {LONGEST / 3600:.0f} fit into one job.")


def _mono_blocks(file: soundfile.SoundFile, first: int, stop: int, name: str) -> Iterator[np.ndarray]:
    """The mean of all channels, from sample `first` up to `stop` or the file's end, in blocks of float32 [n]."""
    if first >= file.frames:
        return
    file.seek(first)
    left = stop - first
    while left > 0:
        block = file.read(min(left, _BLOCK_SECONDS * file.samplerate), dtype="float32", always_2d=True)
        if not len(block):
            return
        if not np.isfinite(block).all():
            raise AudioError(f"{name} holds samples that are no numbers (NaN or infinite); export it again.")
        left -= len(block)
        yield block.mean(axis=1)


def _resampled(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Mono blocks at `rate` as consecutive ones at 16 kHz, without delay."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
