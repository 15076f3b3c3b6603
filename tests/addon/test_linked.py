# SPDX-License-Identifier: GPL-3.0-or-later
"""A character out of another file: keys on it are refused until its mesh is overridden, and then survive saving."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, shown


@pytest.fixture
def library(tmp_path):
    """A file with a head in a collection, and the empty shot beside it."""
    head = add_character()
    collection = bpy.data.collections.new("Anna")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.scene.collection.objects.unlink(head)
    collection.objects.link(head)
    path = tmp_path / "anna.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return path


def link_collection(library) -> bpy.types.Collection:
    with bpy.data.libraries.load(str(library), link=True) as (_there, here):
        here.collections = ["Anna"]
    bpy.context.scene.collection.children.link(bpy.data.collections["Anna"])
    return bpy.data.collections["Anna"]


def overridden(library) -> bpy.types.Object:
    """What an artist does: Object > Library Override > Make."""
    link_collection(library).override_hierarchy_create(
        bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
    )
    return next(thing for thing in bpy.data.objects if thing.library is None and thing.type == "MESH")


def linked(library) -> bpy.types.Object:
    link_collection(library)
    return next(thing for thing in bpy.data.objects if thing.type == "MESH")


def with_linked_mesh(library) -> bpy.types.Object:
    with bpy.data.libraries.load(str(library), link=True) as (_there, here):
        here.meshes = ["Head"]
    head = bpy.data.objects.new("Head", bpy.data.meshes["Head"])
    bpy.context.scene.collection.objects.link(head)
    return head


@pytest.fixture(params=[overridden, linked, with_linked_mesh], ids=["override", "link", "mesh"])
def head(request, library):
    return request.param(library)


def test_linked_shape_keys_are_refused_with_what_to_do(addon, head):
    assert addon.linked.is_locked(head)
    assert addon.linked.libraries_of(head) == ["anna.blend"]
    with pytest.raises(addon.errors.BadInput, match=r"linked from another file.*override"):
        addon.rig.face.face_of(head)


def test_one_click_makes_keys_that_survive_saving(addon, head, begin_writing, tmp_path):
    bpy.context.scene.mouthpiece.character = head
    bpy.context.view_layer.objects.active = head if head.library is None else None
    assert bpy.ops.mouthpiece.override_mesh() == {"FINISHED"}
    head = bpy.context.scene.mouthpiece.character
    assert not addon.linked.is_locked(head)
    addon.rig.face.face_of(head)

    writing = begin_writing(head, {"jawOpen": np.linspace(0, 1, 11, dtype=np.float32)}, first=1)
    writing.advance()
    writing.commit()
    name = head.name
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    again = next(thing for thing in bpy.data.objects if thing.name == name and thing.library is None)
    assert [shown(again, frame)["jawOpen"] for frame in (1, 6, 11)] == pytest.approx([0, 0.5, 1.0], abs=1e-3)


def test_nothing_to_do_for_a_local_character(addon):
    head = add_character()
    assert not addon.linked.is_locked(head)
    assert not bpy.ops.mouthpiece.override_mesh.poll()


def reopened(head) -> bpy.types.Object:
    """An override after saving the shot and opening it again; it is the chosen character."""
    name = head.name
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    again = next(thing for thing in bpy.data.objects if thing.name == name and thing.library is None)
    bpy.context.scene.mouthpiece.character = again
    return again


def test_names_chosen_by_hand_survive_saving(addon, library):
    """Library overrides forget custom properties, but for those that are registered as overridable."""
    head = overridden(library)
    addon.linked.unlock(head, bpy.context.scene, bpy.context.view_layer)
    bpy.context.scene.mouthpiece.character = head
    assert bpy.ops.mouthpiece.choose_rig(convention="vrm1") == {"FINISHED"}
    head.mouthpiece_mapping.rows["aa"].shown_by = "jawOpen"
    head = reopened(head)
    assert addon.rig.face.face_of(head).match.found == {"aa": "jawOpen"}
    for _ in range(2):
        assert bpy.ops.mouthpiece.choose_rig() == {"FINISHED"}  # which fills the list anew
        assert head.mouthpiece_mapping.rows["aa"].shown_by == "jawOpen"
    assert bpy.ops.mouthpiece.recognise_rig() == {"FINISHED"}
    assert addon.rig.face.face_of(reopened(head)).match.profile.id == "arkit"


def test_what_the_library_has_chosen_can_be_chosen_anew_and_forgotten(addon, library):
    bpy.ops.wm.open_mainfile(filepath=str(library))
    addon.rig.mapping.remember(bpy.data.objects["Head"], addon.rig.profile.shipped("vrm1"))
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(library.with_name("shot.blend")))
    head = overridden(library)
    assert addon.rig.face.remembered(head).id == "vrm1"
    addon.rig.mapping.remember(head, addon.rig.profile.shipped("oculus"))
    head = reopened(head)
    assert addon.rig.face.remembered(head).id == "oculus"
    addon.rig.mapping.forget(head)
    assert addon.rig.face.remembered(reopened(head)) is None
