# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes: they arrive as actions, are flipped through, compared and kept; nothing of the artist's is touched."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_armature, add_character, add_strip, curves, curves_of, shown, tone

ROOT = Path(__file__).resolve().parents[2]
ops = bpy.ops.mouthpiece


@pytest.fixture
def head(scene, use_fake, tmp_path):
    """A character, a strip of a second, and a model that gives three takes, of the seeds 4, 5 and 6."""
    use_fake("takes")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)), frame=11)
    head = add_character()
    scene.mouthpiece.model = "talker"
    chosen = scene.mouthpiece_performance
    chosen.takes, chosen.seed = 3, 4
    return head


def closed(thing: bpy.types.Object, frame: int = 15) -> float:
    """How far the mouth is closed: a tenth of the seed of the take that plays."""
    return round(shown(thing, frame)["mouthClose"], 2)


def actions() -> list[str]:
    return sorted(action.name for action in bpy.data.actions)


def told(addon) -> dict:
    """What the last request asked for."""
    return next(iter(addon.runner.current.performances.values())).takes[0].metadata


# --- how they arrive ---


def test_takes_are_actions_and_the_first_one_plays(addon, head):
    assert ops.generate() == {"FINISHED"}
    assert actions() == [f"Mouthpiece line Head take {take}" for take in (1, 2, 3)]
    assert head.data.shape_keys.animation_data.action.name == "Mouthpiece line Head take 1"
    assert closed(head) == 0.4
    report = addon.runner.current.report
    assert [(one.take, one.seed) for one in report.takes] == [(1, 4), (2, 5), (3, 6)]
    assert report.sentence.endswith("3 takes.")
    for action in bpy.data.actions:
        assert [frame for frame, _ in curves_of(action)["jawOpen"]] == list(range(11, 35))


def test_waiting_takes_survive_saving(addon, head, tmp_path):
    ops.generate()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Head"]
    assert len(bpy.data.actions) == 3
    assert ops.flip_take(way="next") == {"FINISHED"}
    assert closed(bpy.data.objects["Head"]) == 0.5


def test_one_undo_step_takes_all_of_them_back(head):
    bpy.ops.ed.undo_push(message="before")
    ops.generate("EXEC_DEFAULT", True)
    assert len(bpy.data.actions) == 3
    bpy.ops.ed.undo()
    assert actions() == []


# --- flipping and keeping ---


def test_flipping_goes_round(head):
    ops.generate()
    seen = []
    for _ in range(4):
        ops.flip_take(way="next")
        seen.append(closed(head))
    assert seen == [0.5, 0.6, 0.4, 0.5]
    ops.flip_take(way="previous")
    assert closed(head) == 0.4
    ops.show_take(number=3)
    assert closed(head) == 0.6
    assert [action.name for action in bpy.data.actions if not action.use_fake_user] == ["Mouthpiece line Head take 3"]


def test_nothing_flips_in_tweak_mode(head, scene):
    scene.mouthpiece_writing.mode = "nla"
    ops.generate()
    data = head.data.shape_keys.animation_data
    data.nla_tracks.active = data.nla_tracks[0]
    data.nla_tracks[0].strips[0].select = True
    data.use_tweak_mode = True
    with pytest.raises(RuntimeError, match="tweak mode"):
        ops.flip_take(way="next")
    data.use_tweak_mode = False
    assert closed(head) == 0.4


def test_keeping_one_removes_the_others(addon, head):
    ops.generate()
    ops.show_take(number=2)
    assert ops.keep_take() == {"FINISHED"}
    assert actions() == ["Mouthpiece line Head take 2"]
    assert closed(head) == 0.5
    assert not ops.keep_take.poll()
    assert not ops.flip_take.poll()
    assert ops.apply_last() == {"FINISHED"}
    assert len(bpy.data.actions) == 1, "what was not kept stays away"
    assert closed(head) == 0.5


def test_hand_edits_stay_with_their_take(head):
    ops.generate()
    curve = next(
        curve for curve in curves(bpy.data.actions["Mouthpiece line Head take 1"]) if "mouthClose" in curve.data_path
    )
    for key in curve.keyframe_points:
        key.co.y = 0.9
    ops.flip_take(way="next")
    assert closed(head) == 0.5
    ops.flip_take(way="previous")
    assert closed(head) == 0.9


