# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of windows for which memory does not suffice: one at a time, then in halves, and their halves."""

from __future__ import annotations

import gc
import operator
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from . import windows

SHORTEST_SECONDS = 4
"""Windows are not halved further: models would hear too little of what goes before."""
_MARGIN_SECONDS = 1
_TELLTALES = ("can't allocate memory", "not enough memory", "out of memory", "Invalid buffer size")
"""In what torch says where memory runs out, in an error of no class of its own: the processor's on Linux and macOS, on
Windows, and Metal's."""

Predict: TypeAlias = Callable[[np.ndarray, tuple[int, ...]], tuple[np.ndarray, ...]]
"""What a model says of sounds, float32 [sounds, n]: arrays [sounds, count, ...], each at a rate and with a count of its
own."""


class NotEnoughMemory(Exception):
    """Not even the shortest window fits into memory."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, on any device."""
    import torch

    if isinstance(error, MemoryError | NotEnoughMemory | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(telltale in str(error) for telltale in _TELLTALES)


def in_parts(
    predict: Predict, samples: np.ndarray, counts: tuple[int, ...], rates: tuple[float, ...]
) -> tuple[np.ndarray, ...]:
    """``predict(samples, counts)`` for samples [sounds, n] at 16 kHz.

    Where memory runs out, one sound at a time; where it still does, two halves that overlap by 2 s and are faded into
    each other, and their halves in turn. Raises `NotEnoughMemory`.
    """
    try:
        return predict(samples, counts)
    except Exception as error:
        if not ran_out(error):
            raise
    gc.collect()  # outside the clause above, where the error's traceback still holds what was allocated
    if len(samples) > 1:
        alone = [in_parts(predict, sound[None], counts, rates) for sound in samples]
        return tuple(np.concatenate(track) for track in zip(*alone, strict=True))
    middle = round(samples.shape[1] / windows.SAMPLE_RATE / 2)
    if middle < SHORTEST_SECONDS:
        raise NotEnoughMemory
    begin, end = ((middle + margin) * windows.SAMPLE_RATE for margin in (-_MARGIN_SECONDS, _MARGIN_SECONDS))
    first, last = (tuple(windows.frame_count(edge, rate) for rate in rates) for edge in (begin, end))
    one = in_parts(predict, samples[:, :end], last, rates)
    other = in_parts(predict, samples[:, begin:], tuple(map(operator.sub, counts, first)), rates)
    overlaps = map(operator.sub, last, first)
    return tuple(windows.joined(*both)[None] for both in zip(_only(one), _only(other), overlaps, strict=True))


def _only(tracks: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """The arrays of the one sound that there is."""
    return [track[0] for track in tracks]
