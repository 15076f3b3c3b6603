# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of the bench: start-up cost of the add-on, click to keys, keys per second.

``python -m demo.bench [FILE]`` on the bpy module prints a table, or leaves the figures in FILE as ``bench --json``
prints them; the start-up cost is that of the application which BLENDER names.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from backend.bench import figures
from backend.bench.figures import Figure

from . import extension, startup
from .layout import BACKEND_PYTHON, ROOT

RUNS = 5
SECONDS = 10
RATE = 16000
SHAPE_KEYS, FRAMES, INSERTED = 52, 6000, 2000
MOST_STARTUP, MOST_CLICK = 0.030, 1.0


def main() -> int:
    """Measure everything; print a table like the backend's, or write what it reads."""
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    first = _startup(start())
    with extension.enabled(ROOT) as package, tempfile.TemporaryDirectory() as folder:
        found = [first, *_clicks(*click_to_keys(Path(folder))), *_keys(*keys_per_second(package))]
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(figures.as_json(found, {"blender": bpy.app.version_string}), "utf-8")
    else:
        sys.stdout.write("\n".join(("", f"Blender {bpy.app.version_string}", "", *figures.table(found), "")))
    return 0


def _startup(seconds: float | None) -> Figure:
    unit = "not measured: BLENDER names no Blender" if seconds is None else "s"
    return Figure("Add-on: processor time that it adds to Blender's start", seconds, unit, at_most=MOST_STARTUP)


def _clicks(cold: float, warm: float) -> list[Figure]:
    name = f"Click to keys, {SECONDS} s of sound"
    return [
        Figure(f"{name}, the first time (starts the backend)", cold, "s"),
        Figure(f"{name}, warm", warm, "s", at_most=MOST_CLICK),
    ]


def _keys(ours: float, blenders: float) -> list[Figure]:
    return [Figure("Keys written", ours, "/s"), Figure("Keys written / keyframe_insert", ours / blenders, "x")]


def start() -> float | None:
    """Seconds of processor time that the add-on takes of the start of the Blender that BLENDER names, if it names one.

    The bpy module starts otherwise, and tells nothing about it.
    """
    blender = os.environ.get("BLENDER")
    if not blender:
        return None
    with tempfile.TemporaryDirectory() as home:
        startup.prepare(blender, Path(home))
        return startup.seconds(blender, Path(home), RUNS)


def click_to_keys(folder: Path) -> tuple[float, float]:
    """Seconds from the click on Generate Lip Sync to keys on the demo head: the first time, and warm (median)."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    bpy.ops.mouthpiece.add_demo_head()
    strip = scene.sequence_editor_create().strips.new_sound("line", str(babble(folder / "line.wav")), 1, 1)
    scene.mouthpiece.strip, scene.mouthpiece.character = strip.name, bpy.context.view_layer.objects.active
    taken = [timed(bpy.ops.mouthpiece.generate) for _ in range(RUNS + 2)]
    return taken[0], statistics.median(taken[2:])  # the second loads what the first has not needed yet


def keys_per_second(package: str) -> tuple[float, float]:
    """Keys that the add-on writes in a second of processor time, and those of Blender's own keyframe_insert."""
    ledger, options, staging, take, targets = (
        importlib.import_module(f"{package}.blender_addon.{name}")
        for name in ("writing.ledger", "writing.options", "writing.staging", "writing.take", "rig.targets")
    )
    key, values = character().data.shape_keys, np.random.default_rng(0).random(FRAMES, np.float32)
    record = ledger.Record("line", "Head", "default", "arkit", "pivot", 1.0, "0", 1, FRAMES, 24.0, ())
    curves = [
        targets.Curve(key, block.path_from_id("value"), 0, values, (0.0, 1.0), frozenset())
        for block in list(key.key_blocks)[1:]
    ]
    writing = staging.Writing([take.Take.of(record, curves)], options.WritingOptions())
    began = time.process_time()
    while not writing.advance():
        pass
    writing.commit()
    ours = SHAPE_KEYS * FRAMES / (time.process_time() - began)
    block = character().data.shape_keys.key_blocks[1]
    began = time.process_time()
    for frame, value in enumerate(values[:INSERTED].tolist(), 1):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    return ours, INSERTED / (time.process_time() - began)


def character() -> bpy.types.Object:
    """A triangle with as many shape keys as ARKit has."""
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    head = bpy.data.objects.new("Head", mesh)
    bpy.context.scene.collection.objects.link(head)
    for number in range(SHAPE_KEYS + 1):
        head.shape_key_add(name=f"shape {number}")
    return head


def babble(path: Path) -> Path:
    """A sound file with noise that comes and goes like syllables."""
    moments = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(moments))
    samples = noise * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * moments))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
