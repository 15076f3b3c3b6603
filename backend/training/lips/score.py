# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips: the opening between them from ARKit weights, and how well it agrees with phone times.

The definitions are those of the project's yardstick for lip sync: a mouth counts as closed where the aperture is
under 0.05, and a closure is hit where that happens within 40 ms of its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import Phone
from torch import Tensor

CLOSED = 0.05
TOLERANCE = 0.040
_SILENT = frozenset({"sil", "pau", "", "h#"})
_PARTS = {
    "mouthLowerDownLeft": 0.2,
    "mouthLowerDownRight": 0.2,
    "mouthUpperUpLeft": 0.2,
    "mouthUpperUpRight": 0.2,
    "mouthFunnel": 0.15,
    "mouthPressLeft": -0.15,
    "mouthPressRight": -0.15,
    "mouthRollLower": -0.1,
    "mouthRollUpper": -0.1,
}
_JAW, _CLOSE = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")
_LOWER_FACE = [index for index, name in enumerate(ARKIT_CHANNELS) if name.startswith(("mouth", "jaw", "tongue"))]
_MOVES = 0.02  # standard deviation from which on a channel counts as moving
_COLUMNS = [ARKIT_CHANNELS.index(name) for name in _PARTS]
_FACTORS = torch.tensor(list(_PARTS.values()))
_THRESHOLDS = np.round(np.arange(-0.06, 0.2, 0.01), 2)

# how open each vowel is, and each consonant's aperture, for the two correlations (ARPAbet)
_OPENNESS = {
    "aa": 0.55,
    "ao": 0.42,
    "ae": 0.42,
    "ow": 0.32,
    "ah": 0.28,
    "eh": 0.32,
    "er": 0.2,
    "uh": 0.2,
    "ih": 0.2,
    "ey": 0.26,
    "ay": 0.45,
    "aw": 0.45,
    "oy": 0.38,
    "iy": 0.12,
    "uw": 0.12,
}
_CONSONANTS = {
    "p": 0.0,
    "b": 0.0,
    "m": 0.0,
    "f": 0.08,
    "v": 0.08,
    "s": 0.12,
    "z": 0.12,
    "sh": 0.15,
    "zh": 0.15,
    "ch": 0.13,
    "jh": 0.13,
    "w": 0.08,
    "r": 0.14,
    "t": 0.16,
    "d": 0.16,
    "n": 0.17,
    "l": 0.2,
    "th": 0.17,
    "dh": 0.17,
    "k": 0.2,
    "g": 0.2,
    "ng": 0.19,
    "hh": 0.22,
    "y": 0.14,
    "sil": 0.02,
}


def aperture(values: Tensor) -> Tensor:
    """[..., 52] ARKit weights to the opening between the lips [...]; below 0 where they press."""
    gap = (values[..., _JAW] - values[..., _CLOSE]).clamp(min=0)
    return gap + values[..., _COLUMNS] @ _FACTORS.to(values)


