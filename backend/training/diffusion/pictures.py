# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of what DiffusionTalker does with one sound: its takes, and the same take in several moods.

`python -m backend.training.diffusion.pictures SOUND --takes PICTURE --moods PICTURE`; either may be left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
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

APERTURE, SIDEWAYS = "lip aperture", "eyes to the side"
TAKES = 3
_OF_TAKES = (APERTURE, "eyeBlinkLeft", "browInnerUp", SIDEWAYS)
_OF_MOODS = (APERTURE, "mouthSmileLeft", "browInnerUp", "browDownLeft", "eyeWideLeft", "noseSneerLeft")
_COLOURS = ("#30638e", "#d1495b", "#00798c", "#edae49")


def main() -> None:
    """Draws the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sound", type=Path)
    parser.add_argument("--takes", type=Path, help=f"picture of {TAKES} takes to write")
    parser.add_argument("--moods", type=Path, help="picture of four moods to write")
    parser.add_argument("--model", default="diffusion")
    arguments = parser.parse_args()
    loaded, samples = checkpoint.load(catalogue.find_or_open(arguments.model)), decode(arguments.sound)
    if arguments.takes:
        played = performed(loaded, samples, Performance(takes=TAKES))
        draw(samples, {f"take {number}": take for number, take in enumerate(played, 1)}, _OF_TAKES, arguments.takes)
    if arguments.moods:
        moods = _moods(len(samples) / SAMPLE_RATE)
        takes = {name: performed(loaded, samples, Performance(emotions=felt))[0] for name, felt in moods.items()}
        draw(samples, takes, _OF_MOODS, arguments.moods)


def _moods(seconds: float) -> dict[str, Emotions | None]:
    changing = [(0.0, {"afraid": 1.0}), (seconds, {"surprised": 1.0})]
    return {"neutral": None, "happy": {"happy": 1.0}, "angry": {"angry": 1.0}, "from afraid to surprised": changing}


def performed(loaded: LoadedModel, samples: np.ndarray, performance: Performance) -> np.ndarray:
    """The takes of a sound at the model's own rate, as artists get them: float32 [takes, frames, 52]."""
    planned = planning.plan(loaded, planning.Request(performance=performance))
    takes: list[list[np.ndarray]] = [[] for _ in range(performance.count)]
    for chunk in pipeline.generate(loaded, samples, planned):
        takes[chunk.take].append(chunk.values)
    return np.stack([np.concatenate(chunks) for chunks in takes])


def draw(samples: np.ndarray, takes: Mapping[str, np.ndarray], curves: tuple[str, ...], output: Path) -> None:
    """A sound's waveform, and below it a row for each curve with a line for each take, [frames, 52]."""
    length = len(samples) / SAMPLE_RATE
    shape = {"height_ratios": [0.6, *[1.0] * len(curves)]}
    figure, rows = plt.subplots(
        len(curves) + 1, 1, figsize=(11, 1.2 * len(curves) + 1.4), sharex=True, gridspec_kw=shape, layout="constrained"
    )
    rows[0].plot(np.arange(len(samples)) / SAMPLE_RATE, samples, color="#9a9a9a", lw=0.4)
    rows[0].set_axis_off()
    for axes, name in zip(rows[1:], curves, strict=True):
        for (label, values), colour in zip(takes.items(), _COLOURS, strict=False):
            axes.plot(np.linspace(0, length, len(values)), _curve(values, name), color=colour, lw=1.3, label=label)
        axes.set_ylabel(name, fontsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    rows[1].legend(loc="upper right", ncols=len(takes), fontsize=8)
    rows[-1].set(xlabel="seconds", xlim=(0, length))
    figure.savefig(output, dpi=110)
    plt.close(figure)


def _curve(values: np.ndarray, name: str) -> np.ndarray:
    if name == APERTURE:
        return aperture(torch.from_numpy(values)).numpy()
    if name == SIDEWAYS:
        return values[:, ARKIT_CHANNELS.index("eyeLookOutLeft")] - values[:, ARKIT_CHANNELS.index("eyeLookInLeft")]
    return values[:, ARKIT_CHANNELS.index(name)]


if __name__ == "__main__":
    main()
