# SPDX-License-Identifier: GPL-3.0-or-later
"""Lip sync leaves Blender: glTF, USD and Alembic written by Blender's own exporters and read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_strip, curves, tone

SIDE = 6
FIRST, LAST = 1, 24


def patch(name: str = "Head") -> bpy.types.Object:
    """A patch of quads."""
    places = [(x, y, 0.1 * x * y) for y in range(SIDE) for x in range(SIDE)]
    quads = [(n, n + 1, n + SIDE + 1, n + SIDE) for n in range(SIDE * (SIDE - 1)) if n % SIDE < SIDE - 1]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(places, [], quads)
    head = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(head)
    return head


@pytest.fixture
def speaking(scene, use_fake, tmp_path: Path) -> bpy.types.Object:
    """A head whose jawOpen follows a click in the sound."""
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)), frame=FIRST)
    head = patch()
    for key_name in ("Basis", "jawOpen", "mouthClose", "eyeBlinkLeft"):
        key = head.shape_key_add(name=key_name, from_mix=False)
        key.value = 0.0
    for point in head.data.shape_keys.key_blocks["jawOpen"].data:
        point.co.z += 1.0
    bpy.context.view_layer.objects.active = head
    scene.frame_start, scene.frame_end = FIRST, LAST
    return head


@pytest.fixture
def spoken_mesh(addon, tmp_path: Path) -> Iterator[tuple[bpy.types.Object, np.ndarray]]:
    """A patch, and where a model wants its vertices on every frame."""
    head = patch()
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = FIRST, LAST
    bpy.context.scene.render.fps = 24
    rest = addon.vertices.writing.rest_of(head)
    moves = np.sin(np.arange(LAST)[:, None, None] * 0.4) * np.linspace(0, 1, rest.size).reshape(1, -1, 3)
    return head, (rest + moves).astype(np.float32)


def everywhere(head: bpy.types.Object) -> np.ndarray:
    """Where the vertices are on every frame, float32 [frames, V, 3]."""
    return np.array([places(head, frame) for frame in range(FIRST, LAST + 1)])


def places(head: bpy.types.Object, frame: int) -> np.ndarray:
    """Where the vertices are in the world, float32 [V, 3]."""
    bpy.context.scene.frame_set(frame)
    shown = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    found = np.array([shown.matrix_world @ vertex.co for vertex in mesh.vertices], np.float32)
    shown.to_mesh_clear()
    return found


def reopened() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps = 24


@pytest.mark.parametrize("mode", ["new", "nla", "replace"])
def test_gltf_keeps_the_lip_sync_of_every_mode(addon, speaking: bpy.types.Object, tmp_path: Path, mode: str):
    bpy.context.scene.mouthpiece_writing.mode = mode
    if mode == "replace":
        speaking.data.shape_keys.animation_data_create().action = bpy.data.actions.new("artist's")
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    wanted = [places(speaking, frame)[0, 2] for frame in range(FIRST, LAST + 1)]
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "head.glb"))
    reopened()
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "head.glb"))
    (mesh,) = bpy.data.meshes
    assert {"jawOpen", "mouthClose", "eyeBlinkLeft"} <= set(mesh.shape_keys.key_blocks.keys())
    keyed = [curve for action in bpy.data.actions for curve in curves(action) if "jawOpen" in curve.data_path]
    assert keyed, [action.name for action in bpy.data.actions]
    frames = np.arange(FIRST, LAST + 1)
    # glTF counts seconds, and where its second 0 lies depends on the first key of all
    apart = [abs(evaluated(keyed[0], frames + shift) - wanted).max() for shift in (-1, 0, 1)]
    assert min(apart) < 1e-4


def evaluated(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    return np.array([curve.evaluate(frame) for frame in frames])


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
@pytest.mark.parametrize("kind", ["usd", "alembic"])
def test_usd_and_alembic_keep_a_mesh_motion(addon, spoken_mesh, tmp_path: Path, keeping: str, kind: str):
    if not getattr(bpy.app.build_options, kind):
        pytest.skip(f"this build of Blender cannot write {kind}, as some distributions' own cannot")
    head, wanted = spoken_mesh
    write(addon, head, wanted, keeping, tmp_path)
    before = everywhere(head)
    np.testing.assert_allclose(before, wanted, atol=2e-3)
    path = str(tmp_path / ("head.usdc" if kind == "usd" else "head.abc"))
    if kind == "usd":
        # as moving points: USD's own blend shapes know no weights below 0
        bpy.ops.wm.usd_export(filepath=path, export_animation=True, export_shapekeys=False)
    else:
        bpy.ops.wm.alembic_export(filepath=path, start=FIRST, end=LAST, as_background_job=False)
    reopened()
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = FIRST, LAST
    if kind == "usd":
        bpy.ops.wm.usd_import(filepath=path)
    else:
        bpy.ops.wm.alembic_import(filepath=path, as_background_job=False)
    back = next(thing for thing in bpy.data.objects if thing.type == "MESH")
    np.testing.assert_allclose(everywhere(back), before, atol=1e-3)


def write(addon, head: bpy.types.Object, wanted: np.ndarray, keeping: str, folder: Path) -> None:
    record = addon.writing.ledger.Record(
        "line", head.name, "mesh", "toy_vertices", "pivot", 1.0, "", FIRST, LAST, 24.0, ()
    )
    kept = addon.vertices.options.MeshOptions(addon.vertices.options.Keeping(keeping), str(folder))
    options = addon.writing.options.WritingOptions()
    rest = addon.vertices.writing.rest_of(head)
    writing = addon.vertices.writing.MeshWriting(head, record, wanted, rest, kept, options, "")
    while not writing.advance():
        pass
    writing.commit()
