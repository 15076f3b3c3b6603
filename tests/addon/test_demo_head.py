# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator "Add Demo Head" in the real bpy: the object it makes, and lips and teeth that never cross."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Vector
from mathutils.bvhtree import BVHTree

LIPS = (
    "mouthFunnel", "mouthPucker", "mouthSmile", "mouthStretch", "mouthFrown", "mouthDimple", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPress", "mouthLowerDown", "mouthUpperUp",
)  # fmt: skip


@pytest.fixture
def head(addon) -> bpy.types.Object:
    bpy.context.scene.cursor.location = (0.5, 0.0, 1.0)
    assert bpy.ops.mouthpiece.add_demo_head() == {"FINISHED"}
    return bpy.context.object


def evaluated(character: bpy.types.Object) -> np.ndarray:
    """Places of the vertices as rendered, [V, 3]."""
    mesh = character.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    places = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def test_makes_one_head_with_all_arkit_keys(addon, head):
    keys = head.data.shape_keys.key_blocks
    assert head.name == "Demo Head"
    assert [thing.name for thing in bpy.data.objects if thing.type == "MESH" and thing.data.shape_keys] == ["Demo Head"]
    assert keys[0].name == "Basis"
    profile_names = [key.name for key in keys][1:]
    assert len(profile_names) == 52
    assert profile_names[0] == "eyeBlinkLeft" and profile_names[-1] == "tongueOut"
    assert all((key.slider_min, key.slider_max, key.value) == (0, 1, 0) for key in keys)


def test_stands_on_the_cursor_and_looks_forward(head):
    assert tuple(round(part, 4) for part in head.location) == (0.5, 0.0, 1.0)
    low, high = (Vector(head.bound_box[corner]) for corner in (0, 6))
    assert abs(low.z) < 0.001
    assert 0.30 < high.z < 0.40, "a bust of natural size, in metres"
    nose = min((vertex.co for vertex in head.data.vertices), key=lambda place: place.y)
    assert abs(nose.x) < 0.001 and nose.y < -0.1


def test_every_face_has_a_material_that_exists(head):
    slots = {polygon.material_index for polygon in head.data.polygons}
    assert slots == set(range(len(head.material_slots)))
    assert {"Skin", "Teeth", "Gums", "Tongue", "Iris", "Brows"} <= {slot.material.name for slot in head.material_slots}
    assert not head.data.validate(verbose=True), "nothing to repair"


def test_solid_shading_shows_the_pupil_and_lighter_colours_than_the_render(head):
    materials = head.data.materials
    assert materials["Cornea"].diffuse_color[3] == 0.0
    skin = next(node for node in materials["Skin"].node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert all(np.array(materials["Skin"].diffuse_color[:3]) > skin.inputs["Base Color"].default_value[:3])


def test_hair_goes_where_the_head_goes(head):
    hair = bpy.data.objects["Demo Head Hair"]
    assert hair.parent == head
    assert [slot.material.name for slot in hair.material_slots] == ["Hair"]
    assert not hair.data.validate(verbose=True), "nothing to repair"
    head.location.x += 1.0
    bpy.context.view_layer.update()
    assert tuple(hair.matrix_world.translation) == tuple(head.matrix_world.translation)


def test_keys_move_what_is_rendered(head):
    rest = evaluated(head)
    head.data.shape_keys.key_blocks["jawOpen"].value = 1.0
    bpy.context.view_layer.update()
    moved = np.linalg.norm(evaluated(head) - rest, axis=1)
    assert 0.025 < moved.max() < 0.06
    assert (moved == 0.0).mean() > 0.3, "skull, eyes and neck stay"


def test_two_heads_are_independent(addon, head):
    other = addon.demo_head.build(bpy.context)
    assert other.data.shape_keys != head.data.shape_keys
    assert bpy.context.object == other
    assert [thing.name for thing in bpy.context.selected_objects] == [other.name]


def faces_of(head: bpy.types.Object, vertices: set[int]) -> list[list[int]]:
    return [list(polygon.vertices) for polygon in head.data.polygons if vertices.issuperset(polygon.vertices)]


@pytest.fixture
def crossings(addon, head):
    """Counts pairs of crossing faces of two groups of faces for a pose; by default of lips and teeth."""
    with np.load(addon.demo_head.FILE) as data:
        part, names, rings = data["part"], data["parts"].tolist(), data["lips"]
        inner = set(np.unique(rings[1:]).tolist()) | set(np.unique(data["lids"][:, 1:]).tolist())

    def rows(*parts: str) -> set[int]:
        return set(np.nonzero(np.isin(part, [names.index(name) for name in parts]))[0].tolist())

    groups = {
        "lips": faces_of(head, set(np.unique(rings[:7]).tolist())),
        "teeth": faces_of(head, rows("upper teeth", "lower teeth")),
        "mouth": faces_of(head, rows("upper teeth", "lower teeth", "upper gum", "lower gum", "tongue")),
        "face": faces_of(head, rows("skin") - inner),
    }
    keys = head.data.shape_keys.key_blocks

    def places(key: bpy.types.ShapeKey) -> np.ndarray:
        flat = np.empty(len(head.data.vertices) * 3, dtype=np.float32)
        key.data.foreach_get("co", flat)
        return flat.reshape(-1, 3).astype(float)

    rest = places(keys[0])
    shapes = {key.name: places(key) - rest for key in keys[1:]}

    def count(pose: dict[str, float], first: str = "lips", second: str = "teeth") -> int:
        posed = rest.copy()
        for name, weight in pose.items():
            for full in (name, f"{name}Left", f"{name}Right"):
                posed += weight * shapes.get(full, 0.0)
        trees = [BVHTree.FromPolygons(posed.tolist(), groups[group]) for group in (first, second)]
        return len(trees[0].overlap(trees[1]))

    return count


def test_nothing_in_the_mouth_pokes_through_the_face(head, crossings):
    names = [key.name for key in head.data.shape_keys.key_blocks[1:]]
    crossing = {name: crossings({name: 1.0}, "mouth", "face") for name in names}
    assert {name: count for name, count in crossing.items() if count} == {}


def test_lips_and_teeth_cross_in_no_shape(head, crossings):
    crossing = {key.name: crossings({key.name: 1.0}) for key in head.data.shape_keys.key_blocks[1:]}
    assert {name: count for name, count in crossing.items() if count} == {}


def test_lips_and_teeth_cross_in_no_speech(crossings):
    random = np.random.default_rng(7)
    for _ in range(200):
        pose = {name: random.uniform(0.0, 0.6) for name in LIPS if random.random() < 0.35}
        pose["jawOpen"] = random.uniform(0.0, 0.6)
        pose["mouthClose"] = pose["jawOpen"] * random.uniform(0.0, 1.0) * (random.random() < 0.5)
        assert crossings(pose) == 0, pose
