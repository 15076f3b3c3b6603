# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters as they come: heads of several meshes, bones, properties that drive, pose libraries, names by hand."""

from __future__ import annotations

import json
import math

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Quaternion, Vector

from tests.addon.stage import add_armature, add_character, add_strip, curves, curves_of, tone

CHANNELS = ("jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "mouthPressLeft")


@pytest.fixture
def motion(addon):
    """A motion whose channels each have one value per frame."""

    def motion(**channels: list[float]):
        values = np.stack([np.array(values, np.float32) for values in channels.values()], axis=1)
        return addon.motion.Motion(tuple(channels), values, 24.0, "arkit", {})

    return motion


@pytest.fixture
def targets(addon, motion):
    """Every curve that a motion asks for: (datablock, path, index) → values."""

    def targets(character, profile=None, **channels):
        face = addon.rig.face.face_of(character, profile)
        curves = addon.rig.targets.targets_of(face, motion(**channels))
        return {(curve.datablock, curve.data_path, curve.index): curve.values.tolist() for curve in curves}

    return targets


def jaw(title: str = "jaw", roll: float = 0.0) -> bpy.types.Object:
    """An armature that looks to -Y, with a jaw from the ear to the chin."""
    armature = add_armature((title, Vector((0, 0, 1)), Vector((0, -0.1, 0.95))))
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones[title].roll = roll
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def skin(mesh: bpy.types.Object, armature: bpy.types.Object) -> bpy.types.Object:
    mesh.modifiers.new("Armature", "ARMATURE").object = armature
    return mesh


def keyed(action: bpy.types.Action, path: str, values: tuple[float, ...]) -> None:
    """One key at frame 1 for each number of a bone's property, as a pose library's action has them."""
    curves = action.fcurves if not hasattr(action, "slots") else _bag(action).fcurves
    for index, value in enumerate(values):
        curves.new(path, index=index).keyframe_points.insert(1, value)


def _bag(action: bpy.types.Action):
    slot = action.slots[0] if action.slots else action.slots.new(id_type="OBJECT", name="Rig")
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


class TestSeveralMeshes:
    def test_what_hangs_on_one_armature_moves_together(self, addon, scene, use_fake, tmp_path):
        use_fake("clicks")
        add_strip(scene, tone(tmp_path / "click.wav", 1.0, (0.5,)))
        armature = jaw("spine")
        teeth, tongue, stranger = (
            skin(add_character(("jawOpen",), name), armature) for name in ("Teeth", "Tongue", "B")
        )
        stranger.modifiers.clear()
        head = skin(add_character(("jawOpen", "mouthClose"), "Head"), armature)

        assert bpy.ops.mouthpiece.generate() == {"FINISHED"}

        for mesh in (head, teeth, tongue):
            curves = curves_of(mesh.data.shape_keys.animation_data.action)
            assert max(value for _, value in curves["jawOpen"]) > 0.5, mesh.name
        assert stranger.data.shape_keys.animation_data is None
        assert len(addon.runner.current.report.actions) == 3
        assert addon.runner.current.report.shape_keys == ("jawOpen", "mouthClose")

    def test_children_move_along(self, addon):
        head, brows = add_character(("jawOpen", "browInnerUp")), add_character(("browInnerUp",), "Brows")
        brows.parent = head
        assert [part.thing.name for part in addon.rig.face.face_of(head).parts] == ["Head", "Brows"]

    def test_a_shared_collection_counts_where_one_lies_inside_the_other(self, addon):
        group = bpy.data.collections.new("Hero")
        bpy.context.scene.collection.children.link(group)
        meshes = [add_character(("jawOpen",), name) for name in ("Head", "Teeth", "Extra")]
        for mesh in meshes:
            bpy.context.scene.collection.objects.unlink(mesh)
            group.objects.link(mesh)
        meshes[2].location.x = 5.0
        bpy.context.view_layer.update()
        assert [part.thing.name for part in addon.rig.face.face_of(meshes[0]).parts] == ["Head", "Teeth"]

    def test_two_characters_on_a_stage_stay_two(self, addon):
        stage = bpy.data.objects.new("Stage", None)
        bpy.context.scene.collection.objects.link(stage)
        anna, bert = add_character(name="Anna"), add_character(name="Bert")
        bert.location.x = 3.0
        anna.parent = bert.parent = stage
        bpy.context.view_layer.update()
        assert [part.thing.name for part in addon.rig.face.face_of(anna).parts] == ["Anna"]

    def test_teeth_that_hang_on_the_skinned_head_move_along(self, addon):
        """The head has the only Armature modifier, and nothing is parented to the armature."""
        armature = jaw("spine")
        head, teeth = skin(add_character(("jawOpen",)), armature), add_character(("jawOpen",), "Teeth")
        teeth.parent = head
        for character in (head, armature):
            assert [part.thing.name for part in addon.rig.face.face_of(character).parts] == ["Head", "Teeth"]
        assert addon.rig.face.leads((head, teeth)) == [head]

    def test_teeth_that_lie_in_the_skinned_head_move_along(self, addon):
        group = bpy.data.collections.new("Hero")
        bpy.context.scene.collection.children.link(group)
        head, teeth = add_character(("jawOpen",)), add_character(("jawOpen",), "Teeth")
        for mesh in (head, teeth):
            bpy.context.scene.collection.objects.unlink(mesh)
            group.objects.link(mesh)
        skin(head, jaw("spine"))
        assert [part.thing.name for part in addon.rig.face.face_of(head).parts] == ["Head", "Teeth"]

    def test_a_rider_keeps_its_own_mouth(self, addon):
        """What has another armature is somebody else, also where it is carried."""
        horse, rider = skin(add_character(("jawOpen",), "Horse"), jaw("spine")), add_character(("jawOpen",), "Rider")
        skin(rider, jaw("back")).parent = horse
        assert [part.thing.name for part in addon.rig.face.face_of(horse).parts] == ["Horse"]

    def test_meshes_are_counted_as_one_face(self, addon):
        head, tongue = add_character(("jawOpen",)), add_character(("tongueOut",), "Tongue")
        tongue.parent = head
        found = addon.rig.face.face_of(head).match
        assert found.summary == "ARKit, 2 of 52"

    def test_of_several_meshes_the_head_is_the_character(self, addon):
        armature = jaw("spine")
        for name, shapes in (("Teeth", ("jawOpen",)), ("Head", ("jawOpen", "mouthClose")), ("Tongue", ("tongueOut",))):
            skin(add_character(shapes, name), armature)
        other = add_character(("jawOpen",), "Other")
        assert [thing.name for thing in addon.rig.face.leads(bpy.context.scene.objects)] == ["Head", other.name]

    def test_the_same_mesh_twice_is_written_once(self, addon):
        head = add_character(("jawOpen",))
        twin = bpy.data.objects.new("Twin", head.data)
        bpy.context.scene.collection.objects.link(twin)
        twin.parent = head
        assert len(addon.rig.face.face_of(head).parts) == 1


class TestBones:
    @pytest.mark.parametrize("roll", [0.0, 1.0, math.pi])
    def test_a_jaw_opens_downwards_however_it_is_rolled(self, targets, roll):
        armature = jaw(roll=roll)
        values = targets(armature, jawOpen=[0.0, 1.0])
        turn = [values[armature, 'pose.bones["jaw"].rotation_quaternion', index][1] for index in range(4)]
        armature.pose.bones["jaw"].rotation_quaternion = turn
        bpy.context.view_layer.update()
        tail = armature.pose.bones["jaw"].tail
        assert tail.z < 0.92 and abs(tail.x) < 1e-5
        assert math.degrees(Quaternion(turn).angle) == pytest.approx(24.0, abs=0.01)

    @pytest.mark.parametrize("is_flat", [False, True])
    def test_a_jaw_goes_forward_also_where_the_armature_has_its_height_in_y(self, targets, is_flat):
        """As FBX files of Mixamo and Character Creator come in: the object is turned, and its data are Y-up."""
        armature = jaw()
        if is_flat:
            upright = Matrix.Rotation(math.radians(90), 4, "X")
            armature.data.transform(upright.inverted())
            armature.matrix_world = Matrix.Rotation(math.radians(30), 4, "Z") @ upright
            bpy.context.view_layer.update()
        rest = armature.data.bones["jaw"].tail_local.copy()
        pose(armature, targets(armature, jawForward=[0.0, 1.0], jawOpen=[0.0, 0.0]), 1)
        moved = armature.matrix_world.to_3x3() @ (armature.pose.bones["jaw"].tail - rest)
        forward = Matrix.Rotation(math.radians(30 if is_flat else 0), 3, "Z") @ Vector((0, -1, 0))
        assert moved.length > 0.01
        assert (moved.normalized() - forward).length < 1e-3

    def test_a_jaw_opens_downwards_where_the_armature_has_its_height_in_y(self, targets):
        armature = jaw()
        upright = Matrix.Rotation(math.radians(90), 4, "X")
        armature.data.transform(upright.inverted())
        armature.matrix_world = upright
        pose(armature, targets(armature, jawOpen=[0.0, 1.0]), 1)
        assert (armature.matrix_world @ armature.pose.bones["jaw"].tail).z < 0.92

    def test_a_swimmer_keeps_the_front_of_its_face(self, targets):
        """Its data are Z-up and it looks down: turned as a Y-up armature is, but its jaw is high in Z."""
        armature = jaw()
        armature.rotation_euler.x = math.radians(90)
        bpy.context.view_layer.update()
        rest = armature.data.bones["jaw"].tail_local.copy()
        pose(armature, targets(armature, jawForward=[0.0, 1.0], jawOpen=[0.0, 0.0]), 1)
        moved = armature.pose.bones["jaw"].tail - rest
        assert moved.y < -0.01 and abs(moved.z) < 1e-5

    def test_euler_angles_where_the_bone_has_them(self, targets):
        armature = jaw()
        armature.pose.bones["jaw"].rotation_mode = "XYZ"
        values = targets(armature, jawOpen=[0.0, 0.5])
        assert {path for _, path, _ in values} == {'pose.bones["jaw"].rotation_euler'}
        angles = [values[armature, 'pose.bones["jaw"].rotation_euler', index][1] for index in range(3)]
        assert math.degrees(Vector(angles).length) == pytest.approx(12.0, abs=0.01)

    def test_a_mesh_moves_its_armature_where_it_has_no_shapes(self, addon, targets):
        armature = jaw("jaw_master")
        mesh = skin(add_character(("Belly",)), armature)
        assert {block for block, _, _ in targets(mesh, jawOpen=[0.0, 1.0])} == {armature}

    def test_jaw_and_visemes_only_by_choice(self, addon, targets):
        armature = jaw("Jaw")
        names = ("sil", "pp", "ff", "th", "dd", "kk", "ch", "ss", "nn", "rr", "aa", "e", "ih", "oh", "ou")
        mesh = skin(add_character(tuple(f"vrc.v_{name}" for name in names)), armature)
        assert addon.rig.face.face_of(mesh).match.profile.id == "oculus"
        profile = addon.rig.profile.shipped("jaw_visemes")
        both = targets(mesh, profile, jawOpen=[0.0, 0.6], mouthPucker=[0.0, 0.4])
        assert {block for block, _, _ in both} == {armature, mesh.data.shape_keys}

    def test_a_bone_that_follows_the_shape_keys_is_left_to_its_driver(self, addon):
        """Character Creator's importer lets the jaw bone follow Jaw_Open; without it the bone needs keys."""
        armature = jaw("CC_Base_JawRoot")
        mesh = skin(add_character(("Jaw_Open", "Mouth_Close", "Mouth_Pucker")), armature)
        profile = addon.rig.profile.shipped("cc4")
        assert [part.kind for part in addon.rig.face.face_of(mesh, profile).parts] == ["shape keys", "bones"]
        armature.driver_add('pose.bones["CC_Base_JawRoot"].rotation_quaternion', 1)
        assert [part.kind for part in addon.rig.face.face_of(mesh, profile).parts] == ["shape keys"]

    def test_keys_on_bones_are_written_and_show(self, scene, use_fake, tmp_path):
        use_fake("clicks")
        add_strip(scene, tone(tmp_path / "click.wav", 1.0, (0.5,)))
        armature = jaw()
        bpy.context.view_layer.objects.active = armature
        assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
        scene.frame_set(1 + 12)
        assert armature.pose.bones["jaw"].tail.z < 0.94
        scene.frame_set(1)
        assert armature.pose.bones["jaw"].tail.z == pytest.approx(0.95, abs=0.001)


RIGIFY = {
    "jaw_master": ((0, 0, 0), None),
    "lips.L": ((0.025, -0.1, -0.04), None),
    "lips.R": ((-0.025, -0.1, -0.04), None),
    "lip.T": ((0, -0.11, -0.038), None),
    "lip.B": ((0, -0.11, -0.042), "jaw_master"),
    "lip.T.L.001": ((0.012, -0.108, -0.038), None),
    "lip.T.R.001": ((-0.012, -0.108, -0.038), None),
    "lip.B.L.001": ((0.012, -0.108, -0.042), "jaw_master"),
    "lip.B.R.001": ((-0.012, -0.108, -0.042), "jaw_master"),
}


def rigify_face() -> bpy.types.Object:
    """The bones of Rigify's face that we move, where they lie on a head; the lower lip hangs on the jaw."""
    armature = add_armature(
        *((name, Vector(place), Vector(place) + Vector((0, -0.02, 0))) for name, (place, _) in RIGIFY.items())
    )
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (_, parent) in RIGIFY.items():
        armature.data.edit_bones[name].parent = armature.data.edit_bones.get(parent or "")
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def pose(armature: bpy.types.Object, values: dict, frame: int) -> None:
    for (_, path, index), numbers in values.items():
        bone, _, name = path.removeprefix('pose.bones["').partition('"].')
        getattr(armature.pose.bones[bone], name)[index] = numbers[frame]
    bpy.context.view_layer.update()


class TestRigify:
    def test_is_recognised(self, addon):
        assert addon.rig.face.face_of(rigify_face()).match.summary == "Rigify face bones, 9 of 9"

    def test_lips_part_and_meet(self, targets):
        """Over the jaw's whole way the lips stay shut where the motion shuts them."""
        armature = rigify_face()
        values = targets(armature, jawOpen=[0.0, 0.5, 0.5], mouthClose=[0.0, 0.0, 0.5], mouthPucker=[0.0, 0.0, 0.0])
        gaps = []
        for frame in range(3):
            pose(armature, values, frame)
            bones = armature.pose.bones
            gaps.append(1000 * (bones["lip.T"].head.z - bones["lip.B"].head.z))
        assert gaps[1] - gaps[0] > 15, "millimetres"
        assert gaps[2] == pytest.approx(gaps[0], abs=0.1)

    def test_corners_go_up_in_a_smile_and_in_for_u(self, targets):
        armature = rigify_face()
        values = targets(armature, mouthSmileLeft=[0.0, 1.0, 0.0], mouthPucker=[0.0, 0.0, 1.0], jawOpen=[0.0] * 3)
        pose(armature, values, 1)
        left, right = (armature.pose.bones[f"lips.{side}"].head.copy() for side in "LR")
        assert left.z > -0.035 and left.x > 0.03
        assert (right - Vector(RIGIFY["lips.R"][0])).length < 1e-6
        pose(armature, values, 2)
        left = armature.pose.bones["lips.L"].head
        assert left.x < 0.015 and left.y < -0.1


class TestProperties:
    def test_properties_that_drive_shape_keys_get_the_keys(self, targets):
        """DAZ figures come so: a property of the armature drives the shape key."""
        armature = jaw("spine")
        for name in ["AA", "EE", "EH", "ER", "F", "IH", "IY", "K", "L", "M", "OW", "S"]:
            armature[f"eCTRLv{name}"] = 0.0
            armature.id_properties_ui(f"eCTRLv{name}").update(min=-1.0, max=1.0)
        mesh = skin(add_character(("eCTRLvAA",)), armature)
        mesh.data.shape_keys.driver_add('key_blocks["eCTRLvAA"].value')
        values = targets(mesh, jawOpen=[0.0, 0.6])
        assert {block for block, _, _ in values} == {armature}
        assert values[armature, '["eCTRLvAA"]', 0][1] > 0.4


class TestPoseActions:
    @pytest.fixture
    def armature(self) -> bpy.types.Object:
        """Five mouths in a pose library; A drops a bone, U turns it, O does half of both."""
        armature = jaw("chin")
        for name, drop, turn in (("A", 1.0, 0.0), ("I", 0.1, 0.0), ("U", 0.0, 0.6), ("E", 0.3, 0.0), ("O", 0.4, 0.3)):
            action = bpy.data.actions.new(name)
            keyed(action, 'pose.bones["chin"].location', (0.0, -drop, 0.0))
            keyed(action, 'pose.bones["chin"].rotation_quaternion', (math.cos(turn / 2), math.sin(turn / 2), 0.0, 0.0))
        return armature

    def test_are_recognised_and_mixed(self, addon, armature, targets):
        found = addon.rig.face.face_of(armature)
        assert (found.match.profile.id, found.parts[0].kind) == ("vrm0", "poses")
        path = 'pose.bones["chin"].location'
        values = targets(armature, jawOpen=[0.0, 0.6], mouthClose=[0.0, 0.0])
        assert values[armature, path, 1][0] == pytest.approx(0.0, abs=1e-6)
        assert -1.0 < values[armature, path, 1][1] < -0.4

    def test_turns_stay_turns(self, targets, armature):
        values = targets(armature, mouthPucker=[0.0, 0.9], jawOpen=[0.0, 0.1])
        turns = [values[armature, 'pose.bones["chin"].rotation_quaternion', index][1] for index in range(4)]
        assert np.linalg.norm(turns) == pytest.approx(1.0, abs=1e-5)
        assert turns[1] > 0.05

    def test_a_quaternion_below_zero_turns_the_shorter_way(self, targets, armature):
        """Half of a pose is half of its turn, whichever of its two quaternions is keyed."""
        path = 'pose.bones["chin"].rotation_quaternion'
        channels = {"mouthPucker": [0.0, 0.4], "mouthFunnel": [0.0, 0.15], "jawOpen": [0.0, 0.06]}
        expected = [values for (_, name, _), values in targets(armature, **channels).items() if name == path]
        for curve in curves(bpy.data.actions["U"]):
            if curve.data_path == path:
                curve.keyframe_points[0].co.y *= -1
                curve.update()
        found = [values for (_, name, _), values in targets(armature, **channels).items() if name == path]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_two_controls_that_one_pose_shows_add_up(self, addon, armature, targets):
        """Whichever of the two speaks, and where one goes over into the other."""
        alone = addon.rig.profile.by_hand(addon.rig.profile.shipped("vrm0"), {"A": "A", "O": ""}, {})
        both = addon.rig.profile.by_hand(addon.rig.profile.shipped("vrm0"), {"A": "A", "O": "A"}, {})
        path = 'pose.bones["chin"].location'
        channels = {"jawOpen": [0.6, 0.4, 0.35], "mouthFunnel": [0.0, 0.2, 0.4], "mouthPucker": [0.0, 0.2, 0.4]}
        weights = addon.rig.weights.values_of(
            addon.rig.face.face_of(armature, both).match, [*channels], np.array([*channels.values()]).T
        )
        total = {value.control: value.values for value in weights}
        drops = targets(armature, both, **channels)[armature, path, 1]
        rest = 0.1 * total["I"] + 0.3 * total["E"]
        np.testing.assert_allclose(drops, -(total["A"] + total["O"] + rest), atol=1e-5)
        assert targets(armature, alone, **channels)[armature, path, 1] != pytest.approx(drops)

    def test_a_bone_that_poses_and_a_move_of_its_own_turn_has_one_curve_each(self, addon, motion, armature):
        """Jaw and visemes, where the poses of the library turn the jaw too."""
        mine = addon.rig.profile.by_hand(
            addon.rig.profile.shipped("jaw_visemes"), {"jaw": "chin", "viseme_aa": "A"}, {}
        )
        face = addon.rig.face.face_of(armature, mine)
        assert [part.kind for part in face.parts] == ["poses", "bones"]
        wanted = motion(jawOpen=[0.0, 0.5], mouthPucker=[0.0, 0.9])
        found = addon.rig.targets.targets_of(face, wanted)
        places = [(curve.datablock, curve.data_path, curve.index) for curve in found]
        assert len(places) == len({*places})
        turns = {curve.index: curve for curve in found if curve.data_path.endswith("rotation_quaternion")}
        assert {"jawOpen", "mouthPucker"} <= turns[1].channels
        assert np.linalg.norm([turns[index].values[1] for index in range(4)]) == pytest.approx(1.0, abs=1e-5)

    def test_actions_that_move_are_no_poses(self, addon, armature):
        for name in "AIUEO":
            curves = bpy.data.actions[name]
            bag = curves if not hasattr(curves, "slots") else _bag(curves)
            bag.fcurves[0].keyframe_points.insert(40, 1.0)
        with pytest.raises(addon.errors.BadInput, match="No bone"):
            addon.rig.face.face_of(armature)


NAMES = ("qx01", "qx02", "blob.7", "Ω")
MAP = {"jawOpen": "qx01", "mouthClose": "Ω", "mouthPucker": "blob.7"}


class TestByHand:
    @pytest.fixture
    def stranger(self) -> bpy.types.Object:
        return add_character(NAMES, "Stranger")

    def test_a_stranger_is_refused_with_a_sentence(self, addon, stranger):
        with pytest.raises(addon.errors.BadInput, match=r"No shape key of “Stranger” has a name.*Rig Mapping"):
            addon.rig.face.face_of(stranger)

    def test_two_sides_on_one_name_are_as_far_as_the_further_one(self, addon, stranger, targets):
        """Half a smile of both sides is half a smile, and a smile to one side is one."""
        names = {"mouthSmileLeft": "qx01", "mouthSmileRight": "qx01"}
        mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("arkit"), names, {})
        values = targets(stranger, mine, mouthSmileLeft=[0.5, 0.8, 0.0], mouthSmileRight=[0.5, 0.1, 0.6])
        assert values == {(stranger.data.shape_keys, 'key_blocks["qx01"].value', 0): pytest.approx([0.5, 0.8, 0.6])}

    def test_two_directions_on_one_name_are_told_apart_by_their_weights(self, addon, stranger, targets):
        names = {"jawLeft": "qx01", "jawRight": "qx01"}
        mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("arkit"), names, {"jawRight": -1.0})
        values = targets(stranger, mine, jawLeft=[0.5, 0.0, 0.3], jawRight=[0.0, 0.4, 0.3])
        assert [*values.values()] == [pytest.approx([0.5, -0.4, 0.0])]

    def test_visemes_on_one_name_add_up(self, addon, stranger, targets):
        """Visemes that look alike share a mouth, so each alone is half of it."""
        names = {"viseme_DD": "qx01", "viseme_nn": "qx01", "viseme_aa": "Ω"}
        mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("oculus"), names, {})
        channels = {"jawOpen": [0.0, 0.15, 0.5], "tongueOut": [0.0, 0.1, 0.0], "mouthPucker": [0.0, 0.0, 0.1]}
        match = addon.rig.face.face_of(stranger, mine).match
        weights = addon.rig.weights.values_of(match, [*channels], np.array([*channels.values()]).T)
        total = sum(value.values for value in weights if value.control != "viseme_aa")
        values = targets(stranger, mine, **channels)
        assert values[stranger.data.shape_keys, 'key_blocks["qx01"].value', 0] == pytest.approx(total, abs=1e-6)
        assert total.max() > 0.1

    def test_the_artists_key_comes_back_where_two_controls_move_it(self, addon, stranger, motion):
        """Each control once took the keys of the one before it for the artist's."""
        block = stranger.data.shape_keys.key_blocks["qx01"]
        for frame, value in ((1, 0.2), (25, 0.9), (70, 0.3)):
            block.value = value
            block.keyframe_insert("value", frame=frame)
        names = {"mouthSmileLeft": "qx01", "mouthSmileRight": "qx01"}
        mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("arkit"), names, {})
        wanted, writing = motion(mouthSmileLeft=[0.5] * 20, mouthSmileRight=[0.4] * 20), addon.writing
        for first, last in ((20, 39), (50, 69)):
            curves = addon.rig.targets.targets_of(addon.rig.face.face_of(stranger, mine), wanted)
            record = writing.ledger.Record(
                "line", stranger.name, "default", "arkit", "", 1.0, "0.0.1", first, last, 24.0, ()
            )
            options = writing.options.WritingOptions(mode=writing.options.Mode("replace"))
            written = writing.staging.Writing([writing.take.Take.of(record, curves)], options)
            assert written.advance()
            written.commit()
            (keys,) = curves_of(stranger.data.shape_keys.animation_data.action).values()
            assert ((25, pytest.approx(0.9)) in keys) == (first == 50)
            assert dict(keys)[first + 5] == pytest.approx(0.5)

    def test_a_file_maps_it(self, addon, scene, use_fake, stranger, tmp_path):
        use_fake("clicks")
        add_strip(scene, tone(tmp_path / "click.wav", 1.0, (0.5,)))
        path = tmp_path / "stranger.json"
        mine = {"id": "stranger", "title": "Stranger", "extends": "arkit", "names": MAP, "gains": {"jawOpen": 0.5}}
        path.write_text(json.dumps(mine), encoding="utf-8")
        choice = addon.choice.Choice(scene.name, "line", "Stranger", profile=str(path))
        addon.job.generate_lip_sync(choice, addon.preferences.launch(), addon.session.current)
        curves = curves_of(stranger.data.shape_keys.animation_data.action)
        assert sorted(curves) == ["blob.7", "qx01", "Ω"]
        assert 0.3 < max(value for _, value in curves["qx01"]) <= 0.5

    def test_the_command_line_maps_it(self, addon, scene, use_fake, stranger, tmp_path, capfd):
        use_fake("clicks")
        add_strip(scene, tone(tmp_path / "click.wav", 1.0, (0.5,)))
        path, out = tmp_path / "stranger.json", tmp_path / "out.blend"
        mine = {"id": "stranger", "title": "Stranger", "extends": "arkit", "names": MAP}
        path.write_text(json.dumps(mine), encoding="utf-8")
        assert addon.cli.run(["generate", "--output", str(out)]) == 2
        assert "no object with shape keys that Mouthpiece knows" in capfd.readouterr().err
        assert addon.cli.run(["generate", "--profile", str(tmp_path / "gone.json"), "--output", str(out)]) == 2
        assert "“gone.json” cannot be read" in capfd.readouterr().err
        assert addon.cli.run(["generate", "--profile", str(path), "--output", str(out), "--json"]) == 0
        report = json.loads(capfd.readouterr().out.splitlines()[-1])
        assert report["shape_keys"] == ["qx01", "Ω", "blob.7"]

    def test_a_whole_profile_of_somebody_maps_it(self, addon, stranger, targets):
        text = json.dumps(
            {
                "id": "odd",
                "title": "Odd",
                "consumes": "arkit",
                "recognise": {"at_least": 1, "aliases": {}},
                "shape_keys": {"qx02": {"jawOpen": 0.5, "mouthClose": -0.5}},
            }
        )
        values = targets(stranger, addon.rig.profile.parse(text, "odd.json"), jawOpen=[0.0, 1.0], mouthClose=[0.0, 0.2])
        assert values == {(stranger.data.shape_keys, 'key_blocks["qx02"].value', 0): pytest.approx([0.0, 0.4])}

    def test_the_character_carries_it(self, addon, stranger, tmp_path):
        mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("arkit"), MAP, {})
        stranger[addon.rig.face.PROPERTY] = addon.rig.profile.dump(mine)
        path = str(tmp_path / "stranger.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
        found = addon.rig.face.face_of(bpy.data.objects["Stranger"]).match
        assert dict(found.found) == {"jawOpen": "qx01", "mouthClose": "Ω", "mouthPucker": "blob.7"}

    def test_a_damaged_one_is_told(self, addon, stranger):
        stranger[addon.rig.face.PROPERTY] = "{"
        with pytest.raises(addon.errors.BadInput, match="of Stranger"):
            addon.rig.face.face_of(stranger)
