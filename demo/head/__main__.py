# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m demo.head` computes the head and writes rigs/demo_head.npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.face import ARKIT_CHANNELS

from .anatomy import MATERIALS, anatomy
from .face import Face
from .hair import hair
from .paint import grain, tint
from .shapes import all_shapes

TARGET = Path(__file__).resolve().parents[2] / "rigs" / "demo_head.npz"
UNIT = 2e-6
"""Displacements are stored in whole steps of two micrometres."""
FLOOR = 122.0
"""Height of the chin above the cut edge of the bust, millimetres; the head stands on the floor."""


def file_contents(face: Face) -> dict[str, np.ndarray]:
    """The arrays of the shipped file: metres, z up from the bust's edge; indices as small integers."""
    head, locks = face.anatomy, hair()
    return {
        "vertices": ((face.rest + np.array((0.0, 0.0, FLOOR))) * 1e-3).astype(np.float32),
        "quads": head.mesh.quads.astype(np.int16),
        "material": head.material.astype(np.int8),
        "materials": np.array(MATERIALS),
        "tint": tint(head).astype(np.float16),
        "grain": grain(head).astype(np.float16),
        "shapes": np.array(ARKIT_CHANNELS),
        "steps": np.rint(all_shapes(face, ARKIT_CHANNELS) * 1e-3 / UNIT).astype(np.int16),
        "unit": np.array(UNIT),
        "parts": np.array(list(head.parts)),
        "part": np.repeat(np.arange(len(head.parts)), [len(rows) for rows in head.parts.values()]).astype(np.int8),
        "mirror": head.mirror.astype(np.int16),
        "lips": head.skin.lips.astype(np.int16),
        "lids": head.skin.lids.astype(np.int16),
        "hair_vertices": ((locks.mesh.vertices + np.array((0.0, 0.0, FLOOR))) * 1e-3).astype(np.float32),
        "hair_quads": locks.mesh.quads.astype(np.int16),
        "hair_tint": locks.tint.astype(np.float16),
        "hair_grain": locks.grain.astype(np.float16),
    }


def main() -> None:
    """Builds and writes the head."""
    np.savez_compressed(TARGET, allow_pickle=False, **file_contents(Face(anatomy())))


if __name__ == "__main__":
    main()
