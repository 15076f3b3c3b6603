# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of ``make bench``: start-up cost of the add-on, click to keys, keys per second.

Runs on the bpy module; the start-up cost is that of the application which BLENDER names.
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

from . import extension, startup
from .layout import BACKEND_PYTHON, ROOT

RUNS = 5
SECONDS = 10
RATE = 16000
SHAPE_KEYS, FRAMES, INSERTED = 52, 6000, 2000
MOST_STARTUP, MOST_CLICK = 0.030, 1.0


def main() -> int:
    """Measure everything and print a table like the backend's."""
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    first = "Add-on: processor time that it adds to Blender's start"
    rows: list[tuple[str, float | None, float | None]] = [(first, start(), MOST_STARTUP)]
    with extension.enabled(ROOT) as package, tempfile.TemporaryDirectory() as folder:
        cold, warm = click_to_keys(Path(folder))
        ours, blenders = keys_per_second(package)
    rows.append((f"Click to keys, {SECONDS} s of sound, the first time (starts the backend)", cold, None))
    rows.append((f"Click to keys, {SECONDS} s of sound, warm", warm, MOST_CLICK))
    sys.stdout.write(f"\nBlender {bpy.app.version_string}\n\n|  | value | goal |\n| --- | --- | --- |\n")
    for row in rows:
        sys.stdout.write(table_row(*row))
    sys.stdout.write(f"| Keys written | {ours:,.0f} /s |  |\n")
    sys.stdout.write(f"| Keys written / keyframe_insert | {ours / blenders:.0f} x |  |\n")
    return 0


def table_row(name: str, seconds: float | None, most: float | None) -> str:
    """A figure with its goal, if it has one."""
    if seconds is None:
        return f"| {name} | not measured: BLENDER names no Blender | ≤ {most:g} |\n"
    goal = "" if most is None else f"≤ {most:g}{'' if seconds <= most else ': missed'}"
    return f"| {name} | {seconds:.3g} s | {goal} |\n"


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
