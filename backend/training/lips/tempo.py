# SPDX-License-Identifier: GPL-3.0-or-later
"""Tempo: speech said faster or slower at the same pitch, as people do who are in a hurry.

Waveform similarity overlap-add (Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA)
for high quality time-scale modification of speech", ICASSP 1993).
"""

from __future__ import annotations

import numpy as np

_FRAME = 400
_HOP = _FRAME // 2
_WINDOW = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
_REACH = 128
"""Samples to both sides in which the next frame may begin; more than half a period of the lowest voice."""
_COARSE = 4
"""Only every so many-th place and sample are compared."""


def at_tempo(samples: np.ndarray, tempo: float, length: int) -> np.ndarray:
    """float32 [length] out of samples float32 [n] at 16 kHz: above 1 is faster. Behind the end there is silence.

    What was at second t is at ``t / tempo``, to within half a frame (12 ms) and never adding up.
    """
    padded = np.pad(samples.astype(np.float32), (_REACH, _FRAME + 2 * _REACH + round(_HOP * tempo)))
    begins = [_REACH]
    for number in range(1, length // _HOP + 1):
        begin = _likest(padded, begins[-1] + _HOP, _REACH + round(number * _HOP * tempo))
        if begin + _FRAME > len(padded):
            break
        begins.append(begin)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[begins] * _WINDOW
    hops = np.zeros((length // _HOP + 2, _HOP), np.float32)
    hops[: len(begins)] = frames[:, :_HOP]
    hops[1 : len(begins) + 1] += frames[:, _HOP:]
    return hops.ravel()[:length]


def _likest(padded: np.ndarray, continued: int, wanted: int) -> int:
    """Where near `wanted` the sound goes on as it would have at `continued`."""
    last = len(padded) - _FRAME - _REACH
    if wanted > last or continued > last:
        return wanted
    pattern = padded[continued : continued + _FRAME : _COARSE]
    around = padded[wanted - _REACH : wanted + _REACH + _FRAME : _COARSE]
    return wanted - _REACH + _COARSE * int(np.correlate(around, pattern, "valid").argmax())
