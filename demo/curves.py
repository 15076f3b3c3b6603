# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the shape-key curves over the waveform that they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend import closures

from .layout import Phone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (
    ("jawOpen", "#d1495b"),
    ("mouthClose", "#30638e"),
    ("mouthPucker", "#edae49"),
    ("mouthFunnel", "#8a5a9e"),
    ("mouthSmileLeft", "#00798c"),
    ("mouthRollLower", "#6a994e"),
)
CLOSURES = {"p", "b", "m"}
SILENCE = {"sil", "pau", "", "h#"}


@dataclass(frozen=True)
class Keys:
    """The keys that the add-on wrote, read back from the scene."""

    names: tuple[str, ...]
    values: np.ndarray  # float32 [frames, names]
    frames: np.ndarray  # float64 [frames]: scene frames
    seconds: np.ndarray  # float64 [frames]: the same in seconds of the sound

    def curve(self, name: str) -> np.ndarray:
        """One shape key over time, [frames]."""
        return self.values[:, self.names.index(name)]


def read_keys(path: Path) -> Keys:
    """What `demo.shot` saved beside the .blend."""
    with np.load(path, allow_pickle=False) as stored:
        names = tuple(str(name) for name in stored["names"])
        return Keys(names, stored["values"], stored["frames"], stored["seconds"])


def draw(keys: Keys, samples: np.ndarray, rate: int, phones: list[Phone], path: Path) -> Path:
    """Waveform with phones, six telling curves, and the lip aperture; saved as a PNG of 1600 x 900."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (wave, weights, gap) = pyplot.subplots(3, 1, figsize=(16, 9), dpi=100, sharex=True, height_ratios=(2, 4, 2))
    draw_waveform(wave, samples, rate, phones)
    for name, colour in SHOWN:
        weights.plot(keys.seconds, keys.curve(name), color=colour, label=name, linewidth=1.8)
    weights.set_ylim(0, max(0.6, float(keys.values.max()) * 1.05))
    weights.set_ylabel("shape key value")
    weights.legend(loc="upper right", ncols=3, frameon=False)
    gap.plot(keys.seconds, closures.opening(keys.values, keys.names), color="#222222", linewidth=1.6)
    gap.axhline(0.05, color="#999999", linestyle=":", linewidth=1)
    gap.set_ylabel("lip aperture")
    gap.set_xlabel("seconds of the sound strip (bands: p, b, m)")
    for axis in (wave, weights, gap):
        mark_closures(axis, phones)
        axis.spines[["top", "right"]].set_visible(False)
    wave.set_xlim(0, len(samples) / rate)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return path


def draw_waveform(axis: Axes, samples: np.ndarray, rate: int, phones: list[Phone]) -> None:
    """The sound itself, with the name of each phone above it."""
    axis.plot(np.arange(len(samples)) / rate, samples, color="#b8b8b8", linewidth=0.5)
    top = float(np.abs(samples).max()) or 1.0
    axis.set_ylim(-top * 1.1, top * 1.6)
    axis.set_yticks([])
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
    spoken = [phone for phone in phones if phone.name not in SILENCE]
    for number, phone in enumerate(spoken):
        axis.text(phone.centre, top * (1.25, 1.48)[number % 2], phone.name, **style)


def mark_closures(axis: Axes, phones: list[Phone]) -> None:
    """A band wherever the lips have to meet."""
    for phone in phones:
        if phone.name in CLOSURES:
            axis.axvspan(phone.start, phone.end, color="#30638e", alpha=0.12, linewidth=0)