def test_what_the_artist_renames_copies_or_uses_is_the_artists(head):
    ops.generate()
    bpy.data.actions["Mouthpiece line Head take 2"].name = "the good one"
    bpy.data.actions["Mouthpiece line Head take 3"].copy()
    other = add_character(name="Other")
    other.data.shape_keys.animation_data_create().action = bpy.data.actions["Mouthpiece line Head take 3"]
    bpy.context.view_layer.objects.active = head
    assert ops.keep_take() == {"FINISHED"}
    assert actions() == [
        "Mouthpiece line Head take 1",
        "Mouthpiece line Head take 3",
        "Mouthpiece line Head take 3.001",
        "the good one",
    ]


def test_generating_again_replaces_all_takes_and_nothing_else(head, scene):
    key = head.data.shape_keys
    key.key_blocks["eyeBlinkLeft"].keyframe_insert("value", frame=1)
    key.animation_data.action.name = "by hand"
    mine = curves_of(bpy.data.actions["by hand"])
    ops.generate()
    ops.show_take(number=3)
    scene.mouthpiece_performance.takes, scene.mouthpiece_performance.seed = 2, 8
    ops.generate()
    assert actions() == ["Mouthpiece line Head take 1", "Mouthpiece line Head take 2", "by hand"]
    assert closed(head) == 0.8
    scene.mouthpiece_performance.takes = 1
    ops.generate()
    assert actions() == ["Mouthpiece line Head", "by hand"]
    assert curves_of(bpy.data.actions["by hand"]) == mine


@pytest.mark.parametrize("mode", ["new", "nla"])
def test_takes_pass_into_what_plays_below(head, scene, mode):
    """Each take on its own, not into the take that plays just now; in an NLA track it flips as well."""
    key = head.data.shape_keys
    for frame in (1, 60):
        key.key_blocks["mouthClose"].value = 1.0
        key.key_blocks["mouthClose"].keyframe_insert("value", frame=frame)
    scene.mouthpiece_writing.mode, scene.mouthpiece_writing.blend = mode, 6
    for _ in range(2):  # the second time in the place of the first
        ops.generate()
        for seed in (4, 5, 6):
            assert closed(head, 22) == seed / 10
            assert 0.8 < closed(head, 11) <= 1
            assert closed(head, 50) == 1
            ops.flip_take(way="next")


def test_all_meshes_of_a_character_flip_together(head, scene):
    teeth = add_character(("jawOpen", "mouthClose"), "Teeth")
    teeth.parent = head
    bpy.context.view_layer.objects.active = head
    ops.generate()
    assert len(bpy.data.actions) == 6
    ops.show_take(number=2)
    assert (closed(head), closed(teeth)) == (0.5, 0.5)
    ops.keep_take()
    assert len(bpy.data.actions) == 2


def test_bones_flip_too(head):
    armature = add_armature(("jaw", (0, 0, 1), (0, -0.1, 0.95)))

    def turned() -> float:
        bpy.context.scene.frame_set(23)
        return armature.pose.bones["jaw"].matrix.to_euler().x

    ops.generate()
    first = turned()
    ops.flip_take(way="next")
    second = turned()
    ops.flip_take(way="previous")
    assert abs(first - second) > 0.005
    assert turned() == first


def test_linked_characters_feel_too(head, tmp_path):
    """Keys on a library override are there when the file is opened again."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "character.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "character.blend"), link=True) as (_, wanted):
        wanted.objects = ["Head"]
    override = wanted.objects[0].override_create()
    bpy.context.scene.collection.objects.link(override)
    override.mouthpiece_sad = 0.25
    override.mouthpiece_happy = 0.5
    override.keyframe_insert("mouthpiece_happy", frame=1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    again = next(thing for thing in bpy.data.objects if not thing.library)
    assert again.mouthpiece_sad == 0.25
    assert [point.co.y for point in curves(again.animation_data.action)[0].keyframe_points] == [0.5]


def test_properties_come_to_rest_by_their_path(addon, head):
    """Shape keys, numbers of a vector, and the artist's own properties, whole numbers and strange names among them."""
    head["smile.wide"], head['a "b"'] = 3, 0.5
    rests = {
        ('["smile.wide"]', 0): 1.0,
        ('["a \\"b\\""]', 0): 0.25,
        ("location", 2): 4.0,
        ("gone.for_good", 0): 1.0,
    }
    addon.writing.posing.rest(head, rests)
    assert (head["smile.wide"], type(head["smile.wide"]), head['a "b"'], head.location[2]) == (1, int, 0.25, 4.0)
    head.keyframe_insert("location", index=2, frame=1)
    addon.writing.posing.rest(head, {("location", 2): 9.0})
    assert head.location[2] == 4.0, "what something animates is left to it"


# --- side by side ---


