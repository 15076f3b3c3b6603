# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the interface is blocked while a job runs, measured in the real window.

``blender --python measure_interface.py -- FOLDER SECONDS`` lets the demo's speech, repeated to about that length, be
spoken, and writes ``FOLDER/interface.json``: the longest step of our own on the main thread (by the clock, and in
processor time, which a busy machine does not stretch), how long Blender takes to remember the one step for undo, and
the longest gap between two looks of a timer, which holds Blender's drawing too, with the same gap for an idle Blender
beside it.
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


class Steps:
    """Every step that the add-on takes on the main thread: seconds by the clock and of processor time."""

    def __init__(self, module) -> None:
        self.own: list[tuple[float, float]] = []
        self.undo = 0.0
        """Processor time that Blender spends on remembering the step for undo: it is not the add-on's."""
        runner = module.current
        self._step, self._apply, self._operate = runner.step, runner.apply, module._apply_in_one_undo_step
        self._written = 0.0
        runner.step, runner.apply, module._apply_in_one_undo_step = self._timed, self._timed_apply, self._timed_operator

    def _timed(self) -> None:
        began, busy, undo = time.perf_counter(), time.thread_time(), self.undo
        self._step()
        spent = time.perf_counter() - began, time.thread_time() - busy
        self.own.append((spent[0] - (self.undo - undo), spent[1] - (self.undo - undo)))

    def _timed_apply(self) -> bool:
        busy = time.thread_time()
        try:
            return self._apply()
        finally:
            self._written = time.thread_time() - busy

    def _timed_operator(self) -> None:
        busy = time.thread_time()
        self._operate()
        self.undo = time.thread_time() - busy - self._written


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
        in_window.redraw()
        yield 0.05
    idle = gaps.longest
    steps = Steps(mouthpiece("runner"))
    gaps.restart()
    began = time.perf_counter()
    in_window.click(bpy.ops.mouthpiece.generate)
    click = time.perf_counter() - began
    yield from until(lambda: not runner.busy, 60 + 2 * SECONDS)
    result = {
        "seconds": SECONDS,
        "job": time.perf_counter() - began,
        "message": now.message,
        "click": click,
        "longest_step": max(clock for clock, _ in steps.own),
        "longest_step_processor": max(busy for _, busy in steps.own),
        "undo_processor": steps.undo,
        "longest_gap": gaps.longest,
        "longest_gap_idle": idle,
    }
    (FOLDER / "interface.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


in_window.play(act)
