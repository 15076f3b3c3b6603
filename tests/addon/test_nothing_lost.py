# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong: everything in the .blend is what it was, in memory and on disk."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, curves, shown, tone

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shot(scene, tmp_path):
    """A saved shot: a head with an action by hand, a second one in the NLA, a value without keys, and a strip."""
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    head = add_character()
    block = head.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.2), (12, 0.9), (60, 0.1)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    below = bpy.data.actions.new("below")
    data = head.data.shape_keys.animation_data
    data.nla_tracks.new().strips.new("below", 100, below)
    head.data.shape_keys.key_blocks["mouthClose"].value = 0.35
    scene.frame_set(7)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return head


@pytest.fixture
def whole(addon):
    """A picture of all data: names, every key bit for bit, the NLA, values, drivers, custom properties, frames."""

    def whole(*left_out: str) -> dict[str, object]:
        kinds = ("actions", "collections", "meshes", "objects", "scenes", "shape_keys", "sounds", "texts")
        names = {kind: [block.name for block in getattr(bpy.data, kind)] for kind in kinds}
        keys = {
            (action.name, curve.data_path, curve.array_index): addon.writing.keys.read(curve).tobytes()
            for action in bpy.data.actions
            for curve in curves(action)
        }
        properties = {action.name: sorted(action.keys()) for action in bpy.data.actions}
        playing = {thing.name: _playing(thing.data.shape_keys) for thing in bpy.data.objects}
        scenes = {scene.name: (scene.frame_current, scene.frame_start, scene.frame_end) for scene in bpy.data.scenes}
        picture = {"names": names, "keys": keys, "properties": properties, "playing": playing, "scenes": scenes}
        return {part: value for part, value in picture.items() if part not in left_out}

    return whole


def _playing(key: bpy.types.Key) -> object:
    data = key.animation_data
    values = [(block.name, block.value, block.mute) for block in key.key_blocks]
    if data is None:
        return values
    tracks = [
        (track.name, track.mute, [(strip.name, strip.frame_start, strip.frame_end) for strip in track.strips])
        for track in data.nla_tracks
    ]
    return values, data.action and data.action.name, tracks


def on_disk() -> str:
    return hashlib.sha256(Path(bpy.data.filepath).read_bytes()).hexdigest()


@pytest.fixture
def begin(addon):
    def begin():
        addon.runner.current.begin(addon.interface.properties.choice(bpy.context), addon.preferences.launch())

    return begin


@pytest.fixture
def drive(addon):
    """What the timer does, until something holds or all is over."""

    def drive(until=lambda: False) -> None:
        deadline = time.monotonic() + 30
        while addon.runner.current.busy and not until():
            assert time.monotonic() < deadline
            addon.runner.current.step()
            time.sleep(0.005)

    return drive


@pytest.mark.parametrize("mode", ["crash", "garbage", "fails", "gap"])
def test_backend_that_fails(addon, shot, whole, begin, drive, use_fake, mode):
    before, saved = whole(), on_disk()
    use_fake(mode)
    begin()
    drive()
    assert addon.session.current.state is addon.session.State.ERROR
    assert (whole(), on_disk()) == (before, saved)


def test_backend_killed_in_the_middle(addon, shot, whole, begin, drive, use_fake):
    before, saved = whole(), on_disk()
    use_fake("slow")
    begin()
    drive(lambda: addon.session.current.fraction == 0.4)
    addon.session.current._backend._child.kill()
    drive()
    assert addon.session.current.state is addon.session.State.ERROR
    assert (whole(), on_disk()) == (before, saved)


