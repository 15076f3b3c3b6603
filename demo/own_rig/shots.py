# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part: `export` animates the head's sliders to the taught lines and exports them as training clips with the
add-on's own button; `generate` lets the taught model speak the lines that were kept back, through the add-on.

Runs on the bpy module with the add-on enabled as an extension.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import bpy

from demo import extension
from demo.layout import BACKEND_PYTHON, ROOT

from . import lines, sliders
from .lines import FRAMES_PER_SECOND, Line


def main() -> int:
    """Do one of the two steps in a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=("export", "generate"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    chosen = parser.parse_args()
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    with extension.enabled(ROOT) as package:
        if chosen.step == "export":
            export(chosen.folder)
        else:
            generate(chosen.folder, chosen.model, package)
    return 0


def export(folder: Path) -> None:
    """The taught lines as a shot with an animated head, and as training clips."""
    scene, head = _scene()
    taught = [line for line in lines.read(folder) if line.is_taught]
    places = _lay(scene, taught)
    poses = lines.read_values(folder / lines.POSES)
    sliders.animate(head, [(places[line.name], poses[line.name]) for line in taught])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "taught.blend"), check_existing=False)
    scene.mouthpiece.character = head
    scene.mouthpiece_clip.folder = str(folder / "clips")
    for number, line in enumerate(taught, 1):
        scene.mouthpiece.strip = line.name
        bpy.ops.mouthpiece.export_training_clip()
        sys.stderr.write(f"\rexporting clip {number}/{len(taught)} ")
    sys.stderr.write("\n")


def generate(folder: Path, model: Path, package: str) -> None:
    """The other lines, spoken by a head without any animation; what its sliders then show, frame by frame."""
    scene, head = _scene()
    others = [line for line in lines.read(folder) if not line.is_taught]
    places = _lay(scene, others)
    for line in others:
        _speak(package, line, head, model)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "spoken.blend"), check_existing=False)
    for line in others:
        first = places[line.name]
        shown = sliders.shown(scene, head, range(first, first + line.frames))
        lines.write_values(folder / lines.SPOKEN, line.name, shown)


def _scene() -> tuple[bpy.types.Scene, bpy.types.Object]:
    """An empty file with the demo head and its sliders."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FRAMES_PER_SECOND, 1.0
    bpy.ops.mouthpiece.add_demo_head()
    head = bpy.context.view_layer.objects.active
    head.name = lines.HEAD
    sliders.add(head)
    return scene, head


def _lay(scene: bpy.types.Scene, wanted: Iterable[Line]) -> dict[str, int]:
    """Put lines into the Sequencer, one after the other; gives their first frames."""
    editor, end = scene.sequence_editor_create(), 0
    places: dict[str, int] = {}
    for line in wanted:
        places[line.name] = line.starts_after(end)
        strip = editor.strips.new_sound(line.name, line.sound, channel=1, frame_start=places[line.name])
        end = int(strip.frame_final_end)
    scene.frame_end = end
    return places


def _speak(package: str, line: Line, head: bpy.types.Object, model: Path) -> None:
    """What `blender -b … --command mouthpiece generate --strip LINE --object HEAD --model FILE` does."""
    command, job, session = (_module(package, name) for name in ("generate_command", "job", "session"))
    said = {"strip": line.name, "object": head.name, "model": str(model)}
    choice, launch = command.choice(command.words() | said)
    report = job.generate_lip_sync(choice, launch, session.current)
    sys.stderr.write(f"{report.sentence} {' '.join(report.warnings)}\n")


def _module(package: str, name: str) -> ModuleType:
    return importlib.import_module(f"{package}.blender_addon.{name}")


if __name__ == "__main__":
    sys.exit(main())
