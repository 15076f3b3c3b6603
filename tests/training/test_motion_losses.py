# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses in every kind of face space: the official numbers and gradients, hand-worked ones, and padding."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.checkpoint import ModelCard, load, save
from backend.face import FaceSpace, annotation
from backend.foreign import flame_file
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.blendshapes import Blendshapes
from backend.models.flame import Flame
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.training.motion.losses import PAPER_WEIGHTS, motion_losses, squared_error
from backend.training.motion.metrics import average, measure

DATA = Path(__file__).parents[1] / "data"
GOLDEN = DATA / "golden" / "losses"
CONFIG = json.loads((GOLDEN / "config.json").read_text(encoding="utf-8"))


def space_of(case: str) -> FaceSpace:
    """The face space of a golden case, with the mesh that its loss was computed on."""
    kind = case.split("_")[0]
    if kind == "flame":
        flame = Flame(flame_file.read(DATA / "flame" / "flame_synthetic.pkl"))
        parameters = annotation("flame_params_from_dadhead", 413, 30)
        return replace(parameters, mesh=flame.vertices_from_413, face=np.load(GOLDEN / "flame_loss_mask_idx.npy"))
    if kind == "vertices":
        return annotation("synthetic_vertices", 120, 30)
    if kind == "param":
        return annotation("24_viseme", 24, 30)
    name, dim = {"bs52": ("3DETF_blendshape_weight", 52), "bs51": ("inhouse_blendshape_weight", 51)}[kind]
    with np.load(GOLDEN / f"{kind}_blendshape.npz") as stored:
        return replace(annotation(name, dim, 30), mesh=Blendshapes(stored["meanshape"], stored["blendshape"]))


def weights_of(case: str) -> dict[str, float]:
    """The official weights: ParamLoss is weighted itself, bs_beta differs between cases."""
    if case.startswith("param"):
        return {"motion": CONFIG["param_weight"]}
    return PAPER_WEIGHTS | {"weights": CONFIG["bs_beta"].get(case.rsplit("_", 1)[0], 0.0)}


@pytest.mark.parametrize("case", CONFIG["cases"])
def test_losses_and_gradients_are_the_official_ones(case: str) -> None:
    with np.load(GOLDEN / "cases.npz") as stored:
        values, target, loss, gradient = (
            torch.from_numpy(stored[f"{case}.{name}"]) for name in ("x", "target", "loss", "grad_x")
        )
    values.requires_grad_()
    frames = torch.full((len(values),), values.shape[1])
    losses = motion_losses(space_of(case), values, target, frames)
    weights = weights_of(case)
    total = sum(weights[name] * each for name, each in losses.items())
    total.backward()
    torch.testing.assert_close(total, loss, atol=1e-7, rtol=2e-6)
    torch.testing.assert_close(values.grad, gradient, atol=1e-9, rtol=1e-5)


@pytest.mark.parametrize("case", ["flame_b1", "vertices_b1", "bs52_b1", "bs51_b1"])
def test_decoded_points_are_the_official_vertices(case: str) -> None:
    space = space_of(case)
    with np.load(GOLDEN / "cases.npz") as stored:
        values, vertices = (torch.from_numpy(stored[f"{case}.{name}"]) for name in ("x", "vertices_of_x0"))
    points = space.decode(values[0])
    if space.face is not None:
        points = points[:, space.face]
    torch.testing.assert_close(points, vertices, atol=1e-5, rtol=0)


@pytest.mark.parametrize("case", [case for case in CONFIG["cases"] if case.split("_")[0] != "param"])
def test_lip_errors_are_the_official_mouth_metrics(case: str) -> None:
    with np.load(GOLDEN / "cases.npz") as stored:
        pairs = list(zip(*(torch.from_numpy(stored[f"{case}.{name}"]) for name in ("x", "target")), strict=True))
        lve, lvd = (float(stored[f"{case}.mouth_metric_{name}"]) for name in ("L2", "L2norm"))
    space = replace(space_of(case), lips=np.load(GOLDEN / f"{case.split('_')[0]}_mouth_idx.npy"))
    figures = average([measure(space, *pair, torch.zeros(space.dim)) for pair in pairs])
    assert figures["LVE"] == pytest.approx(lve, rel=1e-5)
    assert figures["LVD"] == pytest.approx(lvd, rel=1e-5)


