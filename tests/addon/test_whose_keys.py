# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose keys are whose: copies of a character, characters with new names, and actions that several of them use."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, curves, shown

FIRST, LAST = 20, 39
SHAPES = ("jawOpen", "mouthClose")
MODES = ("new", "replace", "nla")

with_slots = pytest.mark.skipif(
    "slots" not in bpy.types.Action.bl_rna.properties, reason="actions have slots since Blender 4.4"
)


@pytest.fixture
def head():
    return add_character(SHAPES)


@pytest.fixture
def keys(addon):
    """All keys of an action bit for bit, however it is called now."""
    return lambda action: [(curve.data_path, addon.writing.keys.read(curve).tobytes()) for curve in curves(action)]


@pytest.fixture
def write(begin_writing):
    """Write a ramp; gives what was placed."""

    def write(head, first=FIRST, last=LAST, strip="line", **options):
        columns = {shape: np.linspace(0.1, 0.9, last - first + 1, dtype=np.float32) for shape in SHAPES}
        writing = begin_writing(head, columns, strip, first, **options)
        assert writing.advance()
        return writing.commit()

    return write


@pytest.fixture
def lines(addon):
    """Who speaks from which frame on, in all actions that are used: what is remembered of it."""

    def lines() -> list[tuple[str, int]]:
        ledgers = [addon.writing.ledger.Ledger.of(action) for action in bpy.data.actions if action.users]
        return sorted((line.record.character, line.record.first_frame) for one in ledgers for line in one.lines)

    return lines


def by_hand(character: bpy.types.Object) -> bpy.types.Action:
    """An action of the artist's on a character."""
    block = character.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.2), (25, 0.9), (70, 0.3)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    return character.data.shape_keys.animation_data.action


def played(character: bpy.types.Object) -> list[bpy.types.Action]:
    """The actions on a character's shape keys, the active one first."""
    data = character.data.shape_keys.animation_data
    actions = [data.action, *(strip.action for track in data.nla_tracks for strip in track.strips)]
    return [action for action in actions if action]


def duplicated(character: bpy.types.Object) -> bpy.types.Object:
    """Shift D: a copy of the object, its mesh and its action."""
    bpy.ops.object.select_all(action="DESELECT")
    character.select_set(True)
    bpy.ops.object.duplicate()
    return bpy.context.view_layer.objects.active


def in_a_full_copy(character: bpy.types.Object) -> bpy.types.Object:
    """The copy of a character in a Full Copy of its scene."""
    window, before = bpy.context.window, bpy.context.scene
    bpy.ops.scene.new(type="FULL_COPY")
    (copy,) = bpy.context.scene.objects
    assert copy != character
    window.scene = before
    return copy


# --- copies ---


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("copied", [duplicated, in_a_full_copy])
def test_generating_for_one_leaves_its_copy_speaking(head, keys, write, mode, copied):
    by_hand(head)
    write(head, mode=mode)
    copy = copied(head)
    before = [(action.name, keys(action)) for action in played(copy)]
    write(head, 50, 69, mode=mode)
    assert [(action.name, keys(action)) for action in played(copy)] == before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("copied", [duplicated, in_a_full_copy])
def test_generating_for_a_copy_replaces_what_it_was_copied_with(head, keys, lines, write, mode, copied):
    by_hand(head)
    write(head, mode=mode)
    copy = copied(head)
    before = [keys(action) for action in played(head)]
    placed = write(copy, 50, 69, mode=mode)
    assert placed.moved == ()
    assert lines() == [("Head", FIRST), (copy.name, 50)]
    assert len(played(copy)) == len(before)
    assert [keys(action) for action in played(head)] == before


@pytest.mark.parametrize("mode", ["new", "nla"])
def test_a_copy_leaves_the_takes_of_its_original_alone(addon, head, keys, write, mode):
    """Its action still names them, but they are shown, kept and replaced on the original only."""
    takes = addon.writing.takes
    write(head, mode=mode)
    write(head, 50, 69, mode=mode, beside=True)
    copy = duplicated(head)
    before = [keys(action) for action in played(copy)]
    takes.show("line", "Head", 1)
    takes.show("line", "Head", 2)
    assert [keys(action) for action in played(copy)] == before
    mine = {action.name: keys(action) for action in takes_of(head, addon)}
    write(copy, 30, 49, mode=mode, beside=True)
    write(copy, 31, 50, mode=mode)
    assert {action.name: keys(action) for action in takes_of(head, addon)} == mine
    assert takes.recorded("line", copy.name)[0].record.first_frame == 31
    before = [keys(action) for action in played(copy)]
    assert takes.keep("line", "Head") == 1
    assert [keys(action) for action in played(copy)] == before


def takes_of(character: bpy.types.Object, addon) -> list[bpy.types.Action]:
    """The actions of a character's two takes, the one that plays first."""
    (playing,) = played(character)
    waiting = addon.writing.ledger.Ledger.of(playing).lines[0].waiting
    assert [one.record.take for one in addon.writing.takes.recorded("line", character.name)] == [1, 2]
    return [playing, *(bpy.data.actions[name] for name in waiting)]


