# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small annotated data sets whose motion can be heard: louder is wider open, higher is more smile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from backend import motion_file
from backend.motion_file import Motion
from backend.training.motion import prepare as preparation
from backend.training.motion.prepare import Options

SLIDERS = ("open", "smile", "brow")
DIM = 24
RELEASE_SPLITS = ("train",) * 6 + ("val",) * 2 + ("test",) * 2


def speech(path: Path, seconds: float, fps: float, seed: int) -> np.ndarray:
    """Write a sound that changes five times a second; returns how open and how high it is, [frames, 2] in 0 to 1."""
    random = np.random.default_rng(seed)
    steps = random.uniform(0, 1, (round(seconds * 5) + 1, 2))
    time = np.arange(round(seconds * 16000)) / 16000
    loud, high = (np.interp(time * 5, np.arange(len(steps)), column) for column in steps.T)
    samples = 0.4 * loud * np.sin(2 * np.pi * np.cumsum(200 + 1500 * high) / 16000)
    soundfile.write(path, samples, 16000)
    at = np.arange(round(seconds * fps)) / fps
    return np.stack([np.interp(at * 5, np.arange(len(steps)), column) for column in steps.T], axis=1)


def faces(folder: Path, name: str = "T0", subjects: int = 2) -> Path:
    """A UniTalker release of eight vertices that move along two directions, each speaker on a face of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    templates, directions = random.normal(size=(subjects, DIM)), random.normal(size=(2, DIM)) / 5
    np.save(folder / "id_template.npy", templates.reshape(subjects, -1, 3).astype(np.float32))
    labels: dict[str, list[dict]] = {"train": [], "val": [], "test": []}
    for number, split in enumerate(RELEASE_SPLITS):
        drive = speech(folder / f"{number}.wav", 1 + number % 3 / 4, 30, number)
        motion = templates[number % subjects] + drive @ directions
        np.save(folder / f"{number}.npy", motion.reshape(len(drive), -1, 3).astype(np.float32))
        item = {"annot_type": "toy_8_vertices", "dataset": name, "fps": 30, "id": number % subjects}
        labels[split].append({**item, "annot_path": f"{number}.npy", "audio_path": f"{number}.wav"})
    for split, items in labels.items():
        (folder / f"{split}.json").write_text(json.dumps({"info": {"id_list": list(range(subjects))}, "data": items}))
    return folder


def rig(
    folder: Path,
    space: str = "my_rig",
    identity: str = "hero",
    names: tuple[str, ...] = SLIDERS,
    **about: object,
) -> Path:
    """A folder of exported clips of a character with sliders, the last one always still."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(12):
        drive = speech(folder / f"take{number:02}.wav", 1.0, 25, 100 + number)
        values = np.pad(drive, ((0, 0), (0, len(names) - 2))).astype(np.float32)
        metadata = json.dumps({"identity": identity, **about})
        motion = Motion(space, 25.0, values, names, metadata=metadata)
        motion_file.write(folder / f"take{number:02}.npz", motion)
    return folder


def prepare(layout: str, folder: Path, output: Path, components: int = 2) -> Path:
    """The folder of one prepared data set."""
    (report,) = preparation.prepare(layout, folder, output, Options(strict=True, components=components))
    return report.prepared.folder


def faces_and_rig(folder: Path) -> Path:
    """The folder of both data sets, prepared: `T0` and `hero`."""
    prepare("unitalker", faces(folder / "T0"), folder / "out")
    prepare("clips", rig(folder / "hero"), folder / "out")
    return folder / "out"