def test_backend_killed_while_keys_are_built_loses_no_result(addon, shot, begin, drive, use_fake, monkeypatch):
    use_fake("clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    begin()
    drive(lambda: addon.session.current.stage == "writing")
    addon.session.current._backend._child.kill()
    addon.session.current._backend._child.wait()
    drive()
    assert addon.runner.current.report
    assert shown(shot, 13)["jawOpen"] > 0.8


@pytest.mark.parametrize("stage", ["animating", "writing"])
@pytest.mark.parametrize("mode", ["new", "replace", "nla"])
def test_cancel(addon, shot, scene, whole, begin, drive, use_fake, monkeypatch, stage, mode):
    scene.mouthpiece_writing.mode = mode
    before, saved = whole(), on_disk()
    use_fake("slow" if stage == "animating" else "clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    begin()
    drive(lambda: addon.session.current.stage == stage)
    bpy.ops.mouthpiece.cancel()
    drive()
    addon.runner.current.step()
    assert (whole(), on_disk()) == (before, saved)


@pytest.mark.parametrize("stage", ["animating", "writing"])
def test_deleted_character(addon, shot, whole, begin, drive, use_fake, monkeypatch, stage):
    bert = add_character(name="Bert")
    bpy.context.view_layer.objects.active = shot
    use_fake("slow" if stage == "animating" else "clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    begin()
    drive(lambda: addon.session.current.stage == stage)
    if stage == "animating":
        use_fake("clicks")
        bpy.ops.mouthpiece.cancel()
        drive()
        begin()
    bpy.data.meshes.remove(shot.data)
    bert.data.shape_keys.key_blocks["jawOpen"].value = 0.6
    drive()
    assert "was deleted" in addon.session.current.message or "was removed" in addon.session.current.message
    assert [action.name for action in bpy.data.actions] == ["below", "KeyAction"] or len(bpy.data.actions) == 2
    assert bert.data.shape_keys.key_blocks["jawOpen"].value == pytest.approx(0.6)
    assert bert.data.shape_keys.animation_data is None
    assert list(addon.runner.current.performances) == [("Scene", "line")]


@pytest.mark.parametrize("mode", ["new", "replace", "nla"])
def test_what_is_in_place_stays_whatever_comes_after(addon, shot, scene, begin, drive, use_fake, monkeypatch, mode):
    """Looking whether the face moves may fail too."""

    def fail(*_):
        raise addon.errors.MouthpieceError("nobody looks")

    scene.mouthpiece_writing.mode = mode
    use_fake("clicks")
    monkeypatch.setattr(addon.probe, "complaints", fail)
    begin()
    drive()
    assert addon.session.current.message == "nobody looks"
    assert [action for action in bpy.data.actions if "mouthpiece" in action and action.users]
    assert shown(shot, 13)["jawOpen"] > 0.8


@pytest.mark.parametrize("mode", ["new", "replace", "nla"])
def test_one_undo_takes_everything_back(shot, scene, whole, use_fake, mode):
    use_fake("clicks")
    scene.mouthpiece_writing.mode = mode
    bpy.ops.ed.undo_push(message="nothing")
    shot["note"] = "before"
    bpy.ops.ed.undo_push(message="before")
    before = whole()
    assert bpy.ops.mouthpiece.generate("EXEC_DEFAULT", True) == {"FINISHED"}
    assert whole() != before
    bpy.ops.ed.undo()
    assert whole() == before


def test_renamed_strip(addon, shot, scene, begin, drive, use_fake):
    use_fake("clicks")
    begin()
    scene.sequence_editor.active_strip.name = "renamed"
    drive()
    assert addon.runner.current.report.strip == "line"
    assert shown(shot, 13)["jawOpen"] > 0.8


def test_renamed_strip_generated_again_takes_the_place_of_its_earlier_lip_sync(addon, shot, scene, use_fake):
    use_fake("clicks")
    bpy.ops.mouthpiece.generate()
    count = len(bpy.data.actions)
    scene.sequence_editor.active_strip.name = "renamed"
    bpy.ops.mouthpiece.generate()
    assert len(bpy.data.actions) == count
    lines = [line.record.strip for action in bpy.data.actions for line in addon.writing.ledger.Ledger.of(action).lines]
    assert lines == ["renamed"]


def test_strip_renamed_while_it_is_mixed_down(addon, shot, scene, whole, begin, drive, use_fake):
    strip = scene.sequence_editor.active_strip
    strip.keyframe_insert("volume", frame=1)
    use_fake("clicks")
    begin()
    strip.name = "renamed"
    before = whole()
    drive()
    assert "no sound strip named “line”" in addon.session.current.message
    assert whole() == before


def test_saved_under_another_name_in_the_middle(addon, shot, begin, drive, use_fake, tmp_path):
    use_fake("clicks")
    first, saved = bpy.data.filepath, on_disk()
    begin()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other.blend"))
    drive()
    assert addon.runner.current.report
    assert hashlib.sha256(Path(first).read_bytes()).hexdigest() == saved
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "other.blend"))
    assert shown(bpy.data.objects["Head"], 13)["jawOpen"] > 0.8


def test_saved_in_the_middle_of_writing_leaves_no_half_made_action(addon, shot, begin, drive, use_fake, monkeypatch):
    """What is being built is nobody's until it is in place: a file saved meanwhile does not have it after reopening."""
    use_fake("clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    names = sorted(action.name for action in bpy.data.actions)
    begin()
    drive(lambda: addon.session.current.stage == "writing" and addon.session.current.fraction > 0)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert sorted(action.name for action in bpy.data.actions) == names


def test_undo_in_the_middle(addon, shot, begin, drive, use_fake, monkeypatch):
    """Undo takes back the artist's last step, and the lip sync comes nevertheless, whole."""
    use_fake("clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.frame_end = 123
    bpy.ops.ed.undo_push(message="after")
    begin()
    drive(lambda: addon.session.current.stage == "writing" and addon.session.current.fraction > 0)
    bpy.ops.ed.undo()
    assert bpy.context.scene.frame_end != 123
    drive()
    head = bpy.data.objects["Head"]
    assert addon.runner.current.report
    assert shown(head, 13)["jawOpen"] > 0.8
    assert not [action.name for action in bpy.data.actions if "mouthpiece_built" in action]


def test_disk_that_is_full_while_a_strip_is_mixed_down(addon, shot, scene, whole, begin, drive, use_fake):
    """No file may grow beyond 4 kB: writing fails as it does on a full disk."""
    scene.sequence_editor.active_strip.keyframe_insert("volume", frame=1)
    before, saved = whole(), on_disk()
    use_fake("clicks")
    begin()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # Python's own default, which an application's Python does not set
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        drive(lambda: addon.session.current.stage not in ("starting", "mixing"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    drive()
    assert addon.session.current.state is addon.session.State.ERROR
    assert "could not be mixed down" in addon.session.current.message
    assert (whole(), on_disk()) == (before, saved)


CLOSING = """
import sys
sys.path.insert(0, {root!r})
import bpy
from pathlib import Path
from demo import extension
bpy.ops.wm.open_mainfile(filepath={blend!r})
package = extension.enable(Path({root!r}), Path({folder!r}))
import importlib
part = lambda name: importlib.import_module(package + ".blender_addon." + name)
part("environment").serve_command = lambda *_: (sys.executable, {fake!r}, "slow")
runner, session = part("runner").current, part("session").current
bpy.context.scene.mouthpiece.strip = "line"
bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
runner.begin(part("interface.properties").choice(bpy.context), part("preferences").launch())
while session.fraction != 0.4:
    runner.step()
print("pid", session._backend._child.pid, flush=True)
extension.disable()
"""


def test_blender_closed_in_the_middle(shot, tmp_path, monkeypatch):
    """Another Blender opens the shot, begins, and is closed: the file is the same, and no backend is left behind."""
    monkeypatch.setenv("MOUTHPIECE_BACKEND_PYTHON", sys.executable)
    saved = on_disk()
    fake = str(Path(__file__).with_name("fake_backend.py"))
    script = CLOSING.format(root=str(ROOT), blend=bpy.data.filepath, folder=str(tmp_path / "extensions"), fake=fake)
    application = [bpy.app.binary_path, "-b", "--factory-startup", "--python-expr"]  # no path: Blender is a module here
    blender = application if bpy.app.binary_path else [sys.executable, "-c"]
    closed = subprocess.run([*blender, script], capture_output=True, text=True, timeout=60, check=False)
    pid = int(closed.stdout.split("pid ")[1].split()[0])
    assert on_disk() == saved
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
