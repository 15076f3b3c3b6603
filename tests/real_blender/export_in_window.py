# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Training Clip in the real window: how long one step keeps it from drawing, and pictures of the sub-panel.

``blender --python export_in_window.py -- FOLDER``; writes FOLDER/export.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])


def act() -> Act:
    panel = mouthpiece("interface.training_clip")
    open_sub_panel(panel.TrainingClipInViewport)
    head, _ = in_window.set_stage()
    yield 1.0
    in_window.open_tab()
    in_window.frame_all()
    for frame, head["Open"] in ((37, 0.0), (80, 1.0), (130, 0.2)):
        head.keyframe_insert('["Open"]', frame=frame)
    bpy.context.scene.mouthpiece_clip.folder = str(FOLDER / "clips")
    shown = bpy.context.scene.frame_current
    steps = timed(panel.current)
    yield from shoot("ready")
    click(bpy.ops.mouthpiece.export_training_clip)
    yield from until(lambda: panel.current.work is None or panel.current.work.fraction > 0.6)
    yield from shoot("exporting")
    yield from until(lambda: panel.current.work is None)
    yield from shoot("exported")
    told = {"outcome": panel.current.outcome, "steps": len(steps), "longest_step_processor": max(steps)}
    told |= {"frame_stays": shown == bpy.context.scene.frame_current, "scenes": len(bpy.data.scenes)}
    (FOLDER / "export.json").write_text(json.dumps(told), encoding="utf-8")


def open_sub_panel(panel: type) -> None:
    """Closed panels can only be opened by hand, or by saying before that they are open."""
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()
    bpy.utils.register_class(panel)


def timed(progress) -> list[float]:
    """Seconds of processor of each step, as they are taken."""
    steps, step = [], progress.step

    def timed_step(seconds: float = float("inf")) -> bool:
        began = time.process_time()
        goes_on = step(seconds)
        steps.append(time.process_time() - began)
        return goes_on

    progress.step = timed_step
    return steps


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png", 0.4)


in_window.play(act)
