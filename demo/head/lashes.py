# SPDX-License-Identifier: GPL-3.0-or-later
"""The left upper eyelashes: a dark fringe on the edge of the lid that turns with it."""

from __future__ import annotations

import numpy as np

from . import eyelids
from .eyelids import Ring
from .mesh import Mesh, grid_quads

SPOKES = np.arange(1, 16)
"""Spokes of the upper lid, without the corners."""


def lash_places(edge: np.ndarray) -> np.ndarray:
    """Roots and tips of the lashes when the lid's edge stands at `edge` (radians), [2 * 15, 3]."""
    share = eyelids.across()[SPOKES]
    length = 0.9 + 2.6 * share**1.3 * np.clip((1.06 - share) * 8.0, 0.35, 1.0)
    root_x = eyelids.INNER + (eyelids.OUTER - eyelids.INNER) * share
    raised = edge[SPOKES] + 0.02
    root = eyelids.on_eyeball(root_x, raised, np.full(len(SPOKES), eyelids.UPPER_HEIGHT[Ring.EDGE] - 0.5))
    tip_x = root_x + 0.55 * length * (share - 0.35)
    tip = eyelids.on_eyeball(tip_x, raised + 0.05 * length / 2.0, eyelids.UPPER_HEIGHT[Ring.EDGE] - 0.5 + length)
    return np.concatenate([root, tip])


def lash() -> Mesh:
    """The lashes of the open eye."""
    return Mesh(lash_places(eyelids.opening()), grid_quads(2, len(SPOKES)))
