# SPDX-License-Identifier: GPL-3.0-or-later
"""All 52 ARKit shapes of the head, in Apple's order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import shapes_eyes as eyes
from . import shapes_jaw as jaw
from . import shapes_mouth as mouth
from . import shapes_upper as upper
from .face import Face

Shape = Callable[[Face], np.ndarray]

BOTH_SIDES: dict[str, Shape] = {
    "jawForward": lambda face: face.balanced(jaw.jaw_moved(face, 0.0, -7.0)),
    "jawOpen": jaw.jaw_open,
    "mouthClose": jaw.mouth_close,
    "mouthFunnel": mouth.funnel,
    "mouthPucker": mouth.pucker,
    "mouthRollLower": mouth.roll_lower,
    "mouthRollUpper": mouth.roll_upper,
    "mouthShrugLower": mouth.shrug_lower,
    "mouthShrugUpper": mouth.shrug_upper,
    "browInnerUp": upper.brow_inner_up,
    "cheekPuff": upper.cheek_puff,
    "tongueOut": jaw.tongue_out,
}
"""Shapes that are their own mirror image."""

LEFT_SIDE: dict[str, Shape] = {
    "eyeBlink": eyes.blink,
    "eyeLookDown": lambda face: eyes.look(face, -26.0, 0.0),
    "eyeLookIn": lambda face: eyes.look(face, 0.0, -30.0),
    "eyeLookOut": lambda face: eyes.look(face, 0.0, 30.0),
    "eyeLookUp": lambda face: eyes.look(face, 20.0, 0.0),
    "eyeSquint": eyes.squint,
    "eyeWide": eyes.wide,
    "jaw": lambda face: jaw.jaw_moved(face, 13.0, 0.0),
    "mouth": mouth.sideways,
    "mouthSmile": mouth.smile,
    "mouthFrown": mouth.frown,
    "mouthDimple": mouth.dimple,
    "mouthStretch": mouth.stretch,
    "mouthPress": mouth.press,
    "mouthLowerDown": mouth.lower_down,
    "mouthUpperUp": mouth.upper_up,
    "browDown": upper.brow_down,
    "browOuterUp": upper.brow_outer_up,
    "cheekSquint": upper.cheek_squint,
    "noseSneer": upper.nose_sneer,
}
"""Shapes with a left and a right; the right one is the exact mirror image."""


def all_shapes(face: Face, names: tuple[str, ...]) -> np.ndarray:
    """Displacements [names, V, 3] in millimetres, in the order of `names`."""
    made: dict[str, np.ndarray] = {name: shape(face) for name, shape in BOTH_SIDES.items()}
    for name, shape in LEFT_SIDE.items():
        left = shape(face)
        made[f"{name}Left"], made[f"{name}Right"] = left, face.mirrored(left)
    for name in made:
        made[name] = with_brows(face, made[name])
    return np.stack([made[name] for name in names])


def with_brows(face: Face, shape: np.ndarray) -> np.ndarray:
    """The shape with the brows carried along by the skin under them."""
    result = shape.copy()
    for part in ("brow left", "brow right"):
        rows = face.anatomy.parts[part]
        distance = ((face.rest[rows][:, None] - face.skin[None]) ** 2).sum(axis=2)
        near = np.argsort(distance, axis=1)[:, :6]
        weight = 1.0 / (np.take_along_axis(distance, near, axis=1) + 1.0)
        weight /= weight.sum(axis=1, keepdims=True)
        result[rows] = (weight[:, :, None] * shape[near]).sum(axis=1)
    return result
