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


class CrossFade:
    """Joins what is known of consecutive windows, frames [frames, ...] at one rate, as the windows come."""

    def __init__(self, fps: float, edge: float = 0.0) -> None:
        """`fps` must give whole frames in 5 s and in 20 s, so that windows begin on a frame. ValueError otherwise.

        Of an overlap, so many seconds at either `edge` come from one window alone.
        """
        overlap = OVERLAP_SECONDS * fps
        if overlap != int(overlap):
            raise ValueError(
                f"motion at {fps} frames per second cannot be joined: {OVERLAP_SECONDS} s are no whole frames"
            )
        margin = edge / OVERLAP_SECONDS
        self._fade = np.interp(np.linspace(0.0, 1.0, int(overlap)), (margin, 1.0 - margin), (1.0, 0.0))
        self._held: np.ndarray | None = None

    def push(self, piece: np.ndarray) -> np.ndarray:
        """Take the next window's frames and give those that no later window can change."""
        if self._held is not None:
            piece = _faded(self._held, piece, self._fade)
        settled = max(0, len(piece) - len(self._fade))
        self._held = piece[settled:]
        return piece[:settled]

    def rest(self) -> np.ndarray:
        """What is left behind the last window."""
        return np.zeros(0, np.float32) if self._held is None else self._held


def cross_fade(pieces: Iterable[np.ndarray], fps: float, edge: float = 0.0) -> Iterator[np.ndarray]:
    """Join the motion of consecutive windows, float32 [frames, ...], one piece per window; see `CrossFade`.

    Frames come out in order as soon as no later piece can change them.
    """
    joint = CrossFade(fps, edge)
    for piece in pieces:
        if len(settled := joint.push(piece)):
            yield settled
    if len(rest := joint.rest()):
        yield rest


def joined(old: np.ndarray, new: np.ndarray, overlap: int) -> np.ndarray:
    """Two pieces [frames, ...] as one, faded into each other linearly over so many frames that both have."""
    fade = np.linspace(1.0, 0.0, overlap)
    return np.concatenate((old[: len(old) - overlap], _faded(old[len(old) - overlap :], new, fade)))


def _faded(old: np.ndarray, new: np.ndarray, fade: np.ndarray) -> np.ndarray:
    """The new piece, its beginning faded in from the end of the old one; both overlap by the length of `fade`."""
    weights = fade.reshape(-1, *(1,) * (new.ndim - 1))
    both = old * weights + new[: len(fade)] * (1.0 - weights)
    return np.concatenate((both.astype(new.dtype), new[len(fade) :]))
