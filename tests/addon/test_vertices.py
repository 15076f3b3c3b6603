# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of whole meshes: laid on the character's, kept in a point cache or in few shapes, refused where it misfits."""

from __future__ import annotations

import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import break_once, curves

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
    found = addon.vertices.fitting.fit(turned(rest * (1.05, 0.97, 1.02), 10.0), rest)
    assert found.scale == pytest.approx(0.1, rel=0.05)


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
    began = time.process_time()  # other programs run too
    addon.vertices.point_cache.write(tmp_path / "head.pc2", rest + moves)
    basis = addon.vertices.basis.find(moves, 5e-5)
    assert time.process_time() - began < 2.0
    assert len(basis.shapes) <= 30


@dataclass(frozen=True)
class Head:
    """A mesh in the file and a motion for it."""

    character: bpy.types.Object
    rest: np.ndarray
    places: np.ndarray
    motion: tuple[np.ndarray, np.ndarray]

    def seen(self, frame: int) -> np.ndarray:
        """Where its vertices are on a frame, after everything that Blender does to them."""
        scene = bpy.context.scene
        scene.frame_set(frame)
        evaluated = self.character.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found = np.empty(3 * len(self.rest), np.float32)
        evaluated.data.vertices.foreach_get("co", found)
        return found.reshape(-1, 3)


@pytest.fixture
def head(addon) -> Head:
    mesh = bpy.data.meshes.new("Head")
    rest = face_like()
    mesh.from_pydata(rest.tolist(), [], [])
    character = bpy.data.objects.new("Head", mesh)
    bpy.context.scene.collection.objects.link(character)
    weights = np.sin(np.arange(20)[:, None] * (0.3, 0.5, 0.7))
    moves = np.einsum("fk,kvc->fvc", weights, rng.normal(size=(3, 400, 3))) * 0.002
    frames = np.stack([turned(rest + move, 1000.0) for move in moves])
    motion = (frames, turned(rest, 1000.0))
    return Head(character, rest, (rest + moves).astype(np.float32), motion)


def begin(addon, head: Head, keeping: str, folder: Path, strip: str = "line", first: int = 10, **options: object):
    record = addon.writing.ledger.Record(
        strip, "Head", "mesh", "toy_vertices", "pivot", 1.0, "", first, first + 19, 24.0, ()
    )
    kept = addon.vertices.options.MeshOptions(addon.vertices.options.Keeping(keeping), str(folder))
    chosen = addon.writing.options.WritingOptions(**options)
    writing = addon.vertices.writing.MeshWriting(head.character, record, *head.motion, kept, chosen, "")
    while not writing.advance():
        pass
    return writing


def write(addon, head: Head, keeping: str, folder: Path, *arguments: object, **options: object):
    writing = begin(addon, head, keeping, folder, *arguments, **options)
    return writing, writing.commit()


@pytest.mark.parametrize(("keeping", "tolerance"), [("cache", 2e-6), ("shapes", 1.5e-4)])
def test_the_mesh_is_where_the_model_wants_it(addon, head: Head, tmp_path: Path, keeping: str, tolerance: float):
    write(addon, head, keeping, tmp_path)
    for frame in (10, 17, 29):
        np.testing.assert_allclose(head.seen(frame), head.places[frame - 10], atol=tolerance)


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_a_second_time_takes_the_place_of_the_first(addon, head: Head, tmp_path: Path, keeping: str):
    write(addon, head, keeping, tmp_path)
    names = len(head.character.modifiers), len(getattr(head.character.data.shape_keys, "key_blocks", ()))
    write(addon, head, keeping, tmp_path, first=30)
    np.testing.assert_allclose(head.seen(37), head.places[7], atol=1.5e-4)
    assert (len(head.character.modifiers), len(getattr(head.character.data.shape_keys, "key_blocks", ()))) == names
    assert len(bpy.data.actions) == 1


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_two_strips_on_one_face_do_not_disturb_each_other(addon, head: Head, tmp_path: Path, keeping: str):
    write(addon, head, keeping, tmp_path, "line", 10, mode=addon.writing.options.Mode.REPLACE)
    write(addon, head, keeping, tmp_path, "answer", 40, mode=addon.writing.options.Mode.REPLACE)
    np.testing.assert_allclose(head.seen(17), head.places[7], atol=1.5e-4)
    np.testing.assert_allclose(head.seen(47), head.places[7], atol=1.5e-4)
    if keeping == "cache":
        np.testing.assert_allclose(head.seen(35), head.rest, atol=2e-6)


