# SPDX-License-Identifier: GPL-3.0-or-later
"""The FLAME head: shape, expression and pose in, vertices out.

Written from the equations of "Learning a model of facial shape and expression from 4D scans" (Li et al. 2017,
section 3) and "SMPL: a skinned multi-person linear model" (Loper et al. 2015, section 3). The numbers of the model
are the artist's own (`backend/foreign/flame_file.py` reads them); none ship with this project.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PARENTS = (-1, 0, 1, 1, 1)
"""The joint each joint hangs on: root, neck, jaw, left eye, right eye."""
SHAPES, EXPRESSIONS = 300, 100
"""Shape coefficients come first, expression coefficients after them."""
POSE_FEATURES = 9 * (len(PARENTS) - 1)
"""One number per entry of the rotation matrices of all joints but the root."""
ANNOTATION_413 = 413
"""Numbers per frame of UniTalker's annotation `flame_params_from_dadhead`."""


@dataclass(frozen=True, eq=False)
class FlameArrays:
    """The numbers of one FLAME model for V vertices; lengths in metres, all but the faces float32."""

    faces: np.ndarray
    """int64 [F, 3]: the corners of every triangle."""
    template: np.ndarray
    """[V, 3]: the neutral head."""
    shape_directions: np.ndarray
    """[V, 3, 400]: what each shape and expression coefficient adds to the template."""
    pose_directions: np.ndarray
    """[V, 3, 36]: what each entry of R(pose) - I adds, joint by joint and row by row."""
    joint_regressor: np.ndarray
    """[5, V]: the joints as weighted means of the vertices."""
    skinning_weights: np.ndarray
    """[V, 5]: how far each vertex follows each joint."""


class Flame(nn.Module):
    """FLAME by linear blend skinning, differentiable in every input.

    Its buffers are left out of `state_dict`: FLAME's licence does not let a checkpoint carry them.
    """

    template: Tensor
    shape_directions: Tensor
    expression_directions: Tensor
    pose_directions: Tensor
    joint_regressor: Tensor
    skinning_weights: Tensor

    def __init__(self, arrays: FlameArrays) -> None:
        super().__init__()
        self._keep("template", arrays.template)
        self._keep("shape_directions", _per_coefficient(arrays.shape_directions[..., :SHAPES]))
        self._keep("expression_directions", _per_coefficient(arrays.shape_directions[..., SHAPES:]))
        self._keep("pose_directions", _per_coefficient(arrays.pose_directions))
        self._keep("joint_regressor", arrays.joint_regressor)
        self._keep("skinning_weights", arrays.skinning_weights)

    def _keep(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(array, dtype=torch.float32), persistent=False)

    def forward(self, shape: Tensor, expression: Tensor, pose: Tensor) -> Tensor:
        """Vertices [..., V, 3] in metres.

        `shape` [..., up to 300] and `expression` [..., up to 100] are coefficients (those left out are zero), `pose`
        [..., 5, 3] axis-angle vectors in radians in the order of `PARENTS`. Leading dimensions broadcast.
        """
        shaped = (
            self.template + _offsets(shape, self.shape_directions) + _offsets(expression, self.expression_directions)
        )
        rotations = rotation_matrices(pose)
        bend = (rotations - torch.eye(3).to(rotations))[..., 1:, :, :].flatten(-3)
        posed = shaped + _offsets(bend, self.pose_directions)
        turns, moves = _joint_motion(rotations, self.joint_regressor @ shaped)
        turn = (self.skinning_weights @ turns.flatten(-2)).unflatten(-1, (3, 3))
        return _turned(turn, posed) + self.skinning_weights @ moves

    def vertices_from_413(self, parameters: Tensor) -> Tensor:
        """Vertices [..., V, 3] of UniTalker's annotation `flame_params_from_dadhead`, parameters [..., 413].

        300 shape and 100 expression coefficients and the jaw's axis-angle vector; the last ten numbers (rotation,
        translation and scale of the head in the picture) move nothing and get a zero gradient.
        """
        if parameters.shape[-1] != ANNOTATION_413:
            raise ValueError(f"flame_params_from_dadhead has 413 numbers per frame, not {parameters.shape[-1]}")
        shape, expression, jaw, _ = parameters.split([SHAPES, EXPRESSIONS, 3, 10], dim=-1)
        only_the_jaw = functional.pad(jaw, (6, 6)).unflatten(-1, (len(PARENTS), 3))
        return self(shape, expression, only_the_jaw)


def rotation_matrices(axis_angles: Tensor) -> Tensor:
    """Rodrigues' formula: axis-angle vectors [..., 3] in radians to rotations [..., 3, 3].

    The angle is |r + 1e-8| as in the reference implementation, so that no rotation has a gradient too.
    """
    angle = (axis_angles + 1e-8).norm(dim=-1, keepdim=True)
    x, y, z = (axis_angles / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
    angle = angle[..., None]
    return torch.eye(3).to(cross) + angle.sin() * cross + (1 - angle.cos()) * cross @ cross


def _per_coefficient(directions: np.ndarray) -> np.ndarray:
    """[V, 3, n] as one row per coefficient, [n, 3 V]."""
    return directions.reshape(-1, directions.shape[-1]).T


def _offsets(coefficients: Tensor, directions: Tensor) -> Tensor:
    """[..., n] coefficients of the first n directions as offsets [..., V, 3]."""
    return (coefficients @ directions[: coefficients.shape[-1]]).unflatten(-1, (-1, 3))


def _joint_motion(rotations: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
    """How a point moves with each joint, `R @ point + t`: R [..., 5, 3, 3] and t [..., 5, 3].

    `rotations` [..., 5, 3, 3] turn each joint against its parent, about `joints` [..., 5, 3], their places at rest.
    """
    pivots = joints - _turned(rotations, joints)
    turns, moves = [rotations[..., 0, :, :]], [pivots[..., 0, :]]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        moves.append(moves[parent] + _turned(turns[parent], pivots[..., joint, :]))
        turns.append(turns[parent] @ rotations[..., joint, :, :])
    return torch.stack(turns, dim=-3), torch.stack(moves, dim=-2)


def _turned(rotations: Tensor, points: Tensor) -> Tensor:
    """Each point [..., 3] turned by its own rotation [..., 3, 3]."""
    return (rotations @ points[..., None])[..., 0]
