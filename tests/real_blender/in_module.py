# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of `shot.py` in the bpy module: ``python in_module.py CHECKOUT FOLDER SOUND`` writes ``FOLDER/keys.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

CHECKOUT, FOLDER, SOUND = map(Path, sys.argv[1:])
sys.path[:0] = [str(CHECKOUT), str(Path(__file__).parent)]

import bpy  # noqa: E402
import shot  # noqa: E402

from demo import extension  # noqa: E402

bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
extension.enable(CHECKOUT, FOLDER / "extensions")
try:
    shot.make(FOLDER / "shot.blend", SOUND)
    bpy.context.scene.mouthpiece.strip = shot.STRIP
    bpy.context.scene.mouthpiece.character = bpy.data.objects[shot.CHARACTER]
    bpy.ops.mouthpiece.generate()
    (FOLDER / "keys.json").write_text(json.dumps(shot.keys()), encoding="utf-8")
finally:
    extension.disable()