def test_the_cache_is_retimed_by_one_curve_of_few_keys(addon, head: Head, tmp_path: Path):
    _, placed = write(addon, head, "cache", tmp_path)
    (action,) = (bpy.data.actions[name] for name in placed.actions)
    found = {curve.data_path.rpartition(".")[2]: curve for curve in curves(action)}
    frame = found["eval_frame"]
    assert len(frame.keyframe_points) <= 4
    for point in frame.keyframe_points:  # twice as slow
        point.co.x = 10 + 2 * (point.co.x - 10)
        point.interpolation = "LINEAR"
    frame.update()
    found["factor"].keyframe_points[-1].co.x = 80
    np.testing.assert_allclose(head.seen(24), head.places[7], atol=5e-5)


@pytest.mark.skipif(bpy.app.version < (4, 3), reason="the module of Blender 4.2 crashes at its exit after glTF")
def test_shapes_survive_gltf(addon, head: Head, tmp_path: Path):
    head.character.data.clear_geometry()
    head.character.data.from_pydata(head.rest.tolist(), [], [(n, n + 1, n + 2) for n in range(398)])
    write(addon, head, "shapes", tmp_path)
    names = [block.name for block in head.character.data.shape_keys.key_blocks]
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "head.glb"), export_animations=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "head.glb"))
    (mesh,) = bpy.data.meshes
    assert [block.name for block in mesh.shape_keys.key_blocks] == names
    assert any(len(curve.keyframe_points) > 5 for action in bpy.data.actions for curve in curves(action))


def test_a_file_that_was_never_saved_has_no_place_for_a_cache(addon, head: Head):
    with pytest.raises(addon.errors.BadInput, match="Save the file first"):
        write(addon, head, "cache", "//caches")


