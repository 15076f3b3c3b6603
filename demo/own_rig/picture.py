# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of eight sliders over the waveform: what the animator would have keyed, and what the model has keyed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .animator import LIMITS, SLIDERS
from .lines import FRAMES_PER_SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#d1495b", "#00798c", "#edae49", "#30638e", "#8a5a9e", "#6a994e", "#c06014", "#5c6b73")


def draw(samples: np.ndarray, rate: int, wanted: np.ndarray, found: np.ndarray, path: Path) -> Path:
    """One line: `wanted` and `found` are [frames, 8] at 24 frames per second."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    seconds = np.arange(len(wanted)) / FRAMES_PER_SECOND
    heights = (1.1, *(1.0 for _ in SLIDERS))
    figure, (wave, *rows) = pyplot.subplots(
        len(heights), 1, figsize=(12, 9), dpi=110, sharex=True, height_ratios=heights
    )
    _draw_wave(wave, samples, rate)
    for column, (name, axis, colour) in enumerate(zip(SLIDERS, rows, COLOURS, strict=True)):
        axis.fill_between(seconds, wanted[:, column], color="#d9d9d9", linewidth=0, label="animator")
        axis.plot(seconds, found[:, column], color=colour, linewidth=1.8, label="model")
        _set_limits(axis, name)
    for axis in (wave, *rows):
        axis.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("seconds")
    rows[-1].set_xlim(0, seconds[-1])
    figure.align_ylabels()
    figure.tight_layout(h_pad=0.3)
    figure.savefig(path)
    pyplot.close(figure)
    return path


def _draw_wave(axis: Axes, samples: np.ndarray, rate: int) -> None:
    axis.plot(np.arange(len(samples)) / rate, samples, color="#9a9a9a", linewidth=0.5)
    axis.set_yticks([])
    axis.set_ylabel("sound", rotation=0, ha="right", va="center")
    title = "A sentence that the model was not taught: grey as the animator keys it, coloured as it answers"
    axis.set_title(title, loc="left")


def _set_limits(axis: Axes, name: str) -> None:
    """Show a slider from its lowest to its highest value."""
    low, high = LIMITS[name]
    axis.axhline(0, color="#bbbbbb", linewidth=0.6)
    axis.set_ylim(low - 0.05, high + 0.08)
    axis.set_yticks([low, high] if low else [0, high])
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
