# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops: where in the sound the lips of a p or b are really shut, and repairing engines that mark only the burst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from backend.phonetics.phones import Phone, classes_of, closures_of

BAND = (600.0, 6000.0)
"""Hz; a shut mouth shows as a gap in this band, below it voicing goes on through a b."""

_STEP = 0.002
_WINDOW = 0.008
_FOLLOWS = 8.0  # decibels above the minimum that still belong to the gap
_LONGEST_HALF = 0.030
_SHORTEST_PREVIOUS = 0.015
_STOPS = frozenset({"pb", "td", "kg"})


def band_level(samples: np.ndarray, rate: int) -> np.ndarray:
    """float64 [n]: level in decibels between 600 and 6000 Hz, one value every 2 ms (8 ms windows around it)."""
    step, window = round(_STEP * rate), round(_WINDOW * rate)
    size = 1 << (2 * window - 1).bit_length()
    padded = np.pad(np.asarray(samples, np.float64), (window // 2, window))
    starts = np.arange(0, len(samples), step)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, size)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / rate)
    return 10 * np.log10(power[:, (hertz >= BAND[0]) & (hertz <= BAND[1])].sum(1) + 1e-9)


def gap(level: np.ndarray, start: float, end: float) -> tuple[float, float]:
    """The quiet interval (seconds) around the lowest level between two times; at most 60 ms long."""
    first, last = max(round(start / _STEP), 0), max(min(round(end / _STEP), len(level) - 1), 0)
    first = min(first, last)
    lowest = first + int(np.argmin(level[first : last + 1]))
    quiet = level < level[lowest] + _FOLLOWS
    reach = round(_LONGEST_HALF / _STEP)
    left = right = lowest
    while left > max(lowest - reach, 0) and quiet[left - 1]:
        left -= 1
    while right < min(lowest + reach, len(level) - 1) and quiet[right + 1]:
        right += 1
    return left * _STEP, (right + 1) * _STEP


def snapped_closures(
    phones: Sequence[Phone], level: np.ndarray, search: tuple[float, float]
) -> list[tuple[float, float]]:
    """`closures_of` with each p and b moved to its gap in the sound, looked for `search` seconds from its start."""
    closures = closures_of(phones)
    bilabials = [phone for phone in phones if classes_of(phone.name)[:1] in (("pb",), ("m",))]
    return [
        gap(level, phone.start + search[0], phone.start + search[1]) if classes_of(phone.name)[0] == "pb" else closure
        for phone, closure in zip(bilabials, closures, strict=True)
    ]


def start_earlier(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """Moves the start of every stop and affricate forward in time at the cost of the phone before.

    espeak-ng marks a stop at its burst, 35 to 45 ms after the lips have closed.
    """
    moved = list(phones)
    for index in range(1, len(moved)):
        before, phone = moved[index - 1], moved[index]
        if not _begins_with_stop(phone.name) or classes_of(before.name)[-1:] == ("sil",):
            continue
        start = max(phone.start - seconds, min(before.start + _SHORTEST_PREVIOUS, phone.start))
        moved[index - 1] = before._replace(end=start)
        moved[index] = phone._replace(start=start)
    return moved


def _begins_with_stop(name: str) -> bool:
    return classes_of(name)[:1] != ("sil",) and not _STOPS.isdisjoint(classes_of(name[:1]))
