# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of windows for which memory does not suffice: one at a time, then in halves, and their halves."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np

from . import windows

SHORTEST_SECONDS = 4
"""Windows are not halved further: models would hear too little of what goes before."""
_MARGIN_SECONDS = 1
_TELLTALE = "can't allocate memory"
"""In what torch says where the processor's memory runs out, in an error of no class of its own."""


class NotEnoughMemory(Exception):
    """Not even the shortest window fits into memory."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, on any device."""
    import torch

    if isinstance(error, MemoryError | NotEnoughMemory | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and _TELLTALE in str(error)


def in_parts(
    predict: Callable[[np.ndarray, int], np.ndarray], samples: np.ndarray, frames: int, fps: float
) -> np.ndarray:
    """``predict(samples, frames)``: float32 [sounds, frames, ...] for samples [sounds, n] at 16 kHz.

    Where memory runs out, one sound at a time; where it still does, two halves that overlap by 2 s and are faded into
    each other, and their halves in turn. Raises `NotEnoughMemory`.
    """
    try:
        return predict(samples, frames)
    except Exception as error:
        if not ran_out(error):
            raise
    gc.collect()  # outside the clause above, where the error's traceback still holds what was allocated
    if len(samples) > 1:
        return np.concatenate([in_parts(predict, sound[None], frames, fps) for sound in samples])
    middle = round(samples.shape[1] / windows.SAMPLE_RATE / 2)
    if middle < SHORTEST_SECONDS:
        raise NotEnoughMemory
    begin, end = ((middle + margin) * windows.SAMPLE_RATE for margin in (-_MARGIN_SECONDS, _MARGIN_SECONDS))
    first, last = windows.frame_count(begin, fps), windows.frame_count(end, fps)
    one = in_parts(predict, samples[:, :end], last, fps)
    other = in_parts(predict, samples[:, begin:], frames - first, fps)
    return windows.joined(one[0], other[0], last - first)[None]
