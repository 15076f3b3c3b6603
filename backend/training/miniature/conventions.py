# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotation conventions of the miniature: the same controls of the mask as each data set writes them, with its faults.

Scans have a face per speaker and a little noise, faces fitted to videos are smoothed and never quite shut, FLAME turns
a jaw and mixes the rest into expression coefficients, a phone's capture is weak, a rig has sliders of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from backend.face import ARKIT_CHANNELS, ETF_CHANNELS, FLAME_CHANNELS
from backend.models.flame import EXPRESSIONS, PARENTS, POSE_FEATURES, SHAPES

from . import mask
from .mask import CONTROLS, HINGE, JAW, JAW_ANGLE, Mask

MILLIMETRES = 1000.0
_SCAN_NOISE = 1e-4
_FITTING_NOISE = 0.02
_FITTING_FRAMES = 5
_JAW_COLUMN = FLAME_CHANNELS.index("jawX")
_USED_EXPRESSIONS = 12
SLIDERS: dict[str, dict[str, float]] = {
    "Mouth Open": {"jawOpen": 1.0, "mouthClose": -0.9},
    "Jaw Drop": {"jawOpen": 0.4},
    "Wide": {"mouthStretch": 0.7, "mouthSmile": 0.3},
    "Smile": {"mouthSmile": 1.0, "mouthDimple": 0.3},
    "Round": {"mouthPucker": 1.0, "mouthFunnel": 0.5},
    "Press": {"mouthPress": 1.0, "mouthRollLower": 0.4, "mouthRollUpper": 0.4},
    "Lower Teeth": {"mouthLowerDown": 1.0},
    "Upper Teeth": {"mouthUpperUp": 1.0},
    "Brows": {"browInnerUp": 1.0},
    "Blink": {"eyeBlink": 1.0},
}
"""The rig's sliders: what of the mask's controls each follows, and what it moves."""


@dataclass(frozen=True, eq=False)
class Face:
    """A speaker of a scanned data set."""

    mesh: Mask
    neutral: np.ndarray
    """float32 [V, 3] in metres."""


def face(mesh: Mask, random: np.random.Generator) -> Face:
    """Another head: wider or narrower, longer or shorter, with features of its own."""
    sizes = np.exp(random.normal(0, 0.06, 3))
    waves = random.normal(0, 30, (3, 3))
    bumps = 0.0015 * np.sin(mesh.points @ waves + random.uniform(0, 6, 3))
    return Face(mesh, (mesh.points * sizes + bumps).astype(np.float32))


def vertices(values: np.ndarray, who: Face, unit: float, random: np.random.Generator) -> np.ndarray:
    """Controls [frames, 18] as scanned points float32 [frames, 3 V], `unit` of which are a metre."""
    points = who.mesh.pose(values, who.neutral)
    noise = random.normal(0, _SCAN_NOISE, points.shape)
    return ((points + noise) * unit).astype(np.float32).reshape(len(points), -1)