def test_a_folder_that_cannot_be_written_leaves_the_character_as_it_was(addon, head: Head, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(addon.errors.MouthpieceError, match="Choose another folder"):
        write(addon, head, "cache", tmp_path / "file")
    assert not head.character.modifiers
    assert not bpy.data.actions


def test_a_disk_that_is_full_leaves_the_earlier_lip_sync_as_it_was(addon, head: Head, tmp_path: Path):
    """No file may grow beyond 4 kB: writing fails as it does on a full disk."""
    write(addon, head, "cache", tmp_path)
    before = everything(head, tmp_path)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # Python's own default, which an application's Python does not set
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(addon.errors.MouthpieceError, match="Choose another folder"):
            write(addon, head, "cache", tmp_path, first=50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert everything(head, tmp_path) == before
    np.testing.assert_allclose(head.seen(17), head.places[7], atol=2e-6)


def everything(head: Head, folder: Path) -> tuple[object, ...]:
    """What a lip sync changes: modifiers, every key of every action, files."""
    modifiers = [(modifier.name, modifier.filepath) for modifier in head.character.modifiers]
    keys = {
        (action.name, curve.data_path): [tuple(point.co) for point in curve.keyframe_points]
        for action in bpy.data.actions
        for curve in curves(action)
    }
    playing = head.character.animation_data.action.name
    return modifiers, keys, playing, {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_keys_that_cannot_be_written_leave_the_character_as_it_was(addon, head: Head, tmp_path: Path, keeping: str):
    head.character.shape_key_add(name="Basis", from_mix=False)
    for block in (head.character, head.character.data.shape_keys):
        action = bpy.data.actions.new(f"artist's of {block.name}")
        block.animation_data_create().action = action
        action.asset_mark()
    with pytest.raises(addon.errors.BadInput, match="is an asset"):
        write(addon, head, keeping, tmp_path, mode=addon.writing.options.Mode.REPLACE)
    assert not head.character.modifiers
    assert [block.name for block in head.character.data.shape_keys.key_blocks] == ["Basis"]
    assert len(bpy.data.actions) == 2


ALIKE = [
    (
        "sq010_sh0020_anna_dialogue_version003_take_with_pauses_line01",
        "sq010_sh0020_anna_dialogue_version003_take_with_pauses_line02",
    ),
    ("Line.01", "Line 01"),
    ("Zeile ä", "Zeile ö"),
    ("第三話の台詞その一の花子のとても長い台詞あ", "第三話の台詞その一の花子のとても長い台詞い"),
]
"""Names of strips that differ in little; Blender cuts those of shape keys and modifiers at 63 bytes."""


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
@pytest.mark.parametrize(("strip", "other"), ALIKE)
def test_strips_of_similar_names_do_not_disturb_each_other(
    addon, head: Head, tmp_path: Path, keeping: str, strip: str, other: str
):
    for name, first in ((strip, 10), (other, 40), (strip, 10)):
        write(addon, head, keeping, tmp_path, name, first, mode=addon.writing.options.Mode.REPLACE)
    np.testing.assert_allclose(head.seen(17), head.places[7], atol=1.5e-4)
    np.testing.assert_allclose(head.seen(47), head.places[7], atol=1.5e-4)
    if keeping == "cache":
        assert len(head.character.modifiers) == 2
    else:
        ours = [addon.vertices.shapes.shapes_of(head.character, name) for name in (strip, other)]
        assert sum(map(len, ours)) == len(head.character.data.shape_keys.key_blocks) - 1


def test_ordinary_strips_keep_the_names_that_earlier_files_have(addon, head: Head, tmp_path: Path):
    write(addon, head, "shapes", tmp_path, "line_01")
    write(addon, head, "cache", tmp_path, "line.01")
    assert head.character.data.shape_keys.key_blocks[1].name == "Lip Sync line_01 1-01"
    assert [modifier.name for modifier in head.character.modifiers] == ["Lip Sync line.01"]


def test_shape_keys_that_an_earlier_version_named_otherwise_make_room(
    addon, head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    head.character.shape_key_add(name="Basis", from_mix=False)
    head.character.shape_key_add(name="Lip Sync of the artist 1-01", from_mix=False)
    with monkeypatch.context() as earlier:
        earlier.setattr(addon.vertices.shapes, "_name", lambda _strip: "Lip Sync line wav")
        write(addon, head, "shapes", tmp_path, "line.wav")
    before = [block.name for block in head.character.data.shape_keys.key_blocks]
    write(addon, head, "shapes", tmp_path, "line.wav")
    after = [block.name for block in head.character.data.shape_keys.key_blocks]
    assert before[:3] == ["Basis", "Lip Sync of the artist 1-01", "Lip Sync line wav 1-01"]
    assert (after[:2], len(after)) == (before[:2], len(before))
    assert not {*after[2:]} & {*before}


def tweaked(block: bpy.types.ID) -> None:
    """What plays on a datablock becomes an NLA strip that the artist is editing."""
    data = block.animation_data_create()
    action = data.action or bpy.data.actions.new("walk")
    data.action = None
    data.nla_tracks.new().strips.new("walk", int(action.frame_range[0]), action)
    data.use_tweak_mode = True
    assert data.use_tweak_mode


@pytest.mark.parametrize("where", ["object", "shape keys"])
@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_a_strip_in_tweak_mode_is_said_before_anything_is_made(
    addon, head: Head, tmp_path: Path, keeping: str, where: str
):
    head.character.shape_key_add(name="Basis", from_mix=False)
    tweaked(head.character if where == "object" else head.character.data.shape_keys)
    with pytest.raises(addon.errors.BadInput, match="tweak mode"):
        begin(addon, head, keeping, tmp_path / "caches")
    assert not (tmp_path / "caches").exists()


def state(head: Head) -> tuple[object, ...]:
    """What a lip sync leaves on a character: modifiers, shape keys, and the curves in all actions."""
    modifiers = [(modifier.name, modifier.filepath) for modifier in head.character.modifiers]
    shapes = [block.name for block in getattr(head.character.data.shape_keys, "key_blocks", ())]
    return modifiers, shapes, {(action.name, len(curves(action))) for action in bpy.data.actions if action.users}


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_tweak_mode_meanwhile_leaves_the_earlier_lip_sync_as_it_was(addon, head: Head, tmp_path: Path, keeping: str):
    write(addon, head, keeping, tmp_path)
    writing = begin(addon, head, keeping, tmp_path)
    tweaked(head.character if keeping == "cache" else head.character.data.shape_keys)
    before = state(head)
    with pytest.raises(addon.errors.BadInput, match="tweak mode"):
        writing.commit()
    writing.discard()
    assert state(head) == before
    np.testing.assert_allclose(head.seen(17), head.places[7], atol=1.5e-4)


@pytest.mark.parametrize("is_second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_a_fault_that_nobody_foresaw_leaves_the_character_as_it_was(
    addon, head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeping: str, is_second: bool
):
    if is_second:
        write(addon, head, keeping, tmp_path)
    before = state(head)
    writing = begin(addon, head, keeping, tmp_path)
    break_once(monkeypatch, addon.writing.staging.Writing, "commit")
    with pytest.raises(ZeroDivisionError):
        writing.commit()
    writing.discard()
    assert state(head) == before
    np.testing.assert_allclose(head.seen(17), head.places[7] if is_second else head.rest, atol=1.5e-4)


def out_of_a_library(head: Head, folder: Path) -> Head:
    """The same head as an override: linked with its collection from another file, its mesh overridden too."""
    collection = bpy.data.collections.new("Anna")
    collection.objects.link(head.character)
    bpy.data.libraries.write(str(folder / "anna.blend"), {collection})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    with bpy.data.libraries.load(str(folder / "anna.blend"), link=True) as (_there, here):
        here.collections = ["Anna"]
    (linked,) = here.collections
    bpy.context.scene.collection.children.link(linked)
    linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    character = the_local_mesh()
    if not character.data.is_editable:
        character.data.override_create(remap_local_usages=True)
    return Head(character, head.rest, head.places, head.motion)


def the_local_mesh() -> bpy.types.Object:
    return next(thing for thing in bpy.data.objects if thing.library is None and thing.type == "MESH")


def opened_again(head: Head) -> Head:
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    return Head(the_local_mesh(), head.rest, head.places, head.motion)


def test_shape_keys_on_an_overridden_mesh_are_refused(addon, head: Head, tmp_path: Path):
    head = out_of_a_library(head, tmp_path)
    assert head.character.data.override_library
    with pytest.raises(addon.errors.BadInput, match="Choose Point Cache, or make the mesh local"):
        write(addon, head, "shapes", tmp_path)


@pytest.mark.parametrize("keeping", ["cache", "shapes"])
def test_what_is_advised_for_an_overridden_mesh_survives_saving(addon, head: Head, tmp_path: Path, keeping: str):
    head = out_of_a_library(head, tmp_path)
    if keeping == "shapes":
        head.character.data.make_local()
    write(addon, head, keeping, tmp_path)
    np.testing.assert_allclose(opened_again(head).seen(17), head.places[7], atol=1.5e-4)


@pytest.mark.parametrize(
    ("keeping", "advice"), [("cache", "a library override first"), ("shapes", "make the mesh local")]
)
def test_a_linked_mesh_is_refused_with_what_helps(addon, head: Head, tmp_path: Path, keeping: str, advice: str):
    head = out_of_a_library(head, tmp_path)
    head.character.data = next(mesh for mesh in bpy.data.meshes if mesh.library)
    with pytest.raises(addon.errors.BadInput, match=advice):
        write(addon, head, keeping, tmp_path)


def test_absolute_shape_keys_are_refused(addon, head: Head, tmp_path: Path):
    head.character.shape_key_add(name="Basis", from_mix=False)
    head.character.data.shape_keys.use_relative = False
    with pytest.raises(addon.errors.BadInput, match=r"are absolute\. Turn on “Relative”"):
        write(addon, head, "shapes", tmp_path)
    write(addon, head, "cache", tmp_path)
    np.testing.assert_allclose(head.seen(17), head.places[7], atol=2e-6)
