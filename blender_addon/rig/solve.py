# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of each viseme makes a mouth look like another one: bounded least squares, many frames at once. No bpy.

Two mouths are alike when the lips are in the same place. So the poses of a rig's visemes and the poses of the frames,
both in ARKit weights, are laid on one face, the demo head, and compared there in millimetres.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .profile import FOLDER

if TYPE_CHECKING:
    import numpy as np

FACE = FOLDER / "demo_head.npz"
OPENING = 3.0
"""A millimetre between the lips is this much more visible than one along them."""
JAW, TONGUE = 0.15, 0.1
"""A millimetre of the teeth, and of the tongue's tip, against one of the lips."""
RIDGE = 0.05
"""Spreads a mouth that several visemes can make over all of them; a share of the mean squared size of a viseme."""
ROUNDS = 40
"""Enough for a mean error below 0.00001 with 15 visemes."""
_RIM, _BACK = 3, 6
"""Rings of the lips in the file, from the edge that one sees to the one that touches the teeth."""
_MIDDLE = range(-4, 5)
"""Spokes of the lips over which their opening is looked for."""


@lru_cache(maxsize=1)
def ruler() -> tuple[tuple[str, ...], np.ndarray]:
    """ARKit's names, and what each does to a mouth at 1: float64 [52, measures] in weighted millimetres."""
    import numpy as np

    with np.load(FACE, allow_pickle=False) as file:
        shapes, lips, tongue, teeth = (file["steps"], file["lips"], *_parts(file, "tongue", "lower teeth"))
        moved = shapes.astype(float) * float(file["unit"]) * 1e3
        tip = tongue[file["vertices"][tongue, 1].argmin()]
        names = tuple(file["shapes"].tolist())
    spokes = lips.shape[1]
    rim = moved[:, lips[_RIM]].reshape(len(names), -1) / np.sqrt(spokes)
    upper = lips[_RIM:_BACK, [spoke % spokes for spoke in _MIDDLE]]
    lower = lips[_RIM:_BACK, [spokes // 2 - spoke for spoke in _MIDDLE]]
    opening = (moved[:, upper, 2] - moved[:, lower, 2]).mean(axis=1) / np.sqrt(len(_MIDDLE))
    jaw = moved[:, teeth].mean(axis=1)
    return names, np.concatenate([rim, opening * OPENING, jaw * JAW, moved[:, tip] * TONGUE], axis=1)


def solve(poses: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Weights float64 [frames, visemes] so that the weighted sum of `poses` comes nearest to each of `goals`.

    `poses` [visemes, 52] and `goals` [frames, 52] are ARKit weights. No weight is negative, and those of a frame sum up
    to 1 at most: each viseme is a whole mouth, and two whole mouths are too much. Method: alternating directions (Boyd
    et al., "Distributed optimization and statistical learning via ADMM", 2011, section 5.2).
    """
    import numpy as np

    measures = ruler()[1]
    shown, wanted = poses @ measures, goals @ measures
    inner, outer = shown @ shown.T, wanted @ shown.T
    size = np.trace(inner) / len(inner)
    step = 0.3 * size
    inverse = np.linalg.inv(inner + (RIDGE * size + step) * np.eye(len(inner)))
    weights, excess = np.zeros_like(outer), np.zeros_like(outer)
    for _ in range(ROUNDS):
        free = (outer + step * (weights - excess)) @ inverse
        weights = _bounded(free + excess)
        excess += free - weights
    return weights


def _bounded(weights: np.ndarray) -> np.ndarray:
    """The nearest weights [frames, visemes] without negative ones and with a sum of 1 at most (Duchi et al., 2008)."""
    import numpy as np

    weights = np.maximum(weights, 0.0)
    over = weights.sum(axis=1) > 1.0
    if over.any():
        ordered = -np.sort(-weights[over], axis=1)
        shares = (ordered.cumsum(axis=1) - 1.0) / np.arange(1, ordered.shape[1] + 1)
        last = (ordered > shares).sum(axis=1) - 1
        weights[over] = np.maximum(weights[over] - shares[np.arange(len(last)), last, None], 0.0)
    return weights


def _parts(file: np.lib.npyio.NpzFile, *names: str) -> list[np.ndarray]:
    """The vertices of parts of the demo head."""
    known = file["parts"].tolist()
    return [(file["part"] == known.index(name)).nonzero()[0] for name in names]
