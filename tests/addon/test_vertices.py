# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of whole meshes: laid on the character's, kept in a point cache or in few shapes, refused where it misfits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

rng = np.random.default_rng(3)


def face_like(count: int = 400) -> np.ndarray:
    """Points of an uneven blob, float32 [count, 3] in metres."""
    return (rng.normal(size=(count, 3)) * (0.07, 0.09, 0.11)).astype(np.float32)


def turned(points: np.ndarray, scale: float) -> np.ndarray:
    """Points in millimetres or whatever `scale` makes of them, y and z exchanged as other programs have them."""
    return (points[:, [0, 2, 1]] * (1, 1, -1) * scale + (5.0, -3.0, 1.0)).astype(np.float32)


def test_motion_in_another_unit_and_other_axes_lands_on_the_mesh(addon):
    rest = face_like()
    moves = rng.normal(size=(7, 400, 3)).astype(np.float32) * 0.003
    neutral = turned(rest, 1000.0)
    frames = np.stack([turned(rest + move, 1000.0) for move in moves])
    found = addon.vertices.fitting.fit(neutral, rest)
    np.testing.assert_allclose(found.moves(frames, neutral), moves, atol=2e-6)
    assert found.scale == pytest.approx(1e-3, rel=1e-4)


def test_another_persons_head_of_the_same_topology_fits(addon):
    rest = face_like()
    addon.vertices.fitting.fit(turned(rest * (1.05, 0.97, 1.02), 10.0), rest)


def test_another_number_of_vertices_is_said(addon):
    with pytest.raises(addon.errors.BadInput, match="mesh of 400 vertices, and this one has 399"):
        addon.vertices.fitting.fit(face_like(), face_like(399))


def test_another_order_of_vertices_is_noticed(addon):
    rest = face_like()
    with pytest.raises(addon.errors.BadInput, match="not the same points"):
        addon.vertices.fitting.fit(rng.permutation(rest), rest)


def test_a_mirrored_mesh_is_not_taken_for_a_turned_one(addon):
    rest = face_like()
    with pytest.raises(addon.errors.BadInput, match="not the same points"):
        addon.vertices.fitting.fit(rest * (-1, 1, 1), rest)


def test_shapes_keep_every_vertex_within_the_tolerance(addon):
    shapes = rng.normal(size=(6, 300, 3))
    weights = rng.normal(size=(90, 6)) * (1.0, 0.5, 0.2, 0.1, 0.02, 0.001)
    moves = np.einsum("fk,kvc->fvc", weights, shapes).astype(np.float32)
    exact = addon.vertices.basis.find(moves, 1e-4)
    rough = addon.vertices.basis.find(moves, 0.5)
    for basis in (exact, rough):
        shown = np.einsum("fk,kvc->fvc", basis.weights, basis.shapes)
        assert np.linalg.norm(shown - moves, axis=2).max() == pytest.approx(basis.error, rel=0.05, abs=2e-5)
        assert np.abs(basis.weights).max() <= 1.0
    assert exact.error <= 1e-4 < rough.error <= 0.5
    assert len(rough.shapes) < len(exact.shapes) <= 6


def test_a_face_that_does_not_move_needs_no_shape(addon):
    assert len(addon.vertices.basis.find(np.zeros((20, 50, 3), np.float32), 1e-5).shapes) == 0


def test_a_point_cache_comes_back_as_it_was(addon, tmp_path: Path):
    places = rng.normal(size=(11, 17, 3)).astype(np.float32)
    addon.vertices.point_cache.write(tmp_path / "new folder" / "head é.pc2", places)
    np.testing.assert_array_equal(addon.vertices.point_cache.read(tmp_path / "new folder" / "head é.pc2"), places)


def test_a_full_disk_leaves_the_old_cache(addon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    places = np.ones((2, 3, 3), np.float32)
    addon.vertices.point_cache.write(tmp_path / "head.pc2", places)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(addon.errors.MouthpieceError, match=r"No space left on device.*Choose another folder"):
        addon.vertices.point_cache.write(tmp_path / "head.pc2", 2 * places)
    np.testing.assert_array_equal(addon.vertices.point_cache.read(tmp_path / "head.pc2"), places)
    assert [file.name for file in tmp_path.iterdir()] == ["head.pc2"]


def test_a_cut_off_cache_is_noticed(addon, tmp_path: Path):
    addon.vertices.point_cache.write(tmp_path / "head.pc2", np.ones((2, 3, 3), np.float32))
    (tmp_path / "cut.pc2").write_bytes((tmp_path / "head.pc2").read_bytes()[:-1])
    with pytest.raises(addon.errors.BadInput, match="cut off"):
        addon.vertices.point_cache.read(tmp_path / "cut.pc2")


def test_300_frames_of_5023_vertices_take_under_two_seconds(addon, tmp_path: Path):
    shapes = rng.normal(size=(30, 5023, 3)).astype(np.float32) * 1e-3
    weights = rng.normal(size=(300, 30)).astype(np.float32)
    rest, moves = face_like(5023), np.einsum("fk,kvc->fvc", weights, shapes)
    began = time.perf_counter()
    addon.vertices.point_cache.write(tmp_path / "head.pc2", rest + moves)
    basis = addon.vertices.basis.find(moves, 5e-5)
    assert time.perf_counter() - began < 2.0
    assert len(basis.shapes) <= 30