@dataclass
class Score:
    """Counts over many recordings, and the figures made of them."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros((len(_THRESHOLDS) + 1, 4), int))
    """Hits, true closures, right predictions, predictions; row 0 at 0.05, then one row per threshold."""
    vowels: list[tuple[float, float]] = field(default_factory=list)
    correlations: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    silence: list[np.ndarray] = field(default_factory=list)
    curves: list[float] = field(default_factory=list)
    """Of each recording, the mean correlation with the rules over the channels that move in it."""

    def add(
        self,
        values: np.ndarray,
        fps: float,
        phones: Sequence[Phone],
        closures: Sequence[tuple[float, float]],
        target: np.ndarray | None = None,
    ) -> None:
        """Scores one recording: ARKit weights float32 [frames, 52] against its phones and closures in seconds.

        `target` is the motion by the rules, float32 [frames, 52] at the same rate; None leaves out `curves`.
        """
        opening = aperture(torch.from_numpy(values)).numpy().astype(float)
        silent = _spans(len(opening), fps, [phone for phone in phones if phone.name in _SILENT])
        for row, threshold in enumerate((CLOSED, *_THRESHOLDS)):
            self.counts[row] += _count(opening < threshold, closures, silent, fps)
        self._add_phones(opening, values[:, _JAW], fps, phones)
        self._add_track(opening, fps, phones)
        if target is not None:
            self.curves.append(_likeness(values, target))

    def figures(self) -> dict[str, float]:
        """recall, precision, f1, best_f1, vowel_jaw, aperture, lag_ms, silence_p95 of everything added.

        With targets also `curves`, the mean correlation with them.
        """
        recall, precision, f1 = _rates(self.counts[0])
        pairs = np.array(self.vowels)
        usable = len(pairs) > 2 and pairs[:, 1].std() > 1e-6
        figures = {
            "closures": float(self.counts[0, 1]),
            "recall": recall,
            "precision": precision,
            "f1": f1,
            "best_f1": max(_rates(row)[2] for row in self.counts[1:]),
            "vowel_jaw": float(np.corrcoef(pairs.T)[0, 1]) if usable else 0.0,
            "aperture": float(np.mean(self.correlations)) if self.correlations else 0.0,
            "lag_ms": float(np.median(self.lags)) if self.lags else 0.0,
            "silence_p95": float(np.percentile(np.concatenate(self.silence), 95)) if self.silence else 0.0,
        }
        return figures | ({"curves": float(np.mean(self.curves))} if self.curves else {})

    def _add_phones(self, opening: np.ndarray, jaw: np.ndarray, fps: float, phones: Sequence[Phone]) -> None:
        for name, start, end in phones:
            if name in _SILENT and end - start > 0.4:
                self.silence.append(opening[int((start + 0.15) * fps) : int((end - 0.15) * fps)])
            if name in _OPENNESS and end > start:
                first = int(start * fps)
                peak = jaw[first : max(int(end * fps), first + 1)].max(initial=0)
                self.vowels.append((_OPENNESS[name], float(peak)))

    def _add_track(self, opening: np.ndarray, fps: float, phones: Sequence[Phone]) -> None:
        reach = int(0.2 * fps)
        inner = slice(reach, -reach)
        if len(opening) <= 4 * reach or opening[2 * reach : -2 * reach].std() < 1e-5:
            return
        track = _track(phones, len(opening), fps)
        shifts = range(-reach, reach + 1)
        found = [np.corrcoef(track[inner], np.roll(opening, -shift)[inner])[0, 1] for shift in shifts]
        self.lags.append((int(np.argmax(found)) - reach) / fps * 1000)
        self.correlations.append(float(found[reach]))


def _likeness(values: np.ndarray, target: np.ndarray) -> float:
    """Mean correlation over the channels of the lower face that the target moves."""
    count = min(len(values), len(target))
    moved = [index for index in _LOWER_FACE if target[:count, index].std() > _MOVES]
    likenesses = [np.corrcoef(values[:count, index], target[:count, index])[0, 1] for index in moved]
    return float(np.mean(np.nan_to_num(likenesses))) if likenesses else 0.0


def _count(
    closed: np.ndarray, closures: Sequence[tuple[float, float]], silent: np.ndarray, fps: float
) -> tuple[int, int, int, int]:
    middles = np.array([(start + end) / 2 for start, end in closures])
    hit = sum(
        bool(closed[max(int(np.ceil((middle - TOLERANCE) * fps)), 0) : int((middle + TOLERANCE) * fps) + 1].any())
        for middle in middles
    )
    runs = [(first, last) for first, last in _runs(closed & ~silent) if last - first >= 2 or fps <= 40]
    right = sum(
        bool(((middles > first / fps - TOLERANCE) & (middles < (last - 1) / fps + TOLERANCE)).any())
        for first, last in runs
    )
    return hit, len(middles), right, len(runs)


def _rates(counts: np.ndarray) -> tuple[float, float, float]:
    hit, true, right, said = (float(count) for count in counts)
    recall, precision = hit / max(true, 1), right / max(said, 1)
    return recall, precision, 2 * recall * precision / max(recall + precision, 1e-9)


def _spans(frames: int, fps: float, phones: Sequence[Phone]) -> np.ndarray:
    inside = np.zeros(frames, bool)
    for phone in phones:
        inside[int(phone.start * fps) : int(phone.end * fps)] = True
    return inside


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    steps = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def _track(phones: Sequence[Phone], frames: int, fps: float) -> np.ndarray:
    opening = np.zeros(frames)
    for name, start, end in phones:
        first = int(start * fps)
        opening[first : max(int(end * fps), first + 1)] = _OPENNESS.get(name, _CONSONANTS.get(name, 0.15))
    window = np.hanning(max(int(0.12 * fps) | 1, 3))
    return np.convolve(opening, window / window.sum(), "same")
