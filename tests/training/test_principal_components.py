# SPDX-License-Identifier: GPL-3.0-or-later
"""Principal components against numpy's singular values, and within bounds of memory."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.foreign.official_files import read_basis
from backend.training.errors import CorpusError
from backend.training.motion import principal_components
from backend.training.motion.principal_components import KEYS, PrincipalComponents, fit

ROOT = Path(__file__).resolve().parents[2]


def motion(frames: int, dim: int, decay: float = 1.0) -> np.ndarray:
    """Data whose singular values fall like those of faces, around a mean that is not zero."""
    random = np.random.default_rng(3)
    rank = min(frames, dim)
    left, right = (np.linalg.qr(random.normal(size=(size, rank)))[0] for size in (frames, dim))
    strengths = 10 / np.arange(1, rank + 1) ** decay
    return ((left * strengths) @ right.T + random.normal(size=dim)).astype(np.float32)


def split(data: np.ndarray, size: int) -> list[np.ndarray]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def truth(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, values, rows = np.linalg.svd(data.astype(np.float64) - data.mean(axis=0, dtype=np.float64), full_matrices=False)
    return values, rows


@pytest.mark.parametrize(("frames", "dim"), [(300, 90), (90, 300), (600, 600)], ids=["tall", "wide", "square"])
def test_the_basis_is_that_of_numpys_singular_values(frames: int, dim: int):
    data = motion(frames, dim)
    basis = fit(lambda: split(data, 37), 16)
    values, rows = truth(data)
    np.testing.assert_allclose(basis.mean, data.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(basis.singular_values, values[:16], rtol=2e-3)
    np.testing.assert_allclose(np.abs(np.sum(basis.components * rows[:16], axis=1)), 1, atol=5e-3)
    np.testing.assert_allclose(basis.explained, values[:16] ** 2 / np.sum(values**2), rtol=5e-3)
    np.testing.assert_allclose(basis.components @ basis.components.T, np.eye(16), atol=1e-5)
    coefficients = (data - basis.mean) @ basis.components.T
    np.testing.assert_allclose(coefficients.std(axis=0), basis.coefficient_deviations, rtol=2e-3)
    np.testing.assert_allclose(coefficients.mean(axis=0), basis.coefficient_means, atol=1e-4)


def test_as_much_variance_is_kept_as_can_be_kept_even_where_it_falls_slowly():
    data = motion(800, 500, decay=0.7)
    kept = np.sum(fit(lambda: [data], 32).singular_values ** 2, dtype=np.float64)
    assert kept > 0.995 * np.sum(truth(data)[0][:32] ** 2)


def test_no_more_components_than_the_data_has():
    data = motion(200, 40)[:, :3] @ np.random.default_rng(1).normal(size=(3, 40)).astype(np.float32)
    basis = fit(lambda: [data], 16)
    assert len(basis.components) == 3
    again = (data - basis.mean) @ basis.components.T @ basis.components + basis.mean
    np.testing.assert_allclose(again, data, atol=1e-3)


def test_neither_chance_nor_the_size_of_blocks_changes_the_basis():
    data = motion(300, 80)
    whole, again, parts = (fit(lambda: blocks, 8) for blocks in ([data], [data], split(data, 11)))  # noqa: B023
    np.testing.assert_array_equal(whole.components, again.components)
    np.testing.assert_allclose(whole.components, parts.components, atol=1e-4)


@pytest.mark.parametrize(
    "data", [np.zeros((0, 4)), np.ones((1, 4)), np.full((9, 4), 2.0)], ids=["none", "one", "still"]
)
def test_data_without_motion_is_refused(data: np.ndarray):
    with pytest.raises(CorpusError, match="two frames or more that differ"):
        fit(lambda: [data], 4)


def test_memory_does_not_grow_with_the_number_of_frames():
    def peak(blocks: int) -> int:
        def generated() -> Iterator[np.ndarray]:
            random = np.random.default_rng(0)
            for _ in range(blocks):
                yield random.standard_normal((128, 600), np.float32)

        tracemalloc.start()
        fit(generated, 8)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(64) < 1.05 * peak(4)


# --- files ---


@pytest.fixture
def basis() -> PrincipalComponents:
    data = motion(60, 30)
    return fit(lambda: [data], 5)


def test_a_file_has_unitalkers_keys_and_comes_back(tmp_path: Path, basis: PrincipalComponents):
    path = tmp_path / "pca.npz"
    principal_components.write(path, basis)
    with np.load(path) as file:
        assert set(file.files) == set(KEYS)
        assert file["components_to_data"].shape == (5, 30)
        np.testing.assert_array_equal(file["S"], basis.singular_values)
    again = principal_components.read(path, 30)
    for name, array in vars(basis).items():
        np.testing.assert_array_equal(getattr(again, name), array)


def test_convert_takes_the_file_as_an_official_one(tmp_path: Path, basis: PrincipalComponents):
    principal_components.write(tmp_path / "my_space.npz", basis)
    official = read_basis(tmp_path, "my_space", 4, 30)
    assert official is not None
    np.testing.assert_array_equal(official.components.numpy(), basis.components[:4])


def test_broken_files_are_one_sentence(tmp_path: Path, basis: PrincipalComponents):
    path = tmp_path / "pca.npz"
    with pytest.raises(CorpusError, match=r"pca\.npz is missing or no whole"):
        principal_components.read(path, 30)
    path.write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"pca\.npz is missing or no whole"):
        principal_components.read(path, 30)
    np.savez(path, S=np.ones(3))
    with pytest.raises(CorpusError, match=r"pca\.npz is no PCA basis: it has no components_to_data"):
        principal_components.read(path, 30)
    principal_components.write(path, basis)
    with pytest.raises(CorpusError, match=r"no PCA basis of 31 numbers per frame; its components are \(5, 30\)"):
        principal_components.read(path, 31)
    basis.mean[3] = np.nan
    principal_components.write(path, basis)
    with pytest.raises(CorpusError, match="NaN or infinite"):
        principal_components.read(path, 30)


# --- the size of BIWI ---

FULL_SIZE = """
import resource
import sys
sys.path.insert(0, {root!r})
import numpy as np
from backend.training.motion.principal_components import fit

DIM, FRAMES, RANK = 70110, 700, 600
shapes = np.random.default_rng(0).standard_normal((RANK, DIM), np.float32) / np.arange(1, RANK + 1)[:, None] ** 1.0
shapes = shapes.astype(np.float32)

def blocks():
    random = np.random.default_rng(1)
    for _ in range(FRAMES // 100):
        yield random.standard_normal((100, RANK), np.float32) @ shapes

basis = fit(blocks, 512)
assert basis.components.shape == (512, DIM), basis.components.shape
assert basis.explained.sum() > 0.999, basis.explained.sum()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage to read the peak memory from")
def test_512_components_of_biwi_take_less_than_4_gb():
    """In a process of its own, whose whole memory counts: Python, torch and the generated shapes included."""
    program = FULL_SIZE.format(root=str(ROOT))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 4e9
