# SPDX-License-Identifier: GPL-3.0-or-later
"""Muon: it steps as torch's does and as its formula says, and two processes share the work of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import muon_steps
import pytest
import torch
from muon_steps import DECAY, RATE, learned
from safetensors.torch import load_file
from torch import Tensor

from backend.training import muon

ROOT = Path(__file__).parents[2]
SHAPES = ((16, 16), (32, 320), (160, 480), (480, 160), (40, 1))


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "has_native_bf16", lambda device: False)


@pytest.fixture
def in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "has_native_bf16", lambda device: True)


def exactly(matrix: Tensor) -> Tensor:
    """The same by singular values, in float64: the rounds change nothing else of a matrix."""
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    values = values / values.norm().clamp(min=1e-7)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return left @ torch.diag(values) @ right


def off(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def with_values(shape: tuple[int, int], smallest: float) -> Tensor:
    """A matrix whose singular values fall from 1 to the smallest."""
    left, _, right = torch.linalg.svd(torch.randn(shape, dtype=torch.float64), full_matrices=False)
    return (left @ torch.diag(torch.logspace(0, smallest, min(shape), dtype=torch.float64)) @ right).float()


def common(shape: tuple[int, int]) -> dict[str, Tensor]:
    """Matrices such as gradients are, and of any size."""
    torch.manual_seed(0)
    noise = torch.randn(shape)
    falling = {f"down to 1e{exponent}": with_values(shape, exponent) for exponent in (-2, -4, -8)}
    return {**falling, "noise": noise, "tiny": noise * 1e-5, "huge": noise * 1e9}


def degenerate(shape: tuple[int, int]) -> dict[str, Tensor]:
    """Matrices of low rank, where rounding is all that there is in most directions."""
    torch.manual_seed(0)
    low = {f"rank {rank}": torch.randn(shape[0], rank) @ torch.randn(rank, shape[1]) for rank in (1, 3)}
    row = torch.zeros(shape)
    row[3] = 1.0
    nearly = torch.full(shape, 0.1)
    nearly[::2] = 1.0
    nearly[:, ::3] += 1e-3
    return {**low, "one row": row, "equal rows": torch.randn(shape[1]).expand(shape), "nearly rank 1": nearly}


@pytest.mark.usefixtures("in_float32")
@pytest.mark.parametrize("shape", SHAPES)
def test_in_float32_matrices_become_orthogonal_as_in_float64(shape: tuple[int, int]) -> None:
    for most, matrices in ((1e-3, common(shape)), (2e-2, degenerate(shape))):
        for name, matrix in matrices.items():
            (found,) = muon.orthogonal([matrix])
            assert found.shape == shape
            assert off(found, exactly(matrix)) < most, name


@pytest.mark.usefixtures("in_bfloat16")
@pytest.mark.parametrize("shape", SHAPES)
def test_in_bfloat16_they_nearly_do(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    (found,) = muon.orthogonal([matrix])
    assert found.dtype == torch.float32
    assert off(found, exactly(matrix)) < 0.05


def test_the_rounds_as_written_and_on_the_gram_matrix_are_the_same() -> None:
    torch.manual_seed(0)
    stack = torch.randn(3, 24, 80, dtype=torch.float64) / 50
    torch.testing.assert_close(muon.by_gram(stack), muon.by_rounds(stack))


@pytest.mark.usefixtures("in_float32")
def test_many_matrices_become_what_each_becomes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "LARGEST_STACK", 2000)
    torch.manual_seed(0)
    matrices = [torch.randn(shape) for shape in ((8, 80), (80, 8), (8, 80), (80, 8), (60, 60), (60, 60), (8, 8))]
    for matrix, found in zip(matrices, muon.orthogonal(matrices), strict=True):
        torch.testing.assert_close(found, muon.orthogonal([matrix])[0])


@pytest.mark.usefixtures("in_float32")
def test_a_matrix_of_zeros_stays() -> None:
    assert not muon.orthogonal([torch.zeros(4, 6)])[0].any()


def torchs(matrices: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Muon(matrices, lr=RATE, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")


@pytest.mark.parametrize("precision", ["in_float32", "in_bfloat16"])
def test_it_learns_as_torchs(precision: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(precision)
    before = learned(steps=0)
    for begun, one, other in zip(before, learned(), learned(torchs), strict=True):
        assert off(one - begun, other - begun) < 0.03


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What each of two processes has learned."""
    folder = tmp_path_factory.mktemp("two")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([*torchrun, muon_steps.__file__, str(folder)], env=environment, check=True, capture_output=True)
    return [load_file(folder / f"{number} of 2") for number in range(2)]


def test_two_processes_learn_the_very_same(of_two: list[dict[str, Tensor]]) -> None:
    one, other = of_two
    assert all(torch.equal(matrix, other[name]) for name, matrix in one.items())


def test_two_processes_learn_as_one(of_two: list[dict[str, Tensor]]) -> None:
    for which, matrix in enumerate(learned()):
        torch.testing.assert_close(of_two[0][str(which)], matrix, atol=1e-5, rtol=1e-4)


def test_two_processes_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every matrix is computed in one of them alone, and those of one shape in both."""
    monkeypatch.setattr(muon.processes, "count", lambda: 2)
    monkeypatch.setattr(muon.processes, "add_up", lambda tensors: None)
    seen: list[list[torch.Size]] = [[], []]
    for number, shapes in enumerate(seen):
        monkeypatch.setattr(muon.processes, "number", lambda number=number: number)
        monkeypatch.setattr(muon, "orthogonal", lambda matrices, shapes=shapes: _noted(matrices, shapes))
        learned(steps=2)
    given = [shape for step in range(2) for which, shape in enumerate(muon_steps.SHAPES) if (which, step) != (2, 0)]
    assert sorted(seen[0] + seen[1]) == sorted(given)
    assert all((16, 48) in shapes or (48, 16) in shapes for shapes in seen)
    assert abs(len(seen[0]) - len(seen[1])) <= 1


def _noted(matrices: list[Tensor], shapes: list[torch.Size]) -> list[Tensor]:
    shapes.extend(matrix.shape for matrix in matrices)
    return matrices