def test_models_are_compared_side_by_side(addon, head, scene):
    """The default model's result stays as take 1, and what the new one moves less comes to rest."""
    scene.mouthpiece.model = ""
    scene.mouthpiece_performance.takes = 5
    ops.generate()
    assert actions() == ["Mouthpiece line Head"]
    scene.mouthpiece.model, scene.mouthpiece_performance.takes = "talker", 2
    scene.mouthpiece_writing.beside, scene.mouthpiece_writing.regions = True, {"mouth"}
    ops.generate()
    assert actions() == [f"Mouthpiece line Head take {take}" for take in (1, 2, 3)]
    listed = addon.writing.takes.recorded("line", "Head")
    assert [(one.record.take, one.record.model, one.record.seed, one.plays) for one in listed] == [
        (1, "default", None, False),
        (2, "talker", 4, True),
        (3, "talker", 5, False),
    ]
    ops.show_take(number=1)
    assert shown(head, 23)["jawOpen"] > 0.5
    ops.show_take(number=3)
    assert (closed(head), shown(head, 23)["jawOpen"]) == (0.5, 0)


def test_what_a_take_leaves_alone_comes_to_rest(head, scene):
    """A mesh that only the earlier take moves flips too: it rests while another take plays."""
    teeth = add_character(("jawOpen",), "Teeth")
    teeth.parent = head
    bpy.context.view_layer.objects.active = head
    for thing in (head, teeth):
        thing.data.shape_keys.key_blocks["jawOpen"].value = 0.125
    scene.mouthpiece_performance.takes = 1

    def open_now() -> tuple[float, float]:
        return shown(head, 23)["jawOpen"], shown(teeth, 23)["jawOpen"]

    ops.generate()
    spoken = open_now()
    assert min(spoken) > 0.5
    scene.mouthpiece_writing.regions, scene.mouthpiece_writing.beside = {"blinks"}, True
    ops.generate()
    assert open_now() == (0.125, 0.125)
    ops.flip_take(way="next")
    assert open_now() == spoken
    scene.mouthpiece_writing.beside = False
    ops.generate()
    assert open_now() == (0.125, 0.125)
    assert actions() == ["Mouthpiece line Head"]


def test_takes_need_actions_of_their_own(addon, head, scene):
    head.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    scene.mouthpiece_writing.mode = "replace"
    with pytest.raises(RuntimeError, match="Choose New Action or NLA Track"):
        ops.generate()
    assert len(bpy.data.actions) == 1
    scene.mouthpiece.model = ""
    assert ops.generate() == {"FINISHED"}, "a model with one answer is not asked for more"


# --- what is asked for ---


def test_panel_choices_reach_the_model(addon, head, scene, tmp_path):
    add_strip(scene, tone(tmp_path / "ann.wav", 3.0), "ann", 200, 2)
    scene.sequence_editor.active_strip = None
    scene.mouthpiece.strip, scene.mouthpiece.style = "line", "bert"
    chosen = scene.mouthpiece_performance
    chosen.steps, chosen.guidance = 4, 1.5
    chosen.style, chosen.style_strip, chosen.style_as = "strip", "ann", "heard"
    ops.generate()
    found = told(addon)
    assert (found["steps"], found["guidance"], found["style"], found["identity"]) == (4, 1.5, "heard", "pivot")
    assert found["heard"] == [0.0, 3.0]
    chosen.style, chosen.steps = "identity", 100
    ops.generate()
    found = told(addon)
    assert (found["steps"], found["style"], found["identity"]) == (16, "", "bert")


def test_keyed_emotions_reach_the_model(addon, head):
    """As the artist has keyed them on the character, from the strip's first frame on; what it cannot feel is left."""
    head.mouthpiece_sad = 0.25
    head.mouthpiece_angry = 1.0
    for frame, value in ((11, 0.0), (23, 1.0), (34, 1.0)):
        head.mouthpiece_happy = value
        head.keyframe_insert("mouthpiece_happy", frame=frame)
    ops.generate()
    felt = told(addon)["felt"]
    assert sorted(felt) == ["happy", "sad"]
    assert {weight for _, weight in felt["sad"]} == {0.25}
    times, weights = np.array(felt["happy"]).T
    assert (times[0], weights[0], weights[-1]) == (0, 0, 1)
    assert len(times) < 15, "no more points than the curve needs"
    action = head.animation_data.action
    values = [curves(action)[0].evaluate(11 + frame) for frame in range(24)]
    np.testing.assert_allclose(np.interp(np.arange(24) / 24, times, weights), values, atol=0.011)


def test_new_seeds_are_other_seeds(head, scene):
    ops.new_seed()
    first = scene.mouthpiece_performance.seed
    ops.new_seed()
    assert first != scene.mouthpiece_performance.seed


# --- without an interface ---


