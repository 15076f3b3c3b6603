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
RIDGE = 0.02
"""Spreads a mouth that several visemes can make over all of them; a share of the mean squared size of a viseme."""
SHUT = 2.0
"""Lips that are this many millimetres apart do not press upon each other."""
ROUNDS = 40
"""Enough for a mean error below 0.00001 with 15 visemes."""
_RIM, _BACK = 3, 6
"""Rings of the lips in the file, from the edge that one sees to the one that touches the teeth."""
_MIDDLE = range(-4, 5)
"""Spokes of the lips over which their opening is looked for."""


@lru_cache(maxsize=1)
def ruler() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """ARKit's names; what each does to a mouth at 1, float64 [52, measures] in weighted millimetres; how it opens it.

    The last one is float64 [52], millimetres between the lips.
    """
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
    opening = (moved[:, upper, 2] - moved[:, lower, 2]).mean(axis=1)
    jaw = moved[:, teeth].mean(axis=1)
    measures = [rim, opening * OPENING / np.sqrt(len(_MIDDLE)), jaw * JAW, moved[:, tip] * TONGUE]
    return names, np.concatenate(measures, axis=1), opening.mean(axis=1)


def solve(poses: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Weights float64 [frames, visemes] so that the weighted sum of `poses` comes nearest to each of `goals`.

    `poses` [visemes, 52] and `goals` [frames, 52] are ARKit weights. No weight is negative, and those of a frame sum up
    to 1 at most: each viseme is a whole mouth, and two whole mouths are too much. Lips that press upon each other are
    left to the visemes for p, b and m, and what these take the others do not get: so the mouth shuts whatever a
    character's open shapes are like.
    """
    import numpy as np

    seals = _seals(poses)
    shut = _shut(poses[seals].mean(axis=0), goals) if seals.any() else np.zeros(len(goals))
    weights = np.zeros((len(goals), len(poses)))
    weights[:, seals] = shut[:, None] / max(int(seals.sum()), 1)
    if not seals.all():
        measures = ruler()[1]
        weights[:, ~seals] = _nearest(poses[~seals] @ measures, (goals - weights @ poses) @ measures, 1.0 - shut)
    return weights


def _seals(poses: np.ndarray) -> np.ndarray:
    """Which poses [visemes, 52] press shut lips upon each other: bool [visemes]."""
    return (poses @ _pressing() > 0.0) & (_opening(poses) < SHUT)


def _shut(seal: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """How far each of `goals` [frames, 52] is pressed shut as in `seal` [52]: float64 [frames], 0 to 1."""
    pressed = (goals @ _pressing()) / (seal @ _pressing())
    return (pressed * (1.0 - _opening(goals) / SHUT).clip(0.0, 1.0)).clip(0.0, 1.0)


def _pressing() -> np.ndarray:
    """float64 [52]: what presses lips upon each other."""
    import numpy as np

    return np.array([float(name.startswith(("mouthPress", "mouthRoll"))) for name in ruler()[0]])


def _opening(weights: np.ndarray) -> np.ndarray:
    """Millimetres between the lips of ARKit weights [..., 52]."""
    return weights @ ruler()[2]


def _nearest(shown: np.ndarray, wanted: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Bounded least squares: weights [frames, visemes] of `shown` [visemes, measures] for `wanted` [frames, measures].

    `total` [frames] bounds their sums. Method: alternating directions (Boyd et al., "Distributed optimization and
    statistical learning via ADMM", 2011, section 5.2).
    """
    import numpy as np

    inner, outer = shown @ shown.T, wanted @ shown.T
    size = max(np.trace(inner) / len(inner), 1e-9)
    step = 0.3 * size
    inverse = np.linalg.inv(inner + (RIDGE * size + step) * np.eye(len(inner)))
    weights, excess = np.zeros_like(outer), np.zeros_like(outer)
    for _ in range(ROUNDS):
        free = (outer + step * (weights - excess)) @ inverse
        weights = _bounded(free + excess, total)
        excess += free - weights
    return weights


def _bounded(weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """The nearest weights [frames, visemes] without negative ones whose sum is `total` at most (Duchi et al., 2008)."""
    import numpy as np

    weights = np.maximum(weights, 0.0)
    over = weights.sum(axis=1) > total
    if over.any():
        ordered = -np.sort(-weights[over], axis=1)
        shares = (ordered.cumsum(axis=1) - total[over, None]) / np.arange(1, ordered.shape[1] + 1)
        last = ((ordered > shares).sum(axis=1) - 1).clip(min=0)
        cut = shares[np.arange(len(last)), last]
        weights[over] = np.maximum(weights[over] - cut[:, None], 0.0)
    return weights


def _parts(file: np.lib.npyio.NpzFile, *names: str) -> list[np.ndarray]:
    """The vertices of parts of the demo head."""
    known = file["parts"].tolist()
    return [(file["part"] == known.index(name)).nonzero()[0] for name in names]
