# SPDX-License-Identifier: GPL-3.0-or-later
"""Many strips for many characters: who speaks what, one after the other, and one undo step each."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, break_once, strips_of, tone


@pytest.fixture
def cast(scene, tmp_path):
    """Anna, Old Anna and Bert, and five strips."""
    for name in ("Anna", "Old Anna", "Bert"):
        add_character(name=name)
    sound = tone(tmp_path / "line.wav", 0.5, (0.25,))
    lines = (("anna_01", 1, 1), ("old_anna.02", 20, 1), ("bert 3", 40, 2), ("noise", 60, 3), ("ANNA 4", 80, 1))
    for name, frame, channel in lines:
        add_strip(scene, sound, name, frame, channel)
    return scene


def actions() -> dict[str, list[str]]:
    """Who has which lip sync."""
    found: dict[str, list[str]] = {}
    for thing in bpy.data.objects:
        data = thing.data.shape_keys.animation_data
        playing = [data.action, *(strip.action for track in data.nla_tracks for strip in track.strips)] if data else []
        found[thing.name] = sorted(action.name.removeprefix("Mouthpiece ") for action in playing if action)
    return found


def test_speakers_by_strip_names(addon, cast):
    roles, alone = addon.casting.cast_by(addon.casting.Rule.NAME, cast)
    assert [(role.strip, role.character) for role in roles] == [
        ("anna_01", "Anna"),
        ("old_anna.02", "Old Anna"),
        ("bert 3", "Bert"),
        ("ANNA 4", "Anna"),
    ]
    assert alone == ["noise"]


def test_speakers_by_channel_names_those_of_meta_strips_too(addon, cast):
    channels = cast.sequence_editor.channels
    channels[1].name, channels[2].name = "Voice of Bert", "Anna (clean)"
    meta = strips_of(cast).new_meta("scene 12", 2, 200)
    next(strip for strip in strips_of(cast) if strip.name == "noise").move_to_meta(meta)
    meta.channels[3].name = "music"
    roles, alone = addon.casting.cast_by(addon.casting.Rule.CHANNEL, cast)
    assert {role.strip: role.character for role in roles} == {
        "anna_01": "Bert",
        "old_anna.02": "Bert",
        "ANNA 4": "Bert",
        "bert 3": "Anna",
        "noise": "Anna",
    }
    assert alone == []


def test_muted_and_unselected_strips_are_left_alone(addon, cast):
    for strip in strips_of(cast):
        strip.select = strip.name == "bert 3"
        strip.mute = strip.name == "anna_01"
    everyone, _ = addon.casting.cast_by(addon.casting.Rule.NAME, cast)
    selected, _ = addon.casting.cast_by(addon.casting.Rule.NAME, cast, only_selected=True)
    assert "anna_01" not in {role.strip for role in everyone}
    assert [role.strip for role in selected] == ["bert 3"]


def test_strips_that_something_around_them_mutes_are_left_alone(addon, cast):
    """Their channel, a meta strip around them, or its channel."""
    bert, noise = (next(strip for strip in strips_of(cast) if strip.name == name) for name in ("bert 3", "noise"))
    noise.name = "bert 4"
    inner, outer = (strips_of(cast).new_meta(name, channel, 200) for name, channel in (("inner", 5), ("outer", 6)))
    noise.move_to_meta(inner)
    inner.move_to_meta(outer)

    def spoken() -> set[str]:
        roles, alone = addon.casting.cast_by(addon.casting.Rule.NAME, cast)
        return {role.strip for role in roles if role.character == "Bert"} | set(alone)

    assert spoken() == {"bert 3", "bert 4"}
    cast.sequence_editor.channels[bert.channel].mute = True
    assert spoken() == {"bert 4"}
    for holder, channel in ((cast.sequence_editor, outer.channel), (outer, inner.channel), (inner, noise.channel)):
        holder.channels[channel].mute = True
        assert spoken() == set()
        holder.channels[channel].mute = False
    for meta in (inner, outer):
        meta.mute = True
        assert spoken() == set()
        meta.mute = False
    assert spoken() == {"bert 4"}


def test_objects_without_a_face_are_no_speakers(addon, cast):
    cast.collection.objects.link(bpy.data.objects.new("noise", None))
    assert addon.casting.cast_by(addon.casting.Rule.NAME, cast)[1] == ["noise"]


def test_generate_all_does_every_role(addon, cast, use_fake):
    use_fake("clicks")
    assert bpy.ops.mouthpiece.generate_all() == {"FINISHED"}
    assert actions() == {
        "Anna": ["ANNA 4 Anna", "anna_01 Anna"],
        "Old Anna": ["old_anna.02 Old Anna"],
        "Bert": ["bert 3 Bert"],
    }
    assert {entry.fate.value for entry in addon.runner.current.worklist.entries} == {"done"}


def test_list_says_who_speaks(cast, use_fake):
    use_fake("clicks")
    chosen = cast.mouthpiece_queue
    chosen.rule = "list"
    cast.sequence_editor.active_strip = strips_of(cast)["noise"]
    bpy.context.view_layer.objects.active = bpy.data.objects["Bert"]
    bpy.ops.mouthpiece.add_role()
    bpy.ops.mouthpiece.add_role()
    bpy.ops.mouthpiece.remove_role()
    assert [(row.strip, row.character.name) for row in chosen.roles] == [("noise", "Bert")]
    assert bpy.ops.mouthpiece.generate_all() == {"FINISHED"}
    assert actions()["Bert"] == ["noise Bert"]


def test_button_says_why_it_cannot_be_clicked(scene, use_fake):
    use_fake("clicks")
    assert not bpy.ops.mouthpiece.generate_all.poll()


def test_one_that_fails_stops_no_other(addon, cast, use_fake):
    use_fake("clicks")
    bpy.data.objects["Bert"].data.shape_keys.use_relative = False
    runner, chosen = addon.runner.current, cast.mouthpiece_queue
    chosen.rule = "list"
    for strip, name in (("bert 3", "Bert"), ("anna_01", "Anna")):
        row = chosen.roles.add()
        row.strip, row.character = strip, bpy.data.objects[name]
    assert bpy.ops.mouthpiece.generate_all() == {"FINISHED"}
    assert [entry.fate.value for entry in runner.worklist.entries] == ["failed", "done"]
    assert "are absolute" in runner.worklist.entries[0].message
    assert actions()["Anna"] == ["anna_01 Anna"]


def test_strip_whose_sound_was_deleted_stops_no_other(addon, cast, use_fake, tmp_path):
    use_fake("clicks")
    cast.mouthpiece_words.source = "beside"
    silent = next(strip for strip in strips_of(cast) if strip.name == "anna_01")
    silent.sound = bpy.data.sounds.load(str(tone(tmp_path / "gone.wav", 0.5)))
    bpy.data.sounds.remove(silent.sound)
    assert bpy.ops.mouthpiece.generate_all() == {"FINISHED"}
    entries = addon.runner.current.worklist.entries
    assert [entry.fate.value for entry in entries] == ["failed", "done", "done", "done"]
    assert entries[0].message.startswith("The strip “anna_01” has no sound any more.")


@pytest.mark.parametrize("place", ["heard", "Performance", "Placing"])
def test_fault_that_nobody_foresaw_stops_no_other(addon, cast, use_fake, monkeypatch, capfd, place):
    use_fake("clicks")
    break_once(monkeypatch, addon.job, place)
    runner = addon.runner.current
    runner.line_up(addon.interface.queue.choices(bpy.context), addon.preferences.launch())
    while runner.busy:
        addon.runner._on_timer()
    assert [entry.fate.value for entry in runner.worklist.entries] == ["failed", "done", "done", "done"]
    assert "unexpected happened: ZeroDivisionError" in runner.worklist.entries[0].message
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize("method", ["advance", "apply", "report"])
def test_panel_is_at_work_no_more_after_a_fault_that_nobody_foresaw(addon, cast, use_fake, monkeypatch, method):
    use_fake("clicks")
    break_once(monkeypatch, addon.placing.Placing, method)
    break_once(monkeypatch, addon.placing.Placing, "discard")
    runner = addon.runner.current
    runner.begin(addon.interface.queue.choices(bpy.context)[0], addon.preferences.launch())
    while runner.busy:
        addon.runner._on_timer()
    assert addon.session.current.state is addon.session.State.ERROR
    assert "unexpected happened: ZeroDivisionError" in addon.session.current.message


def test_check_of_the_backend_is_over_after_a_fault_that_nobody_foresaw(addon, use_fake, monkeypatch):
    use_fake("never ready")
    addon.session.current.start(addon.preferences.launch())
    break_once(monkeypatch, addon.session.current, "pump")
    addon.runner._on_timer()
    assert addon.session.current.state is addon.session.State.ERROR


def test_backend_that_dies_in_the_middle_is_started_again(addon, cast, use_fake, tmp_path, monkeypatch):
    monkeypatch.setenv("MOUTHPIECE_TEST_MARK", str(tmp_path / "mark"))
    use_fake("crash once")
    assert bpy.ops.mouthpiece.generate_all() == {"FINISHED"}
    assert [entry.fate.value for entry in addon.runner.current.worklist.entries] == ["failed", "done", "done", "done"]


def test_cancel_stops_the_running_and_all_that_wait(addon, cast, use_fake):
    use_fake("slow")
    runner = addon.runner.current
    runner.line_up(addon.interface.queue.choices(bpy.context), addon.preferences.launch())
    while addon.session.current.fraction != 0.4:
        runner.step()
    bpy.ops.mouthpiece.cancel()
    runner.wait()
    assert {entry.fate.value for entry in runner.worklist.entries} == {"cancelled"}
    assert len(bpy.data.actions) == 0


def test_nothing_else_begins_while_some_wait(addon, cast, use_fake):
    use_fake("clicks")
    addon.runner.current.line_up(addon.interface.queue.choices(bpy.context), addon.preferences.launch())
    with pytest.raises(addon.errors.BadInput, match="at work already"):
        addon.runner.current.begin(addon.interface.queue.choices(bpy.context)[0], addon.preferences.launch())
    addon.runner.current.wait()
