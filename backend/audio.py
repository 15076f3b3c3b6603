# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound files as the models hear them: mono, 16 kHz, one stretch, at an even level.

Whatever libsndfile reads is welcome (wav, flac, ogg, opus, mp3, aiff, …), at any rate and with any number of channels.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np
import soundfile
import soxr

from .windows import SAMPLE_RATE

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SHORTEST = 0.1
"""Seconds; less sound than this is a mistake, not speech."""
LONGEST = 24 * 3600.0
"""Seconds of sound for one job."""

SPEECH_LEVEL = -24.0
"""dBFS of the speech after levelling, pauses not counted."""
MOST_GAIN = 30.0
"""dB; more would only lift the noise of an empty room."""
LEVEL_FRAME = 320
"""Samples whose power is looked at together."""
_SILENCE_LEVEL = -65.0
_BLOCK_SECONDS = 10

Source: TypeAlias = Path | bytes | memoryview
"""A sound file: where it lies, or its bytes."""


class AudioError(Exception):
    """The sound cannot be used; the sentence says why and what to do."""


def decode(source: Source, start: float = 0.0, duration: float | None = None) -> np.ndarray:
    """One stretch of a sound file, mixed to mono at 16 kHz: float32 [round(duration * 16000)]; see `pieces`."""
    return np.concatenate(list(pieces(source, start, duration)))


def pieces(source: Source, start: float = 0.0, duration: float | None = None) -> Iterator[np.ndarray]:
    """One stretch of a sound file as consecutive pieces of float32 [n] in mono at 16 kHz, ten seconds long at most.

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
        begin, left = max(start, 0.0), round(wanted * SAMPLE_RATE)
        blocks = _mono_blocks(file, round(begin * file.samplerate), round((start + wanted) * file.samplerate), name)
        before = _silence(min(round((begin - start) * SAMPLE_RATE), left))
        for piece in itertools.chain(before, _resampled(blocks, file.samplerate)):
            inside = piece[:left]
            left -= len(inside)
            yield inside
    if duration is None and left > SHORTEST * SAMPLE_RATE:  # its header claims more than it holds
        _check_length(wanted - left / SAMPLE_RATE, name)
    else:
        yield from _silence(left)


def speech_gain(samples: np.ndarray) -> float:
    """What samples (float32 [n], 16 kHz) must be multiplied by to bring their speech to `SPEECH_LEVEL`; 1 for silence.

    The level is the mean power of the 20 ms frames that pass two gates, as in ITU-R BS.1770-4 annex 1: one against
    silence, one 15 dB below the mean of what is left. So neither pauses nor the length of the sound count.
    """
    return gain_of(frame_power(samples))


def frame_power(samples: np.ndarray) -> np.ndarray:
    """float64 [n / `LEVEL_FRAME`]: the power of all whole frames of 20 ms."""
    framed = samples[: len(samples) // LEVEL_FRAME * LEVEL_FRAME].reshape(-1, LEVEL_FRAME)
    return np.einsum("ij,ij->i", framed, framed, dtype=np.float64) / LEVEL_FRAME


def gain_of(power: np.ndarray) -> float:
    """`speech_gain` of samples whose `frame_power` is known."""
    power = power[power > 10 ** (_SILENCE_LEVEL / 10)]
    if not len(power):
        return 1.0
    speech = power[power >= power.mean() / 10**1.5].mean()
    return float(10 ** (min(SPEECH_LEVEL - 10 * np.log10(speech), MOST_GAIN) / 20))


def level(samples: np.ndarray) -> np.ndarray:
    """`samples` at `SPEECH_LEVEL`: what the pipeline lets a model hear."""
    return samples * np.float32(speech_gain(samples))


@contextlib.contextmanager
def _opened(source: Source, name: str) -> Iterator[soundfile.SoundFile]:
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


def _byte_stream(source: Source, name: str) -> BinaryIO:
    if isinstance(source, Path) and source.is_dir():
        raise AudioError(f"{name} is a folder; name a file inside it.")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size == 0:
        raise AudioError(f"{name} is empty (0 bytes); export it again.")
    return source.open("rb") if isinstance(source, Path) else io.BufferedReader(Bytes(source))


class Bytes(io.RawIOBase):
    """Bytes as a file to read, without the copy of them that `io.BytesIO` makes."""

    def __init__(self, content: bytes | memoryview) -> None:
        super().__init__()
        self._content, self._place = memoryview(content), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._content)}[whence]
        self._place = max(origin + offset, 0)
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer)
        found = self._content[self._place : self._place + len(target)]
        target[: len(found)] = found
        self._place += len(found)
        return len(found)


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


def _silence(samples: int) -> Iterator[np.ndarray]:
    """So many zeros, in pieces."""
    for start in range(0, samples, _BLOCK_SECONDS * SAMPLE_RATE):
        yield np.zeros(min(_BLOCK_SECONDS * SAMPLE_RATE, samples - start), np.float32)


def _resampled(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Mono blocks at `rate` as consecutive ones at 16 kHz, without delay."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
