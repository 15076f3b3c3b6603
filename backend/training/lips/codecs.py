# SPDX-License-Identifier: GPL-3.0-or-later
"""Codecs: recordings as telephones, messengers and web pages leave them, through the real encoders of libsndfile.

None of these moves the sound in time: libsndfile leaves out the delay that MP3, Vorbis and Opus put in front.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random

import numpy as np
import soundfile
import soxr
from backend.audio import SAMPLE_RATE


@dataclass(frozen=True)
class Codec:
    """One way to store sound with a loss; names as libsndfile has them."""

    format: str
    subtype: str
    rate: int = SAMPLE_RATE
    compression: tuple[float, float] | None = None
    """From the least to the most that is asked for, of 0 to 1; None where the codec has no such choice."""


CODECS: dict[str, Codec] = {
    "opus": Codec("OGG", "OPUS", compression=(0.85, 0.98)),
    "opus narrow": Codec("OGG", "OPUS", 8000, (0.8, 0.98)),
    "vorbis": Codec("OGG", "VORBIS", compression=(0.7, 0.98)),
    "mp3": Codec("MP3", "MPEG_LAYER_III", compression=(0.7, 0.99)),
    "gsm": Codec("WAV", "GSM610", 8000),
    "adpcm": Codec("WAV", "IMA_ADPCM", 8000),
    "telephone": Codec("WAV", "ULAW", 8000),
}


def coded(samples: np.ndarray, codec: Codec, random: Random) -> np.ndarray:
    """float32 [n] at 16 kHz, coded and decoded again: float32 [n]."""
    compression = None if codec.compression is None else random.uniform(*codec.compression)
    heard = soxr.resample(samples, SAMPLE_RATE, codec.rate)
    file = io.BytesIO()
    soundfile.write(
        file, heard, codec.rate, codec.subtype, format=codec.format, compression_level=compression, closefd=False
    )
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    back = soxr.resample(decoded, rate, SAMPLE_RATE)
    return np.pad(back, (0, max(len(samples) - len(back), 0)))[: len(samples)].astype(np.float32)


def through_any(samples: np.ndarray, random: Random) -> np.ndarray:
    """float32 [n] at 16 kHz through one of the codecs."""
    return coded(samples, random.choice(list(CODECS.values())), random)
