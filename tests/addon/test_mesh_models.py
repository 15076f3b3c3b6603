# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that move a whole mesh, from the strip to what is seen: the real backend, a model of FLAME parameters."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_strip

ROOT = Path(__file__).resolve().parents[2]
FLAME = ROOT / "tests" / "data" / "flame" / "flame_synthetic.pkl"
SPEECH = ROOT / "demo" / "speech"
MAKE = """
import sys, torch
from pathlib import Path
from backend import checkpoint, face
from backend.foreign import flame_file
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
torch.manual_seed(0)
model = UniTalker(UniTalkerConfig(MelEncoderConfig(), "conv", 32, 1, (HeadConfig("flame_params_from_dadhead", 413),)))
for parameter in model.heads.parameters():
    torch.nn.init.normal_(parameter, 0.0, 0.02)
folder = Path(sys.argv[1])
space = face.annotation("flame_params_from_dadhead", 413, 30.0)
card = checkpoint.ModelCard("flame", "FLAME for tests", "GPL-3.0-or-later")
checkpoint.save(folder / "flame.safetensors", model, [space], [], card)
template = flame_file.read(Path(sys.argv[2])).template
(folder / "template.f32").write_bytes(template.astype("<f4").tobytes())
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of FLAME parameters, and the FLAME file's neutral mesh."""
    folder = tmp_path_factory.mktemp("models")
    command = [os.environ["MOUTHPIECE_BACKEND_PYTHON"], "-c", MAKE, str(folder), str(FLAME)]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder


@pytest.fixture
def shot(addon, models: Path, scene: bpy.types.Scene, tmp_path: Path) -> bpy.types.Object:
    """A saved file with a sentence and the artist's FLAME head, of another person and in centimetres."""
    add_strip(scene, next(iter(sorted(SPEECH.glob("*.flac")))), frame=5)
    places = np.frombuffer((models / "template.f32").read_bytes(), "<f4").reshape(-1, 3)
    mesh = bpy.data.meshes.new("Flame")
    mesh.from_pydata((places * (103.0, 97.0, 101.0)).tolist(), [], [])
    head = bpy.data.objects.new("Flame", mesh)
    scene.collection.objects.link(head)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    chosen = bpy.context.preferences.addons[addon.preferences.EXTENSION].preferences
    chosen.models, chosen.flame, chosen.device = str(models), str(FLAME), "cpu"
    yield head
    addon.session.current.close()
    chosen.models, chosen.flame, chosen.device = "", "", "auto"


def seen(head: bpy.types.Object, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)


def spoken(addon, keeping: str) -> dict:
    bpy.context.scene.mouthpiece.model = "flame"
    bpy.context.scene.mouthpiece.character = bpy.data.objects["Flame"]
    bpy.context.scene.mouthpiece_mesh.keeping = keeping
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}, addon.session.current.message
    report = addon.runner.current.report
    assert not report.warnings
    assert report.vertices == len(bpy.data.objects["Flame"].data.vertices)
    return report


def test_cache_and_shapes_show_the_same_motion(addon, shot: bpy.types.Object):
    rest = seen(shot, 1)
    report = spoken(addon, "cache")
    assert "speaks: a mesh of" in report.sentence
    (_,) = (Path(bpy.data.filepath).parent / "mouthpiece cache").iterdir()
    assert shot.modifiers[0].filepath.startswith("//")
    frames = range(report.first_frame, report.last_frame + 1, 7)
    cached = [seen(shot, frame) for frame in frames]
    np.testing.assert_allclose(seen(shot, report.first_frame - 2), rest, atol=1e-4)
    assert max(abs(places - rest).max() for places in cached) > 1e-3 * np.ptp(rest)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    np.testing.assert_allclose(seen(bpy.data.objects["Flame"], frames[3]), cached[3], atol=1e-5)
    bpy.data.objects["Flame"].modifiers.clear()
    spoken(addon, "shapes")
    for frame, places in zip(frames, cached, strict=True):
        np.testing.assert_allclose(seen(bpy.data.objects["Flame"], frame), places, atol=4e-4 * np.ptp(rest))


def test_a_head_without_shape_keys_can_be_chosen_where_the_model_moves_meshes(addon, shot: bpy.types.Object):
    scene, can_speak = bpy.context.scene, addon.interface.searches.can_speak
    assert shot.data.shape_keys is None
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    role = scene.mouthpiece_queue.roles.add()
    for model, wanted in (("", False), ("default", False), ("flame", True)):
        scene.mouthpiece.model = model
        assert can_speak(scene.mouthpiece, shot) is wanted
        assert can_speak(role, shot) is wanted
        assert not can_speak(scene.mouthpiece, lamp)
    scene.mouthpiece.character = shot
    assert addon.interface.properties.why_not(bpy.context) == ""
    scene.mouthpiece.model = ""
    assert "no shape keys" in addon.interface.properties.why_not(bpy.context)


def test_a_mesh_of_another_topology_is_refused_and_nothing_has_changed(addon, shot: bpy.types.Object):
    shot.data.clear_geometry()
    shot.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    bpy.context.scene.mouthpiece.model = "flame"
    bpy.context.scene.mouthpiece.character = shot
    with pytest.raises(RuntimeError, match="this one has 3"):
        bpy.ops.mouthpiece.generate()
    assert not shot.modifiers
    assert not bpy.data.actions
    assert not (Path(bpy.data.filepath).parent / "mouthpiece cache").exists()


def test_the_command_writes_shapes(addon, shot: bpy.types.Object, capfd: pytest.CaptureFixture[str]):
    names = ["--object", "Flame", "--model", "flame", "--keep", "shapes", "--json"]
    assert addon.cli.run(["generate", *names]) == 0
    report = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert report["vertices"] == len(shot.data.vertices)
    assert [name for name in report["shape_keys"] if name.startswith("Lip Sync")] == report["shape_keys"]


def test_a_preference_that_points_nowhere_is_said(addon, shot: bpy.types.Object):
    chosen = bpy.context.preferences.addons[addon.preferences.EXTENSION].preferences
    chosen.flame = "/no/such/flame.pkl"
    with pytest.raises(addon.errors.BadInput, match=r"flame\.pkl” is not there"):
        addon.preferences.launch()
