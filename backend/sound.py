# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound of any length in little memory: read from its file where and when somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from . import audio
from .audio import SAMPLE_RATE, Source

KEPT_SECONDS = 60
"""What was read last is kept, so that a sound no longer than this is read only once."""


class Sound:
    """One stretch of a sound file (`audio.pieces`) that is cut like an array: ``len(sound)``, ``sound[first:stop]``.

    It goes through the file once at the start, for its length and its level, and once more for everybody who listens
    from the beginning.
    """

    gain: float
    """As `audio.speech_gain` of all samples."""

    def __init__(
        self,
        source: Source,
        start: float = 0.0,
        duration: float | None = None,
        go_on: Callable[[], None] = lambda: None,
    ) -> None:
        """`go_on` is called for every ten seconds of the first pass and may raise to stop. Raises `AudioError`."""
        self._again = partial(audio.pieces, source, start, duration)
        self._rewind()
        levels, rest = [], np.zeros(0, np.float32)
        while len(piece := self._next()):
            go_on()
            heard = np.concatenate((rest, piece))
            whole = len(heard) // audio.LEVEL_FRAME * audio.LEVEL_FRAME
            levels.append(audio.frame_power(heard[:whole]))
            rest = heard[whole:]
        self._length = self._stop
        self.gain = audio.gain_of(np.concatenate(levels))

    def __len__(self) -> int:
        """Samples at 16 kHz."""
        return self._length

    def __getitem__(self, stretch: slice) -> np.ndarray:
        """float32 [samples]; stretches that follow each other, or overlap a little, are found soonest."""
        first, stop, _ = stretch.indices(len(self))
        if first < self._stop - len(self._kept):
            self._rewind()
        found = [self._kept[max(first - self._stop + len(self._kept), 0) :][: stop - first]]
        while self._stop < stop:
            begin, piece = self._stop, self._next()
            if not len(piece):  # the file has become shorter since
                found.append(np.zeros(stop - begin, np.float32))
                break
            found.append(piece[max(first - begin, 0) :][: stop - max(begin, first)])
        return np.concatenate(found)

    def _rewind(self) -> None:
        self._pieces: Iterator[np.ndarray] = self._again()
        self._kept, self._stop = np.zeros(0, np.float32), 0

    def _next(self) -> np.ndarray:
        """The next piece, which is kept now; empty at the end."""
        piece = next((piece for piece in self._pieces if len(piece)), np.zeros(0, np.float32))
        self._kept = np.concatenate((self._kept, piece))[-KEPT_SECONDS * SAMPLE_RATE :]
        self._stop += len(piece)
        return piece


Samples: TypeAlias = np.ndarray | Sound
"""What is heard, mono and at 16 kHz: float32 [n] in memory, or a stretch of a file."""


def speech_gain(samples: Samples) -> np.float32:
    """What the samples must be multiplied by to bring their speech to `audio.SPEECH_LEVEL`; 1 for silence."""
    return np.float32(samples.gain if isinstance(samples, Sound) else audio.speech_gain(samples))