@pytest.fixture
def command(addon, head, tmp_path, capfd):
    def run(*words: str):
        code = addon.cli.run(["generate", "--json", "--output", str(tmp_path / "out.blend"), *words])
        return code, json.loads(capfd.readouterr().out.splitlines()[-1])

    return run


def test_command_reports_takes(addon, command, tmp_path):
    words = ["--model", "talker", "--takes", "2", "--seed", "7", "--steps", "3", "--guidance", "2"]
    words += ["--style-from", str(tone(tmp_path / "ann.wav", 2.0)), "--emotion", "happy=0.5", "--emotion", "sad=0.25"]
    code, report = command(*words)
    assert code == 0, report
    name = "Mouthpiece line Head take"
    assert report["takes"] == [
        {"take": 1, "seed": 7, "actions": [f"{name} 1"]},
        {"take": 2, "seed": 8, "actions": [f"{name} 2"]},
    ]
    with bpy.data.libraries.load(str(tmp_path / "out.blend")) as (inside, _):
        assert sorted(inside.actions) == [f"{name} 1", f"{name} 2"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--emotion", "happy"], "is no emotion with its weight"),
        (["--model", "talker", "--takes", "2", "--mode", "replace"], "Choose New Action or NLA Track"),
        (["--beside", "--mode", "replace"], "Choose New Action or NLA Track"),
        (["--model", "talker", "--style-from", "nowhere.wav"], "nowhere.wav"),
    ],
)
def test_command_refuses_what_cannot_be_meant(command, words, sentence):
    code, report = command(*words)
    assert code == 2
    assert sentence in report["error"]
    assert not bpy.data.actions


JOBS = """
[defaults]
model = "talker"
takes = 2
guidance = 2
emotion = ["happy=0.5"]
style_from = "ann.wav"
[[shots]]
file = "shot.blend"
[[shots.lines]]
strip = "line"
object = "Head"
seed = 3
"""


def test_job_files_say_the_same(addon, head, tmp_path, capfd):
    """The recording counts from the job file's folder."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    tone(tmp_path / "ann.wav", 2.0)
    (tmp_path / "jobs.toml").write_text(JOBS, encoding="utf-8")
    assert addon.cli.run(["batch", str(tmp_path / "jobs.toml"), "--json"]) == 0
    (shot,) = json.loads(capfd.readouterr().out.splitlines()[-1])["shots"]
    assert [(one["take"], one["seed"]) for one in shot["lines"][0]["takes"]] == [(1, 3), (2, 4)]


def test_words_of_the_command_line(addon):
    words = addon.generate_command.words()
    parsed = addon.performing.arguments.parsed
    assert parsed(words) == addon.performing.options.PerformanceOptions()
    assert parsed(words | {"emotion": ["keyed"]}).keyed
    assert parsed(words | {"emotion": ["happy=0.5", "sad=1"]}).emotions == {"happy": 0.5, "sad": 1.0}


# --- the real backend ---


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real model of random weights that denoises."""
    folder = tmp_path_factory.mktemp("models")
    script = ROOT / "tests" / "data" / "tiny_talker.py"
    subprocess.run([os.environ["MOUTHPIECE_BACKEND_PYTHON"], str(script), str(folder)], check=True)
    return folder


@pytest.fixture
def real_talker(addon, scene, models: Path):
    """The backend knows the model, and the scene has chosen it."""
    chosen = bpy.context.preferences.addons[addon.preferences.EXTENSION].preferences
    chosen.models, chosen.device = str(models), "cpu"
    scene.mouthpiece.model = "talker"
    yield
    addon.session.current.close()
    chosen.models, chosen.device = "", "auto"


@pytest.mark.usefixtures("real_talker")
def test_a_real_model_performs(addon, scene):
    """Two takes in the style of another strip, happy at first; the default model is asked for no such thing."""
    add_strip(scene, sorted((ROOT / "demo" / "speech").glob("*.flac"))[0], frame=5)
    head = add_character()
    scene.mouthpiece_performance.takes, scene.mouthpiece_performance.style = 2, "strip"
    scene.mouthpiece_performance.style_strip = scene.sequence_editor.active_strip.name
    head.mouthpiece_happy = 1.0
    assert ops.generate() == {"FINISHED"}, addon.session.current.message
    first, second = map(curves_of, bpy.data.actions)
    assert first["jawOpen"] != second["jawOpen"]
    assert told(addon)["identity"] in ("ann", "bob")
    assert told(addon)["emotions"] == "happy=1"
    scene.mouthpiece.model = ""
    assert ops.generate() == {"FINISHED"}, addon.session.current.message
    assert len(bpy.data.actions) == 1
