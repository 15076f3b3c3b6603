# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of what the default model does with recordings of people: curves over waveforms, and where lips must meet.

`python -m backend.training.lips.curves FOLDER NAME… --output PICTURE`; FOLDER has NAME.json (phones, closures, whose
recording it is) beside NAME.flac. What is said stands in the title where `--transcripts` has a NAME.txt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from backend import catalogue, checkpoint
from backend.audio import SAMPLE_RATE, decode
from backend.face import ARKIT_CHANNELS
from backend.training.speech.corpus import Recording
from matplotlib.axes import Axes

from .evaluate import motion, recordings_of
from .score import CLOSED, aperture

FPS = 60.0
LONGEST = 6.0
"""Seconds of each recording that are shown."""
_CURVES = {"mouthPucker": "#edae49", "mouthFunnel": "#8a5a9e", "mouthSmileLeft": "#00798c", "browInnerUp": "#9a9a9a"}


def main() -> None:
    """Draws the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--transcripts", type=Path, help="folder with what is said, NAME.txt for each recording")
    parser.add_argument("--model", default="default")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    loaded = checkpoint.load(catalogue.find_or_open(arguments.model))
    pairs = {path.stem: (path, recording) for path, recording in recordings_of(arguments.folder)}
    height = 2.9 * len(arguments.names) + 0.4
    figure, rows = plt.subplots(len(arguments.names), 1, figsize=(11, height), squeeze=False, layout="constrained")
    for axes, name in zip(rows[:, 0], arguments.names, strict=True):
        path, recording = pairs[name]
        samples = decode(path)
        draw(axes, samples, motion(loaded, samples), recording)
        axes.set_title(title(name, recording, arguments.transcripts), loc="left", fontsize=9)
    lines, labels = rows[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), fontsize=8, frameon=False)
    rows[-1, 0].set_xlabel("seconds")
    figure.savefig(arguments.output, dpi=110)


def title(name: str, recording: Recording, transcripts: Path | None) -> str:
    """What is said, whose recording it is, and the name that the pages call it by."""
    told = transcripts / f"{name}.txt" if transcripts else None
    said = told.read_text(encoding="utf-8").strip() if told and told.is_file() else recording.text
    about = f"{name}, {recording.source}" if recording.source else name
    return f"“{said}”\n{about}" if said else about


def draw(axes: Axes, samples: np.ndarray, values: np.ndarray, recording: Recording) -> None:
    """One recording: its waveform in grey, closures as bands, phones below, curves on top."""
    seconds = np.arange(len(samples)) / SAMPLE_RATE
    axes.plot(seconds, -0.28 + 0.12 * samples / max(float(np.abs(samples).max()), 1e-6), color="#b8b8b8", lw=0.4)
    for index, (start, end) in enumerate(recording.closures):
        axes.axvspan(start, end, color="#d1495b", alpha=0.25, lw=0, label="p b m" if index == 0 else None)
    frames = np.arange(len(values)) / FPS
    axes.plot(frames, aperture(torch.from_numpy(values)).numpy(), color="#222222", lw=1.6, label="lip aperture")
    axes.plot(frames, values[:, ARKIT_CHANNELS.index("jawOpen")], color="#30638e", lw=1.2, label="jawOpen")
    for channel, colour in _CURVES.items():
        axes.plot(frames, values[:, ARKIT_CHANNELS.index(channel)], color=colour, lw=0.9, label=channel)
    axes.axhline(CLOSED, color="#d1495b", lw=0.6, ls=":")
    for name, start, end in recording.phones:
        if start < LONGEST and name != "sil":
            axes.text((start + end) / 2, -0.47, name, ha="center", fontsize=5.5, color="#555555", clip_on=True)
    axes.set(xlim=(0, min(seconds[-1], LONGEST)), ylim=(-0.5, 0.75))


if __name__ == "__main__":
    main()
