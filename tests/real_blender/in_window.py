# SPDX-License-Identifier: GPL-3.0-or-later
"""For scripts inside a real Blender window: a shot to click in, and acts that run while the interface lives on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT / "demo" / "speech" / "demo.flac"
GAP = 12
"""Pixels of white between pictures that lie side by side."""
Act = Iterator[float]
"""A play whose every yield says how many seconds Blender shall live on by itself."""


def play(act: Callable[[], Act]) -> None:
    """Run an act from timers, then leave Blender: exit code 1 where it raised."""
    acting = act()

    def go_on() -> float | None:
        try:
            return next(acting)
        except StopIteration:
            leave(0)
        except BaseException:  # noqa: BLE001 (the top of the script)
            traceback.print_exc()
            leave(1)
        return None

    bpy.app.timers.register(go_on, first_interval=3.0)


def leave(code: int) -> None:
    """End at once; a window that is asked to quit would ask about saving."""
    mouthpiece("session").current.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def mouthpiece(part: str):
    """A module of the installed extension."""
    name = next(
        name
        for name in sys.modules
        if name.startswith("bl_ext.") and name.endswith(f".mouthpiece.blender_addon.{part}")
    )
    return sys.modules[name]


def until(condition: Callable[[], bool], seconds: float = 120.0) -> Act:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(mouthpiece("session").current.state)
        yield 0.05


def areas_of(kind: str) -> list[bpy.types.Area]:
    return [area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == kind]


def area_of(kind: str) -> bpy.types.Area:
    return areas_of(kind)[0]


def context_of(kind: str):
    """A context in which buttons of that editor can be clicked."""
    area = area_of(kind)
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region)


def click(operator: Callable) -> None:
    """A click in the viewport's sidebar."""
    with context_of("VIEW_3D"):
        operator("INVOKE_DEFAULT", True)


def set_stage() -> tuple[bpy.types.Object, bpy.types.Strip]:
    """The demo head in the viewport, a sound strip in the Sequencer below, the Mouthpiece tab open in both."""
    window = bpy.context.window_manager.windows[0]
    scene = bpy.context.scene
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    with context_of("VIEW_3D"):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.38)
    min(areas_of("VIEW_3D"), key=lambda area: area.height).type = "SEQUENCE_EDITOR"
    with context_of("VIEW_3D"):
        bpy.ops.mouthpiece.add_demo_head()
    head = window.view_layer.objects.active
    area_of("SEQUENCE_EDITOR").spaces.active.timeline_overlay.show_strip_source = False
    strip = add_strip(scene, SPEECH, 37)
    scene.frame_start, scene.frame_end = 1, int(strip.frame_final_end) + 10
    for kind in ("VIEW_3D", "SEQUENCE_EDITOR"):
        area_of(kind).spaces.active.show_region_ui = True
    return head, strip


def long_speech(folder: Path, repeats: int) -> Path:
    """The demo's speech, again and again, as one file."""
    mixed, path = folder / "speech.wav", folder / "long speech.wav"
    kind = {"container": "WAV", "codec": "PCM", "format": "S16", "mixrate": 16000, "channels": "MONO"}
    bpy.ops.sound.mixdown(filepath=str(mixed), check_existing=False, **kind)
    with wave.open(str(mixed)) as once, wave.open(str(path), "wb") as again:
        again.setparams(once.getparams())
        again.writeframes(once.readframes(once.getnframes()) * repeats)
    return path


def add_strip(scene: bpy.types.Scene, path: Path, frame: int) -> bpy.types.Strip:
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_sound(path.stem, str(path), 1, frame)
    editor.active_strip = strip
    return strip


def open_tab() -> None:
    """Show the tab in both sidebars; a sidebar has to be drawn once before it has tabs."""
    for kind in ("VIEW_3D", "SEQUENCE_EDITOR"):
        region = next(region for region in area_of(kind).regions if region.type == "UI")
        region.active_panel_category = "Mouthpiece"
        region.tag_redraw()


def frame_all() -> None:
    """Look at the head from the front, and at the whole strip."""
    with context_of("VIEW_3D"):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    with context_of("SEQUENCE_EDITOR"):
        bpy.ops.sequencer.view_all()


def open_panel(panel: type) -> None:
    """Show a sub-panel open: Blender opens what is new to it as its options say."""
    bpy.utils.unregister_class(panel)
    panel.bl_idname, panel.bl_options = f"{panel.bl_idname}_open", set()
    bpy.utils.register_class(panel)


def scroll_to_the_end(area: str = "VIEW_3D", region: str = "UI") -> Act:
    """Scroll the viewport's sidebar, or another region, down; Blender goes no further than what it has drawn so far."""
    for _ in range(4):
        yield 0.5
        with _region(area, region):
            bpy.ops.view2d.scroll_down(deltay=300)
    yield 0.5


def scroll_up() -> None:
    """Scroll the viewport's sidebar to its beginning."""
    with _region("VIEW_3D", "UI"):
        bpy.ops.view2d.scroll_up(deltay=2000)


def _region(area: str, region: str):
    there = area_of(area)
    found = next(one for one in there.regions if one.type == region)
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=there, region=found)


def photograph(path: Path) -> None:
    """A picture of the whole screen."""
    subprocess.run(["import", "-window", "root", str(path)], check=True)


def redraw() -> None:
    """Have everything drawn again, in every window."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            area.tag_redraw()


def shoot(path: Path, seconds: float = 1.0) -> Act:
    """A picture of the whole screen as it is once everything is drawn."""
    for _ in range(2):  # panels find their places with the second drawing
        redraw()
        yield seconds / 2
    photograph(path)


def side_by_side(folder: Path, name: str, pictures: dict[str, int], height: int) -> None:
    """What matters in pictures of the screen, in one: from the top of the viewport's sidebar down, to its right edge.

    `pictures`: how many pixels of each are shown; 0 for the sidebar alone.
    """
    sidebar = next(region for region in area_of("VIEW_3D").regions if region.type == "UI")
    right, top = sidebar.x + sidebar.width, bpy.context.window_manager.windows[0].height - sidebar.y - sidebar.height
    command = ["convert", "-background", "white"]
    for picture, shown in pictures.items():
        width = shown or sidebar.width
        crop = f"{width}x{height}+{right - width}+{top}"
        command += ["(", str(folder / f"{picture}.png"), "-crop", crop, "+repage", "-splice", f"{GAP}x0", ")"]
    subprocess.run([*command, "+append", "-chop", f"{GAP}x0", str(folder / f"{name}.png")], check=True)