# --- characters with new names ---


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_replaced", [False, True])
def test_renamed_character_generated_again(head, keys, lines, write, mode, is_replaced):
    """Also where another object has taken its name: what it spoke before goes, and the artist's keys come back."""
    name = by_hand(head).name
    before = keys(bpy.data.actions[name])
    write(head, mode=mode)
    head.name = "Anna"
    if is_replaced:
        add_character(SHAPES, "Head")
    placed = write(head, 50, 69, mode=mode)
    assert placed.moved == ()
    assert lines() == [("Anna", 50)]
    write(head, 50, 69, mode="nla")
    assert keys(bpy.data.actions[name]) == before
    assert shown(head, 69)["jawOpen"] == pytest.approx(0.9, abs=1e-3)


def test_two_characters_on_one_mesh_stay_two(lines, write):
    anna = add_character(SHAPES, "Anna")
    bert = bpy.data.objects.new("Bert", anna.data)
    bpy.context.scene.collection.objects.link(bert)
    write(anna, 10, 19)
    write(bert, 50, 59)
    assert lines() == [("Anna", 10), ("Bert", 50)]
    anna.name = "Clara"
    write(bert, 60, 69)
    assert lines() == [("Anna", 10), ("Bert", 60)]
    write(anna, 20, 29)
    assert lines() == [("Bert", 60), ("Clara", 20)]


def test_takes_of_a_renamed_character(addon, head, write):
    takes = addon.writing.takes
    write(head)
    write(head, 50, 69, beside=True)
    head.name = "Anna"
    assert [one.record.take for one in takes.recorded("line", "Anna")] == [1, 2]
    takes.show("line", "Anna", 1)
    assert shown(head, LAST)["jawOpen"] == pytest.approx(0.9, abs=1e-3)
    write(head)
    assert [one.record.take for one in takes.recorded("line", "Anna")] == [1]
    assert len(bpy.data.actions) == 1


# --- actions that several use ---


@pytest.mark.parametrize("mode", MODES)
def test_files_from_before_blender_had_slots(addon, head, keys, lines, write, mode):
    """Blender gives their actions a slot each, of which what was remembered then knows nothing."""
    name, ledger = by_hand(head).name, addon.writing.ledger
    before = keys(bpy.data.actions[name])
    written = bpy.data.actions[write(head, mode=mode).actions[0]]
    old = ledger.Ledger.of(written)
    replace(old, lines=tuple(replace(line, slot=0) for line in old.lines)).store(written)
    write(head, 50, 69, mode=mode)
    assert lines() == [("Head", 50)]
    write(head, 50, 69, mode="nla")
    assert keys(bpy.data.actions[name]) == before


def borrow(character: bpy.types.Object, action: bpy.types.Action) -> None:
    """Give a character an action of somebody else, as choosing it in the editor does: it plays no slot of it."""
    data = character.data.shape_keys.animation_data_create()
    data.action = action
    data.action_slot = None


@with_slots
@pytest.mark.parametrize("is_ours", [False, True])
def test_replace_leaves_the_keys_of_others_in_the_same_action(addon, write, is_ours):
    """Also where it is generated there again, and elsewhere then."""
    anna, bert = add_character(SHAPES, "Anna"), add_character(SHAPES, "Bert")
    if is_ours:
        write(anna)
    else:
        by_hand(anna)
    hers, his = (thing.data.shape_keys.animation_data_create() for thing in (anna, bert))

    def annas() -> tuple:
        playing = addon.compat.curves(hers.action, hers)
        there = [addon.writing.keys.read(one).tobytes() for one in playing]
        return hers.action.name, hers.action_slot.identifier, there

    borrow(bert, hers.action)
    before = annas()
    for first, mode in ((FIRST, "replace"), (30, "replace"), (30, "new"), (40, "new")):
        write(bert, first, first + 19, mode=mode)
        assert annas() == before
        assert (his.action, his.action_slot_handle) != (hers.action, hers.action_slot_handle)
        assert shown(bert, first + 19)["jawOpen"] == pytest.approx(0.9, abs=1e-3)
    write(bert, 40, 59, mode="nla")
    assert annas() == before


@with_slots
def test_an_action_of_ours_stays_while_anything_else_is_in_it(addon, head, write):
    """The artist has animated the head's place in it too, and then goes on in another action."""
    write(head)
    action = head.data.shape_keys.animation_data.action
    head.animation_data_create().action = action
    head.keyframe_insert("location", frame=1)
    assert head.animation_data.action == action
    head.data.shape_keys.animation_data.action = bpy.data.actions.new("another")
    head.data.shape_keys.animation_data.nla_tracks.new().strips.new("ours", FIRST, action)
    write(head, mode="replace")
    kept = head.animation_data
    assert kept.action is not None
    assert [curve.data_path for curve in addon.compat.curves(kept.action, kept)] == ["location"] * 3
