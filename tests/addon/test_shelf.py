# SPDX-License-Identifier: GPL-3.0-or-later
"""Results outlive the sitting: Blender is closed, the file opened again, and the last motion can still be written."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, add_strip, shown, tone

ROOT = Path(__file__).resolve().parents[2]
LATER = """
import sys
sys.path.insert(0, {root!r})
import bpy
from pathlib import Path
from demo import extension
package = extension.enable(Path({root!r}), Path({folder!r}))
import importlib
preferences = importlib.import_module(package + ".blender_addon.preferences")
preferences.results_folder = lambda: Path({results!r})
bpy.ops.wm.open_mainfile(filepath={blend!r})
bpy.context.scene.mouthpiece.strip = "line"
bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
assert bpy.ops.mouthpiece.apply_last() == {{"FINISHED"}}
bpy.ops.wm.save_mainfile()
extension.disable()
"""


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    """A saved shot; what it is saved with has never been spoken."""
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    head = add_character()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return head


@pytest.fixture
def results(addon) -> Path:
    """Where they are kept."""
    return addon.preferences.results_folder()


@pytest.fixture
def reopen(addon):
    """Open the file again as it was saved; no backend can be started any more."""

    def reopen() -> None:
        addon.shelf.current.wait()
        bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
        addon.session.current.close()
        assert addon.runner.current.performances == {}

    return reopen


def kept(results: Path) -> list[Path]:
    return sorted(results.glob("*")) if results.is_dir() else []


def test_blender_closed_and_opened_again(addon, shot, results, tmp_path, monkeypatch):
    """Another Blender, with no backend at all, writes what this one has generated and never saved."""
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    monkeypatch.delenv(addon.environment.VARIABLE)
    blend, folder = bpy.data.filepath, str(tmp_path / "extensions")
    script = LATER.format(root=str(ROOT), folder=folder, results=str(results), blend=blend)
    application = [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1", "--python-expr"]
    blender = application if bpy.app.binary_path else [sys.executable, "-c"]  # no path: Blender is a module here
    later = subprocess.run([*blender, script], capture_output=True, text=True, timeout=60, check=False)
    assert later.returncode == 0, later.stderr
    bpy.ops.wm.open_mainfile(filepath=blend)
    assert shown(bpy.data.objects["Head"], 13)["jawOpen"] > 0.8


def test_write_that_failed_before_the_file_was_closed(addon, shot, scene, reopen):
    key = shot.data.shape_keys
    key.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    key.animation_data.action.asset_mark()
    bpy.ops.wm.save_mainfile()
    scene.mouthpiece_writing.mode = "replace"
    with pytest.raises(RuntimeError, match="is an asset"):
        bpy.ops.mouthpiece.generate()
    reopen()
    bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert shown(bpy.data.objects["Head"], 13)["jawOpen"] > 0.8


def test_file_that_gets_its_name_later(addon, scene, use_fake, results, tmp_path, reopen):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    add_character()
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    assert kept(results) == []
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "first.blend"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "second.blend"))
    reopen()
    assert len(kept(results)) == 2
    assert bpy.ops.mouthpiece.apply_last.poll()


def test_every_strip_has_its_newest_result_only(addon, shot, results):
    for strength in (1.0, 0.5):
        bpy.context.scene.mouthpiece.strength = strength
        bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    assert len(kept(results)) == 1


def test_oldest_results_make_room(addon, shot, results, monkeypatch):
    scene, strip = bpy.context.scene, bpy.context.scene.sequence_editor.active_strip
    for name in ("one", "two", "three"):
        strip.name = name
        bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    size = max(path.stat().st_size for path in kept(results))
    addon.shelf.shorten(results, 2 * size)
    strip.name = "two"
    there = {name: addon.shelf.current.has(results, label(addon, name)) for name in ("one", "two", "three")}
    assert there == {"one": False, "two": True, "three": True}
    monkeypatch.setattr(addon.preferences, "results_limit", lambda: 0)
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    assert not addon.shelf.current.has(results, label(addon, "two")), "an older motion is worse than none"
    assert (scene.name, "two") in addon.runner.current.performances


def label(addon, spoken: str):
    return addon.shelf.Label(bpy.data.filepath, "Scene", spoken)


def test_full_disk(addon, shot, results, reopen):
    """No file may grow beyond 1 kB: the keys are written all the same, and nothing half made is left."""
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    before = bpy.context.scene.mouthpiece.strip
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # Python's own default, which an application's Python does not set
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        addon.session.current.close()
        bpy.ops.mouthpiece.apply_last()
        addon.shelf.current.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert shown(shot, 13)["jawOpen"] > 0.8
    assert kept(results) == []
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}, "it is still in memory"
    assert bpy.context.scene.mouthpiece.strip == before


def test_folder_that_takes_nothing(addon, shot, results):
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("a file where the folder should be")
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert results.read_text() == "a file where the folder should be"


@pytest.mark.parametrize("damage", ["cut", "garbage", "objects"])
def test_damaged_result_is_one_sentence(addon, shot, results, reopen, damage):
    bpy.ops.mouthpiece.generate()
    addon.shelf.current.wait()
    (path,) = kept(results)
    if damage == "objects":  # what only a pickle could bring back is not read
        with np.load(path) as file:
            np.savez(path, **{**file, "take0": np.array([{"jawOpen": 1}], dtype=object)})
    else:
        path.write_bytes(path.read_bytes()[:300] if damage == "cut" else b"no archive")
    reopen()
    bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
    before = [action.name for action in bpy.data.actions]
    with pytest.raises(RuntimeError, match="cannot be read; generate it again"):
        bpy.ops.mouthpiece.apply_last()
    assert [action.name for action in bpy.data.actions] == before


def test_every_part_of_a_performance_comes_back(addon, tmp_path):
    generator = np.random.default_rng(5)
    neutral = generator.random((7, 3), np.float32)
    phone = addon.phones.Phone("p", "pb", 0.1, 0.2, 0.7)
    takes = tuple(
        addon.motion.Motion(
            (), generator.random((4, 7, 3), np.float32), 24.0, "mesh", {"seed": seed}, neutral, (phone,)
        )
        for seed in (3, 4)
    )
    choice = addon.choice.Choice("Scene", "Zeile ä", "Head", model="flame", identity="2", visemes=(phone,))
    performance = addon.placing.Performance(choice, takes, 11, 29.97, 5)
    shelf, spoken = addon.shelf.Shelf(), addon.shelf.Label("/shots/ä.blend", "Scene", "Zeile ä")
    shelf.put(tmp_path, spoken, performance, 1_000_000)
    again = shelf.get(tmp_path, spoken)
    assert (again.choice, again.first_frame, again.fps) == (choice, 11, 29.97)
    for one, other in zip(again.takes, takes, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.neutral, neutral)
        assert (one.names, one.fps, one.space, one.metadata, one.phones) == ((), 24.0, "mesh", other.metadata, (phone,))
    assert shelf.get(tmp_path, addon.shelf.Label("/shots/other.blend", "Scene", "Zeile ä")) is None