def test_a_vertex_space_by_hand() -> None:
    space = FaceSpace("triangle", "vertices", 25.0, 6)
    values = torch.tensor([[[0.0, 0, 0, 0, 0, 0], [1.0, 2, 0, 0, 0, 3]]])
    assert space.decode(values)[0, 1].tolist() == [[1, 2, 0], [0, 0, 3]]
    losses = motion_losses(space, values, torch.zeros(1, 2, 6), torch.tensor([2]))
    assert losses == {"motion": torch.tensor((1 + 4 + 9) / 12)}
    only_the_second = replace(space, face=np.array([1]))
    assert motion_losses(only_the_second, values, torch.zeros(1, 2, 6), torch.tensor([2]))["motion"].item() == 9 / 6


def test_blendshapes_by_hand() -> None:
    """One vertex at (1, 0, 0); the first control moves it 2 along x, the second 1 along z."""
    mesh = Blendshapes(np.array([[1.0, 0, 0]]), np.array([[[2.0, 0, 0]], [[0, 0, 1.0]]]))
    space = FaceSpace("sliders", "controls", 25.0, 2, ("wide", "deep"), mesh=mesh)
    values = torch.tensor([[[0.5, 3.0]]])
    assert space.decode(values).tolist() == [[[[2.0, 0, 3.0]]]]
    losses = motion_losses(space, values, torch.zeros(1, 1, 2), torch.tensor([1]))
    assert losses["motion"].item() == pytest.approx((1 + 9) / 3)
    assert losses["weights"].item() == pytest.approx((0.25 + 9) / 2)


def test_controls_without_a_mesh_are_compared_themselves() -> None:
    space = FaceSpace("sliders", "controls", 25.0, 2, ("wide", "deep"))
    losses = motion_losses(space, torch.tensor([[[0.5, 3.0]]]), torch.zeros(1, 1, 2), torch.tensor([1]))
    assert list(losses) == ["motion"]
    assert losses["motion"].item() == pytest.approx((0.25 + 9) / 2)


def test_a_model_file_carries_neither_mesh_nor_its_regions(tmp_path: Path) -> None:
    mesh = Blendshapes(np.zeros((50, 3)), np.zeros((2, 50, 3)))
    space = FaceSpace("sliders", "controls", 25.0, 2, ("wide", "deep"), lips=np.array([49]), mesh=mesh)
    model = UniTalker(UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 1, (HeadConfig("sliders", 2),)))
    save(tmp_path / "model.safetensors", model, [space], (), ModelCard("tiny", "Tiny", "none"))
    loaded = load(tmp_path / "model.safetensors").spaces["sliders"]
    assert loaded.mesh is None
    assert loaded.lips is None


def test_blendshapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="blendshapes of 9 numbers do not fit a neutral head of 6"):
        Blendshapes(np.zeros((2, 3)), np.zeros((5, 3, 3)))


def test_a_batch_costs_the_mean_of_its_clips_and_padding_nothing() -> None:
    values = torch.tensor([[[1.0], [9.0], [9.0]], [[2.0], [2.0], [5.0]]], requires_grad=True)
    loss = squared_error(values, torch.zeros(2, 3, 1), torch.tensor([1, 3]))
    assert loss.item() == pytest.approx((1 + (4 + 4 + 25) / 3) / 2)
    loss.backward()
    assert values.grad.flatten().tolist() == pytest.approx([1, 0, 0, 4 / 6, 4 / 6, 10 / 6])
