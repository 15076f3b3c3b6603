# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of facial motion as the papers' own code computes them: pure functions over points [frames, P, 3].

LVE, FDD: CodeTalker (Xing et al. 2023). MVE, UFVE, LVD: UniTalker (Fan et al. 2024). EVE: EmoTalk (Peng et al. 2023).
Diversity and the errors of blendshape weights: FaceDiffuser (Stan et al. 2023). Squared lengths where the papers
square them, in whatever unit the points are in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import torch
from backend.face import FaceSpace
from torch import Tensor

Averaging = Literal["frames", "clips"]
"""`frames`: over the frames of all clips together, as most papers; `clips`: over each clip first, as UniTalker."""
COLUMNS = ("LVE", "LVD", "MVE", "UFVE", "EVE", "FDD", "abs FDD", "diversity", "BS-LVE", "BS-MVE")
"""All figures in the order of tables; `BS-` are those of blendshape weights."""


@dataclass(frozen=True, eq=False)
class ClipErrors:
    """What one clip adds to the figures."""

    subject: str
    frames: dict[str, np.ndarray]
    """float64 [frames] by figure."""
    clip: dict[str, float]
    """Figures that only a whole clip has."""


def measure(
    space: FaceSpace,
    prediction: Tensor,
    truth: Tensor,
    template: Tensor,
    subject: str = "",
    *,
    styles: Sequence[Tensor] = (),
    in_model_unit: bool = False,
) -> ClipErrors:
    """Compare two motions [frames, dim] in the model's unit; the longer one is cut to the length of the other.

    `template` [dim] is the neutral face, `styles` the same clip predicted [frames, dim] for different identities.
    Figures are in the data set's own unit, or with `in_model_unit` in the model's, as UniTalker's code logs them.
    Those of a region that the space does not know are left out.
    """
    unit = 1.0 if in_model_unit else space.scale
    length = min(len(prediction), len(truth))
    predicted, true, *others = (_points(space, values[:length], unit) for values in (prediction, truth, *styles))
    clip = {"diversity": diversity(others)} if len(others) > 1 else {}
    if _is_weights(space):
        return ClipErrors(subject, _weight_errors(space, predicted, true), clip)
    frames = {"MVE": mean_distance(predicted, true)}
    if space.lips is not None:
        frames["LVE"] = largest_square(predicted, true, space.lips)
        frames["LVD"] = np.sqrt(frames["LVE"])
    if space.upper_face is not None:
        frames["UFVE"] = mean_distance(predicted[:, space.upper_face], true[:, space.upper_face])
        frames["EVE"] = largest_square(predicted, true, space.upper_face)
        neutral = _points(space, template[None], unit)
        deviation = dynamics(true, neutral, space.upper_face) - dynamics(predicted, neutral, space.upper_face)
        clip |= {"FDD": deviation, "abs FDD": abs(deviation)}
    return ClipErrors(subject, frames, clip)


def average(clips: Sequence[ClipErrors], averaging: Averaging = "frames") -> dict[str, float]:
    """Figures of some clips, in the order of `COLUMNS`."""
    figures: dict[str, float] = {}
    for name in COLUMNS:
        by_frame = [clip.frames[name] for clip in clips if name in clip.frames]
        if averaging == "clips":
            by_frame = [errors.mean(keepdims=True) for errors in by_frame]
        whole = [np.atleast_1d(clip.clip[name]) for clip in clips if name in clip.clip]
        if by_frame or whole:
            figures[name] = float(np.concatenate(by_frame or whole).mean())
    return figures


def by_subject(clips: Sequence[ClipErrors], averaging: Averaging = "frames") -> dict[str, dict[str, float]]:
    """Figures of each subject, by name."""
    subjects = sorted({clip.subject for clip in clips})
    return {name: average([clip for clip in clips if clip.subject == name], averaging) for name in subjects}


def largest_square(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> np.ndarray:
    """[frames]: the squared distance of the worst point of a region (LVE on lips, EVE on eyes and forehead)."""
    return np.square(prediction[:, region] - truth[:, region]).sum(axis=2, dtype=np.float64).max(axis=1)


def mean_distance(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[frames]: the mean distance of all points."""
    return np.linalg.norm(prediction - truth, axis=2).mean(axis=1, dtype=np.float64)


def dynamics(points: np.ndarray, neutral: np.ndarray, region: np.ndarray) -> float:
    """How much a region moves: the mean over its points of the deviation over time of their squared displacement."""
    squared = np.square(points[:, region] - neutral[:, region]).sum(axis=2, dtype=np.float64)
    return float(squared.std(axis=0).mean())


def diversity(variants: Sequence[np.ndarray]) -> float:
    """Mean distance between every two motions of one clip."""
    return float(np.mean([mean_distance(one, other).mean() for one, other in combinations(variants, 2)]))


def _is_weights(space: FaceSpace) -> bool:
    return space.mesh is None and space.kind != "vertices"


def _points(space: FaceSpace, values: Tensor, unit: float) -> np.ndarray:
    """Points [frames, P, 3]; a vector of weights is one point of many dimensions."""
    with torch.no_grad():
        points = values[:, None] if _is_weights(space) else space.decode(values)
    return (points / unit).cpu().numpy()


def _weight_errors(space: FaceSpace, prediction: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    errors = {"BS-MVE": mean_distance(prediction, truth)}
    if space.lips is not None:
        errors["BS-LVE"] = mean_distance(prediction[..., space.lips], truth[..., space.lips])
    return errors
