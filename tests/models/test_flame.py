# SPDX-License-Identifier: GPL-3.0-or-later
"""FLAME against the golden numbers, against the papers' equations, and against its own finite differences."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.foreign import flame_file
from backend.models.flame import PARENTS, Flame, FlameArrays, rotation_matrices

DATA = Path(__file__).resolve().parents[1] / "data" / "flame"


@pytest.fixture(scope="module")
def arrays() -> FlameArrays:
    return flame_file.read(DATA / "flame_synthetic.pkl")


@pytest.fixture(scope="module")
def flame(arrays: FlameArrays) -> Flame:
    return Flame(arrays)


@pytest.fixture(scope="module")
def golden() -> dict[str, torch.Tensor]:
    with np.load(DATA / "golden.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored}


def random(*shape: int, seed: int = 0, scale: float = 0.5) -> torch.Tensor:
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("case", ["flame_b1", "flame_b2"])
def test_golden_vertices(flame: Flame, golden: dict[str, torch.Tensor], case: str):
    vertices = flame.vertices_from_413(golden[f"{case}_x"])
    torch.testing.assert_close(vertices.flatten(0, 1), golden[f"{case}_full_vertices_of_x"], atol=1e-5, rtol=0)
    masked = vertices[0][:, golden["mask"]]
    torch.testing.assert_close(masked, golden[f"{case}_vertices_of_x0"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("case", ["flame_b1", "flame_b2"])
def test_golden_loss_and_gradient(flame: Flame, golden: dict[str, torch.Tensor], case: str):
    params = golden[f"{case}_x"].clone().requires_grad_()
    difference = flame.vertices_from_413(params) - flame.vertices_from_413(golden[f"{case}_target"])
    loss = difference[..., golden["mask"], :].square().mean()
    loss.backward()
    torch.testing.assert_close(loss, golden[f"{case}_loss"], atol=1e-7, rtol=1e-5)
    torch.testing.assert_close(params.grad, golden[f"{case}_grad_x"], atol=1e-9, rtol=1e-5)
    assert (params.grad[..., 403:] == 0).all()


def test_the_last_ten_of_the_413_move_nothing(flame: Flame):
    params = random(3, 413)
    moved = params.clone()
    moved[:, 403:] += 5
    torch.testing.assert_close(flame.vertices_from_413(moved), flame.vertices_from_413(params), atol=0, rtol=0)


def test_another_number_of_parameters_is_refused(flame: Flame):
    with pytest.raises(ValueError, match="413 numbers per frame, not 412"):
        flame.vertices_from_413(torch.zeros(2, 412))


def test_the_neutral_head_is_the_template(flame: Flame, arrays: FlameArrays):
    vertices = flame(torch.zeros(300), torch.zeros(100), torch.zeros(5, 3))
    np.testing.assert_allclose(vertices.numpy(), arrays.template, atol=1e-7)


def test_coefficients_left_out_are_zero(flame: Flame):
    shape, expression, pose = random(4, 10), random(4, 50, seed=1), random(4, 5, 3, seed=2)
    padded_shape = torch.nn.functional.pad(shape, (0, 290))
    padded_expression = torch.nn.functional.pad(expression, (0, 50))
    torch.testing.assert_close(
        flame(shape, expression, pose), flame(padded_shape, padded_expression, pose), atol=1e-6, rtol=0
    )


def test_one_shape_serves_all_frames_of_a_batch(flame: Flame):
    shape, expression, pose = random(300), random(2, 6, 100, seed=1), random(2, 6, 5, 3, seed=2)
    vertices = flame(shape, expression, pose)
    assert vertices.shape == (2, 6, 20, 3)
    torch.testing.assert_close(vertices[1, 4], flame(shape, expression[1, 4], pose[1, 4]), atol=1e-6, rtol=0)


def test_rotations_are_the_matrix_exponential():
    axis_angles = torch.cat([random(50, 3, scale=2.0), torch.zeros(1, 3)]).double()
    x, y, z = axis_angles.unbind(-1)
    zero = torch.zeros_like(x)
    generators = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).view(-1, 3, 3)
    torch.testing.assert_close(rotation_matrices(axis_angles), torch.linalg.matrix_exp(generators), atol=1e-6, rtol=0)


def skinned_by_homogeneous_transforms(arrays: FlameArrays, betas: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Loper et al. 2015, equations 2 to 4 and 6 to 10, letter by letter: one 4 x 4 matrix per joint and vertex."""
    shaped = arrays.template + arrays.shape_directions @ betas
    joints = arrays.joint_regressor @ shaped
    posed = shaped + arrays.pose_directions @ (rotations[1:] - np.eye(3)).ravel()
    world, rest = np.zeros((5, 4, 4)), np.zeros((5, 4, 4))
    for joint, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if joint else 0)
        world[joint] = world[parent] @ local if joint else local
        rest[joint] = np.eye(4)
        rest[joint, :3, 3] = joints[joint]
    blended = np.einsum("vj,jab->vab", arrays.skinning_weights, world @ np.linalg.inv(rest))
    return np.einsum("vab,vb->va", blended, np.column_stack([posed, np.ones(len(posed))]))[:, :3]


def test_all_five_joints_follow_the_papers_equations(flame: Flame, arrays: FlameArrays):
    shape, expression, pose = random(300), random(100, seed=1), random(5, 3, seed=2, scale=0.8)
    expected = skinned_by_homogeneous_transforms(
        arrays, torch.cat([shape, expression]).double().numpy(), rotation_matrices(pose.double()).numpy()
    )
    np.testing.assert_allclose(flame(shape, expression, pose).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 0.7], ids=["at rest", "posed"])
def test_gradients_equal_finite_differences(arrays: FlameArrays, scale: float):
    inputs = [
        random(4, seed=1).double(),
        random(3, seed=2).double(),
        random(5, 3, seed=3, scale=scale).double(),
    ]
    for values in inputs:
        values.requires_grad_()
    assert torch.autograd.gradcheck(Flame(arrays).double(), inputs, atol=1e-6)


def test_a_checkpoint_never_carries_the_artists_flame_model(flame: Flame):
    assert not flame.state_dict()
    assert not list(flame.parameters())