def fitted_weights(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As 3D-ETF: alphabetical ARKit weights [frames, 52] of a fitting that smooths, trembles and shuts no lips."""
    kernel = np.ones(_FITTING_FRAMES) / _FITTING_FRAMES
    padded = np.pad(values, ((_FITTING_FRAMES // 2, _FITTING_FRAMES // 2), (0, 0)), "edge")
    smooth = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)
    smooth[:, CONTROLS.index("mouthClose")] *= 0.7
    weights = arkit_weights(smooth + random.normal(0, _FITTING_NOISE, smooth.shape))
    return weights[:, [ARKIT_CHANNELS.index(name) for name in ETF_CHANNELS]]


def captured_weights(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a phone sees it: ARKit weights [frames, 52] that are somewhat weak and grow more than in proportion."""
    return arkit_weights(0.9 * values**1.2 + random.normal(0, _FITTING_NOISE / 4, values.shape))


def arkit_weights(values: np.ndarray) -> np.ndarray:
    """Controls [frames, 18] as float32 [frames, 52] in Apple's order, both sides alike."""
    weights = np.zeros((len(values), len(ARKIT_CHANNELS)), np.float32)
    for number, name in enumerate(CONTROLS):
        weights[:, [place for place, _ in _places(name)]] = values[:, number, None]
    return np.clip(weights, 0, 1)


def sliders(values: np.ndarray) -> np.ndarray:
    """The rig's sliders float32 [frames, 10], 0 to 1."""
    return np.clip(values @ _mixing().T, 0, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FlameLike:
    """A head with FLAME's parameters: the mask, whose expressions are mixtures of its controls."""

    mesh: Mask

    @cached_property
    def mixing(self) -> np.ndarray:
        """float64 [coefficients, controls]: orthonormal rows; the jaw is no expression."""
        random = np.random.default_rng(413)
        others = np.delete(np.arange(len(CONTROLS)), JAW)
        mixing = np.zeros((_USED_EXPRESSIONS, len(CONTROLS)))
        mixing[:, others] = np.linalg.qr(random.normal(size=(len(others), _USED_EXPRESSIONS)))[0].T
        return mixing

    def parameters(self, values: np.ndarray, shape: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Controls [frames, 18] of a speaker with shape coefficients [n] as float32 [frames, 413]."""
        found = np.zeros((len(values), len(FLAME_CHANNELS)), np.float32)
        found[:, : len(shape)] = shape
        expressions = values @ self.mixing.T
        noise = random.normal(0, _FITTING_NOISE, expressions.shape)
        found[:, SHAPES : SHAPES + _USED_EXPRESSIONS] = expressions + noise
        found[:, _JAW_COLUMN] = JAW_ANGLE * values[:, JAW]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """The head under the keys of a FLAME file."""
        points, count = self.mesh.points, len(self.mesh.points)
        directions = np.zeros((count, 3, SHAPES + EXPRESSIONS))
        directions[..., :3] = np.eye(3) * points[:, :, None] * 0.05
        mixed = np.tensordot(self.mixing, self.mesh.fields, 1)
        directions[..., SHAPES : SHAPES + _USED_EXPRESSIONS] = np.moveaxis(mixed, 0, 2)
        weights = np.zeros((count, len(PARENTS)))
        weights[:, 2] = self.mesh.jaw
        weights[:, 0] = 1 - self.mesh.jaw
        return {
            "v_template": points,
            "f": np.array([[0, 1, 2]]),
            "shapedirs": directions,
            "posedirs": np.zeros((count, 3, POSE_FEATURES)),
            "J_regressor": np.tile(np.linalg.lstsq(points.T, HINGE, rcond=None)[0], (len(PARENTS), 1)),
            "kintree_table": np.array([PARENTS, range(len(PARENTS))]),
            "weights": weights,
        }


def etf_mesh(mesh: Mask) -> np.ndarray:
    """float32 [52, V, 3]: what each weight of 3D-ETF adds."""
    names = [ARKIT_CHANNELS.index(name) for name in ETF_CHANNELS]
    return arkit_mesh(mesh)[names]


def arkit_mesh(mesh: Mask) -> np.ndarray:
    """float32 [52, V, 3]: what each ARKit weight adds; left and right move their half of the mask."""
    offsets = np.zeros((len(ARKIT_CHANNELS), *mesh.points.shape), np.float32)
    left = 1 / (1 + np.exp(-mesh.points[:, :1] / 0.004))
    halves = {"": np.ones_like(left), "Left": left, "Right": 1 - left}
    for name, field in zip(CONTROLS, mesh.fields, strict=True):
        for place, side in _places(name):
            offsets[place] = halves[side] * field
    return offsets


def slider_mesh(mesh: Mask) -> np.ndarray:
    """float32 [10, V, 3]: what each slider of the rig adds."""
    return np.tensordot(np.maximum(_mixing(), 0), mesh.fields, 1).astype(np.float32)


def parameter_mesh() -> Mask:
    """The coarse mask behind weights and parameters."""
    return mask.of_rows(16, 20)


def _mixing() -> np.ndarray:
    """float64 [10, 18]."""
    rows = [[row.get(name, 0.0) for name in CONTROLS] for row in SLIDERS.values()]
    return np.array(rows)


def _places(name: str) -> list[tuple[int, str]]:
    """The ARKit channels that one control stands for, each with its side."""
    sides = ("", "Left", "Right")
    return [(ARKIT_CHANNELS.index(name + side), side) for side in sides if name + side in ARKIT_CHANNELS]
