# SPDX-License-Identifier: GPL-3.0-or-later
"""BEAT: SPEAKER/1_wayne_0_1_1.json with ARKit weights at 60 fps by name, and the sound of the same name beside it.

Weights are sorted by the `names` of each file. Most files have no tongueOut: it stays 0. BEAT's recordings take
minutes, so they become clips of 20 s; one recording never lies in two splits, which are drawn. The number of its
sequence says which emotion was acted (`emotion_labels`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from backend.face import ARKIT_CHANNELS, arkit
from backend.training.motion.clip import ClipError

from . import emotion_labels
from .annotated import AnnotatedClip, DataSet, Pair, checked, drawn_split, pairs

FPS = 60.0
_RATE_TOLERANCE = 0.01


def read(folder: Path) -> list[DataSet]:
    """The data set in a folder of speakers' folders. Raises CorpusError."""
    clips = drawn_split(_clip(pair) for pair in pairs(folder, ".json", folder))
    identities = tuple(sorted({clip.identity for clip in clips}))
    return [DataSet("beat", arkit(FPS / 2), identities, clips, cut_long=True)]


def _clip(pair: Pair) -> AnnotatedClip:
    path = PurePosixPath(pair.name)
    speaker = re.match(r"\d+_[^_]+", path.name)
    identity = speaker[0] if speaker else path.parts[0]
    felt = emotion_labels.of_beat(path.name)
    return AnnotatedClip(*pair, _load, FPS, "arkit", identity, "train", emotions=felt)


def _load(path: Path) -> np.ndarray:
    """float32 [frames, 52] in the order of `ARKIT_CHANNELS`. Raises ClipError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [str(name) for name in content["names"]]
        weights = np.array([frame["weights"] for frame in content["frames"]], np.float32)
        times = [float(frame["time"]) for frame in content["frames"] if "time" in frame]
    except FileNotFoundError:
        raise ClipError(f"There is no annotation {path}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClipError(f"{path} is no BEAT file with names, and frames of as many weights.") from error
    _check_rate(path, times)
    return _sorted_by_name(checked(weights, path, len(names)), names, path)


def _check_rate(path: Path, times: list[float]) -> None:
    passed = times[-1] - times[0] if times else 0.0
    rate = (len(times) - 1) / passed if passed > 0 else FPS
    if abs(rate / FPS - 1) > _RATE_TOLERANCE:
        raise ClipError(f"{path} runs at {rate:.4g} frames per second instead of {FPS:g}.")


def _sorted_by_name(weights: np.ndarray, names: list[str], path: Path) -> np.ndarray:
    columns: dict[str, Any] = {name[:1].lower() + name[1:]: column for column, name in enumerate(names)}
    missing = [name for name in ARKIT_CHANNELS if name not in columns and name != "tongueOut"]
    if missing:
        raise ClipError(f"{path} has no weights of {', '.join(missing[:3])}, which ARKit has.")
    motion = np.zeros((len(weights), len(ARKIT_CHANNELS)), np.float32)
    for number, name in enumerate(ARKIT_CHANNELS):
        if name in columns:
            motion[:, number] = weights[:, columns[name]]
    return motion
