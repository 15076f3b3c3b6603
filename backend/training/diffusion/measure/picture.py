# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of what a DiffusionTalker performs: takes of one sound, and moods of one sound, as curves over its waveform.

`python -m backend.training.diffusion.measure.picture SOUND --model MODEL --takes TAKES.png --moods MOODS.png`
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from backend import catalogue, checkpoint, pipeline, planning
from backend.audio import SAMPLE_RATE, decode
from backend.checkpoint import LoadedModel
from backend.emotions import Emotions
from backend.face import ARKIT_CHANNELS
from backend.performance import Performance
from backend.training.lips.score import aperture

FPS = 60.0
LONGEST = 8.0
"""Seconds that are shown."""
_COLOURS = ("#30638e", "#d1495b", "#00798c", "#edae49")
_TAKES = ("lip aperture", "eyeBlinkLeft", "browInnerUp", "eyes to the side")
_MOODS = ("lip aperture", "mouthSmileLeft", "browInnerUp", "browDownLeft", "eyeWideLeft", "noseSneerLeft")
_FELT: Mapping[str, Emotions | None] = {
    "neutral": None,
    "happy": {"happy": 1.0},
    "angry": {"angry": 1.0},
    "from afraid to surprised": [(0.5, {"afraid": 1.0}), (5.0, {"surprised": 1.0})],
}


def main() -> None:
    """Draws both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sound", type=Path)
    parser.add_argument("--model", default="diffusion")
    parser.add_argument("--takes", type=Path, required=True, metavar="FILE")
    parser.add_argument("--moods", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    loaded = checkpoint.load(catalogue.find_or_open(arguments.model))
    samples = decode(arguments.sound)[: round(LONGEST * SAMPLE_RATE)]
    three = performed(loaded, samples, Performance(takes=3))
    draw(samples, {f"take {number}": take for number, take in enumerate(three, 1)}, _TAKES, arguments.takes)
    moods = {name: performed(loaded, samples, Performance(emotions=felt))[0] for name, felt in _FELT.items()}
    draw(samples, moods, _MOODS, arguments.moods)


def performed(loaded: LoadedModel, samples: np.ndarray, performance: Performance) -> list[np.ndarray]:
    """float32 [frames, 52] of every take."""
    planned = planning.plan(loaded, planning.Request(space="arkit", fps=FPS, performance=performance))
    takes: list[list[np.ndarray]] = [[] for _ in range(performance.count)]
    for chunk in pipeline.generate(loaded, samples, planned):
        takes[chunk.take].append(chunk.values)
    return [np.concatenate(pieces) for pieces in takes]


def draw(samples: np.ndarray, motions: Mapping[str, np.ndarray], rows: Sequence[str], path: Path) -> None:
    """Writes a .png: the waveform, and a row of curves for each of `rows`."""
    figure, axes = plt.subplots(
        len(rows) + 1,
        1,
        figsize=(11, 1.3 * len(rows) + 1),
        sharex=True,
        layout="constrained",
        height_ratios=[0.6] + [1] * len(rows),
    )
    axes[0].plot(np.arange(len(samples)) / SAMPLE_RATE, samples, color="#9a9a9a", lw=0.3)
    axes[0].set_axis_off()
    for axis, row in zip(axes[1:], rows, strict=True):
        for colour, (name, motion) in zip(_COLOURS, motions.items(), strict=False):
            axis.plot(np.arange(len(motion)) / FPS, _curve(motion, row), color=colour, lw=1.2, label=name)
        axis.set_ylabel(row, fontsize=8)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].legend(loc="upper right", ncols=4, fontsize=8, framealpha=0.9)
    axes[-1].set(xlabel="seconds", xlim=(0, len(samples) / SAMPLE_RATE))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curve(motion: np.ndarray, row: str) -> np.ndarray:
    if row == "lip aperture":
        return aperture(torch.from_numpy(motion)).numpy()
    if row == "eyes to the side":
        return _channel(motion, "eyeLookOutLeft") - _channel(motion, "eyeLookInLeft")
    return _channel(motion, row)


def _channel(motion: np.ndarray, name: str) -> np.ndarray:
    return motion[:, ARKIT_CHANNELS.index(name)]


if __name__ == "__main__":
    main()
