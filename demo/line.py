# SPDX-License-Identifier: GPL-3.0-or-later
"""The spoken line of the demo: its sound, its words and its phones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from .layout import Phone, read_phones, read_words


@dataclass(frozen=True, eq=False)
class Line:
    """What is spoken, and how it sounds."""

    samples: np.ndarray
    """float32 [samples]"""
    rate: int
    words: str
    phones: list[Phone]

    @property
    def length(self) -> float:
        """In seconds."""
        return len(self.samples) / self.rate


def read_line(sound: Path) -> Line:
    """A sound file and the .json file beside it that was written when the line was spoken."""
    samples, rate = soundfile.read(sound, dtype="float32")
    beside = sound.with_suffix(".json")
    return Line(samples, rate, read_words(beside), read_phones(beside))
