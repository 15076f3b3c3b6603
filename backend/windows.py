# SPDX-License-Identifier: GPL-3.0-or-later
"""Long sounds in pieces: how audio is cut into windows and how their motion is joined again.

25 s windows that overlap by 5 s, faded into each other linearly (the rule of UniTalker's demo).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16000
"""Samples per second of everything that a model hears."""
WINDOW_SECONDS = 25
OVERLAP_SECONDS = 5


@dataclass(frozen=True)
class Window:
    """One piece of a sound, in samples."""

    start: int
    stop: int

    def frames(self, fps: float) -> int:
        """How many it has at a frame rate: those of its end less those of its beginning."""
        return frame_count(self.stop, fps) - frame_count(self.start, fps)


def windows(samples: int) -> list[Window]:
    """The windows of a sound of `samples` samples at 16 kHz; the last one ends with the sound and is over 5 s long."""
    length, step = WINDOW_SECONDS * SAMPLE_RATE, (WINDOW_SECONDS - OVERLAP_SECONDS) * SAMPLE_RATE
    count = max(0, math.ceil((samples - length) / step)) + 1
    return [Window(k * step, min(k * step + length, samples)) for k in range(count)]


def groups(windows: Sequence[Window], size: int) -> Iterator[Sequence[Window]]:
    """Consecutive windows as they are heard together: up to `size` of one length.

    The first one is by itself, because somebody waits for it, and so is the last, which may be shorter.
    """
    inner = windows[1:-1]
    yield windows[:1]
    for start in range(0, len(inner), size):
        yield inner[start : start + size]
    if len(windows) > 1:
        yield windows[-1:]


def frame_count(samples: int, fps: float) -> int:
    """Frames that a sound of `samples` samples at 16 kHz has; half frames go to the even side, as in UniTalker."""
    return round(samples / SAMPLE_RATE * fps)


def cross_fade(pieces: Iterable[np.ndarray], fps: float, edge: float = 0.0) -> Iterator[np.ndarray]:
    """Join the motion of consecutive windows.

    `pieces` are float32 [frames, ...], one per window; frames come out in order as soon as no later piece can change
    them. Of an overlap, so many seconds at either `edge` come from one window alone. `fps` must give whole frames in
    5 s and in 20 s, so that windows begin on a frame. ValueError otherwise.
    """
    overlap = OVERLAP_SECONDS * fps
    if overlap != int(overlap):
        raise ValueError(f"motion at {fps} frames per second cannot be joined: {OVERLAP_SECONDS} s are no whole frames")
    margin = edge / OVERLAP_SECONDS
    fade = np.interp(np.linspace(0.0, 1.0, int(overlap)), (margin, 1.0 - margin), (1.0, 0.0))
    held: np.ndarray | None = None
    for piece in pieces:
        if held is not None:
            piece = _faded(held, piece, fade)
        settled = max(0, len(piece) - len(fade))
        if settled:
            yield piece[:settled]
        held = piece[settled:]
    if held is not None and len(held):
        yield held


def joined(old: np.ndarray, new: np.ndarray, overlap: int) -> np.ndarray:
    """Two pieces [frames, ...] as one, faded into each other linearly over so many frames that both have."""
    fade = np.linspace(1.0, 0.0, overlap)
    return np.concatenate((old[: len(old) - overlap], _faded(old[len(old) - overlap :], new, fade)))


def _faded(old: np.ndarray, new: np.ndarray, fade: np.ndarray) -> np.ndarray:
    """The new piece, its beginning faded in from the end of the old one; both overlap by the length of `fade`."""
    weights = fade.reshape(-1, *(1,) * (new.ndim - 1))
    both = old * weights + new[: len(fade)] * (1.0 - weights)
    return np.concatenate((both.astype(new.dtype), new[len(fade) :]))
