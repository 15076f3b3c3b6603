# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed extension exports a training clip in the real application, and the backend can train on it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
STRIP, CHARACTER = "Zeile 1 – hello", "Anna Müller"
SLIDERS = ("Open", "SneerL")
ANIMATE = f"""
import bpy
head = bpy.data.objects["{CHARACTER}"]
for name in {SLIDERS}:
    for frame, value in ((40, 0.0), (60, 1.0), (100, 0.25)):
        head[name] = value
        head.keyframe_insert(f'["{{name}}"]', frame=frame)
driver = head.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver
variable = driver.variables.new()
variable.name, variable.targets[0].id, variable.targets[0].data_path = "Open", head, '["Open"]'
driver.expression = "0.6 * Open"
bpy.ops.wm.save_mainfile()
"""


def test_sliders_are_exported_with_the_strips_sound_and_can_be_prepared(blender, make_shot, tmp_path):
    shot, clips = make_shot(), tmp_path / "clips"
    assert blender.run("-b", shot, "--python-exit-code", 1, "--python-expr", ANIMATE).returncode == 0
    before = shot.read_bytes()
    words = ("--object", CHARACTER, "--strip", STRIP, "--output", clips, "--identity", "Anna", "--json")
    done = blender.run("-b", shot, "--command", "mouthpiece", "export-clip", *words)
    assert done.returncode == 0, done.stderr
    assert shot.read_bytes() == before
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert (said["controls"], said["fps"], said["identity"]) == (list(SLIDERS), 30.0, "Anna")
    with np.load(said["motion"], allow_pickle=False) as file:
        assert file["values"].shape == (said["frames"], 2)
        assert file["values"].max() > 0.9
    with wave.open(said["sound"]) as sound:
        assert abs(sound.getnframes() / sound.getframerate() - said["frames"] / 30) < 0.1
    command = [sys.executable, "-m", "backend", "prepare", "--layout", "clips", clips, "--output", tmp_path, "--strict"]
    prepared = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    assert prepared.returncode == 0, prepared.stderr
    assert "Anna_Müller at 30 fps, 1 identities" in prepared.stdout


def test_bad_input_is_exit_code_2(blender, make_shot, tmp_path):
    shot = make_shot()
    for words, sentence in (
        ((), "has no animation during"),
        (("--strip", "gone"), "no sound strip named “gone”"),
        (("--controls", "Open"), "write a JSON list of names"),
    ):
        done = blender.run("-b", shot, "--command", "mouthpiece", "export-clip", "--output", tmp_path, *words)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
