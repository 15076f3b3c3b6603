# SPDX-License-Identifier: GPL-3.0-or-later
"""FaceSpace: what the numbers of one annotation convention mean.

One head, one loss and one metric per FaceSpace; nothing else in the project knows about annotation types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Mesh: TypeAlias = "Callable[[Tensor], Tensor]"
"""Values [..., dim] to vertices [..., V, 3], differentiable: `Blendshapes`, `Flame.vertices_from_413`."""
Kind = Literal["controls", "vertices", "flame"]

ARKIT_CHANNELS: tuple[str, ...] = (
    *(f"eye{part}Left" for part in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")),
    *(f"eye{part}Right" for part in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")),
    *("jawForward", "jawLeft", "jawRight", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)
"""The 52 Apple names in Live Link Face order."""


def _both_sides(*names: str) -> tuple[str, ...]:
    return tuple(name + side for name in names for side in ("Left", "Right"))


ETF_CHANNELS = tuple(sorted(ARKIT_CHANNELS))
"""The 52 weights of 3D-ETF (UniTalker's D3 and D4): alphabetical."""

INHOUSE_CHANNELS: tuple[str, ...] = (
    *_both_sides("eyeBlink", "eyeSquint", "eyeLookDown", "eyeLookIn", "eyeWide", "eyeLookOut", "eyeLookUp"),
    *(*_both_sides("browDown"), "browInnerUp", *_both_sides("browOuterUp")),
    *("jawOpen", "mouthClose", "jawLeft", "jawRight", "jawForward"),
    *(*_both_sides("mouthUpperUp", "mouthLowerDown"), "mouthRollUpper", "mouthRollLower"),
    *_both_sides("mouthSmile", "mouthDimple", "mouthStretch", "mouthFrown", "mouthPress"),
    *("mouthPucker", "mouthFunnel", "mouthLeft", "mouthRight", "mouthShrugLower", "mouthShrugUpper"),
    *(*_both_sides("noseSneer"), "cheekPuff", *_both_sides("cheekSquint")),
)
"""The 51 weights of UniTalker's own recordings (D6 and D7), in their order; no tongue."""

FLAME_CHANNELS: tuple[str, ...] = (
    *(f"shape{number}" for number in range(300)),
    *(f"expression{number}" for number in range(100)),
    *("jawX", "jawY", "jawZ"),
    *(f"rotation{number}" for number in range(6)),
    *("translationX", "translationY", "translationZ", "scale"),
)
"""The 413 FLAME parameters of UniTalker's D5: the jaw is an axis-angle vector, the rotation a 6D one."""


@dataclass(frozen=True, eq=False)
class FaceSpace:
    """One annotation convention.

    `values` of a space are float32 [..., dim]: control weights, FLAME parameters, or flattened vertices x, y, z.
    """

    name: str
    kind: Kind
    fps: float
    """Frames per second of the annotation, and the rate a model of this space was trained at."""
    dim: int
    """Numbers per frame; three per vertex for vertex spaces."""
    channels: tuple[str, ...] = ()
    """One name per number for control spaces, empty for vertex spaces."""
    limits: tuple[tuple[float, float], ...] = ()
    """Lowest and highest value of each channel of a rig of somebody's own; empty for weights from 0 to 1."""
    scale: float = 1.0
    """The data set's own unit times this is the model's (UniTalker: 0.2 for BIWI, 0.001 for Multiface)."""
    template: np.ndarray | None = None
    """float32 [dim]: the neutral face, for vertex spaces."""
    lips: np.ndarray | None = None
    """int64: points of `decode` that lip metrics look at; None where the user has not given them."""
    upper_face: np.ndarray | None = None
    """int64: the same for the upper-face metrics."""
    mesh: Mesh | None = None
    """The face that controls or FLAME parameters move, where it is known; never part of a model file."""
    face: np.ndarray | None = None
    """int64: points of `decode` that losses look at (FLAME: no neck, no scalp); None for all."""

    @property
    def moves_mesh(self) -> bool:
        """Whether motion of this space is told as vertices: a vertex space, or FLAME where its file is known."""
        return self.kind == "vertices" or (self.kind == "flame" and self.mesh is not None)

    def decode(self, values: Tensor) -> Tensor:
        """Points of values [..., dim]: vertices [..., V, 3], or [..., dim, 1] where no mesh is known."""
        if self.mesh is not None:
            return self.mesh(values)
        return values.unflatten(-1, (-1, 3 if self.kind == "vertices" else 1))


def arkit(fps: float = 60.0) -> FaceSpace:
    """The 52 ARKit weights (0 to 1)."""
    return FaceSpace("arkit", "controls", fps, len(ARKIT_CHANNELS), ARKIT_CHANNELS)


_ANNOTATIONS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "3DETF_blendshape_weight": ("controls", ETF_CHANNELS),
    "inhouse_blendshape_weight": ("controls", INHOUSE_CHANNELS),
    "flame_params_from_dadhead": ("flame", FLAME_CHANNELS),
}


def annotation(name: str, dim: int, fps: float, scale: float = 1.0) -> FaceSpace:
    """The face space of a UniTalker annotation type; unknown ones are vertices or numbered controls, by their name.

    ValueError where an official type comes with another number of values than it has.
    """
    if name.endswith("_vertices"):
        return FaceSpace(name, "vertices", fps, dim, scale=scale)
    kind, channels = _ANNOTATIONS.get(name, ("controls", tuple(f"control{number}" for number in range(dim))))
    if len(channels) != dim:
        raise ValueError(f"{name} has {len(channels)} values per frame, not {dim}")
    return FaceSpace(name, kind, fps, dim, channels, scale=scale)
