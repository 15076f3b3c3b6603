# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the interface is blocked while a job runs, measured in the real window.

``blender --python measure_interface.py -- FOLDER SECONDS`` lets the demo's speech, repeated to about that length, be
spoken, and writes ``FOLDER/interface.json``: the longest step of our own on the main thread (by the clock, and in
processor time, which a busy machine does not stretch), and the longest gap between two looks of a timer, which holds
Blender's drawing too, with the same gap for an idle Blender beside it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, mouthpiece, until

FOLDER, SECONDS = Path(sys.argv[-2]), float(sys.argv[-1])


class Clock:
    """Looks at the time as often as Blender lets it."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        bpy.app.timers.register(self._look)

    def _look(self) -> float:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now
        return 0.0

    def restart(self) -> None:
        self.longest, self._last = 0.0, time.perf_counter()


def time_steps(runner) -> list[tuple[float, float]]:
    """Every step that the add-on takes on the main thread: seconds by the clock and of processor time."""
    steps: list[tuple[float, float]] = []
    step = runner.step

    def timed() -> None:
        began, busy = time.perf_counter(), time.thread_time()
        step()
        steps.append((time.perf_counter() - began, time.thread_time() - busy))

    runner.step = timed
    return steps


def act() -> Act:
    now, runner = mouthpiece("session").current, mouthpiece("runner").current
    in_window.set_stage()
    yield 1.0
    in_window.open_tab()
    in_window.frame_all()
    sound = in_window.long_speech(FOLDER, round(SECONDS / 6.6))
    in_window.add_strip(bpy.context.scene, sound, 300)
    gaps = Clock()
    yield 1.0
    gaps.restart()
    for _ in range(40):  # an idle Blender that redraws its sidebars as often as a running job makes it
        for area in bpy.context.window_manager.windows[0].screen.areas:
            area.tag_redraw()
        yield 0.05
    idle = gaps.longest
    steps = time_steps(runner)
    gaps.restart()
    began = time.perf_counter()
    in_window.click(bpy.ops.mouthpiece.generate)
    click = time.perf_counter() - began
    yield from until(lambda: not now.busy, 240)
    result = {
        "seconds": SECONDS,
        "job": time.perf_counter() - began,
        "message": now.message,
        "click": click,
        "longest_step": max(clock for clock, _ in steps),
        "longest_step_processor": max(busy for _, busy in steps),
        "longest_gap": gaps.longest,
        "longest_gap_idle": idle,
    }
    (FOLDER / "interface.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


in_window.play(act)
