# SPDX-License-Identifier: GPL-3.0-or-later
"""The real extension in the real bpy, enabled under its true name; an empty file for each test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from demo import extension

ROOT = Path(__file__).resolve().parents[2]
FAKE_BACKEND = Path(__file__).with_name("fake_backend.py")
ADDON = ROOT / "blender_addon"
MODULES = sorted(".".join(file.relative_to(ADDON).with_suffix("").parts) for file in ADDON.rglob("[a-z]*.py"))


@pytest.fixture(scope="session")
def addon(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """The add-on's modules and rooms, by name."""
    package = extension.enable(ROOT, tmp_path_factory.mktemp("extensions"))
    for name in MODULES:
        importlib.import_module(f"{package}.blender_addon.{name}")
    whole = importlib.import_module(f"{package}.blender_addon")
    parts = {name: getattr(whole, name) for name in {module.partition(".")[0] for module in MODULES}}
    yield SimpleNamespace(**parts, protocol=importlib.import_module(f"{package}.backend.protocol"))
    extension.disable()


@pytest.fixture(autouse=True)
def empty_file(addon, monkeypatch, tmp_path_factory) -> Iterator[None]:
    """Nothing in the file, nothing running, no results of an earlier sitting."""
    results = tmp_path_factory.mktemp("kept") / "results"
    monkeypatch.setattr(addon.preferences, "results_folder", lambda: results)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    yield
    addon.runner.current.forget()
    addon.session.current.close()


@pytest.fixture
def scene() -> bpy.types.Scene:
    bpy.context.scene.sequence_editor_create()
    return bpy.context.scene


@pytest.fixture
def use_fake(addon, monkeypatch) -> Callable[[str], None]:
    """Have the fake backend started instead of the real one, in one of its modes."""

    def use(mode: str) -> None:
        command = (sys.executable, str(FAKE_BACKEND), mode)
        monkeypatch.setenv(addon.environment.VARIABLE, sys.executable)
        monkeypatch.setattr(addon.environment, "serve_command", lambda _python, _extension: command)

    return use


@pytest.fixture
def begin_writing(addon) -> Callable:
    """Begin to write values on some shape keys of a character, as a finished job does: shape key → values [frames]."""

    def begin(head, columns, strip: str = "line", first: int = 1, **options):
        key, curve = head.data.shape_keys, addon.rig.targets.Curve
        last = first + len(next(iter(columns.values()))) - 1
        record = addon.writing.ledger.Record(
            strip, head.name, "default", "arkit", "pivot", 1.0, "0.0.1", first, last, 24.0, ()
        )
        blocks = {name: key.key_blocks[name] for name in columns}
        curves = [
            curve(key, block.path_from_id("value"), 0, columns[name], (block.slider_min, block.slider_max), frozenset())
            for name, block in blocks.items()
        ]
        how = addon.writing.options
        chosen = how.WritingOptions(**options | {"mode": how.Mode(options.get("mode", "new"))})
        return addon.writing.staging.Writing([addon.writing.take.Take.of(record, curves)], chosen)

    return begin


@pytest.fixture
def retime(scene) -> Callable[[bpy.types.Strip], None]:
    """Slow a strip's second half down, by Blender's own operators."""

    if (4, 4) <= bpy.app.version[:2] < (5, 0):
        pytest.skip("the modules of Blender 4.4 and 4.5 crash now and then in their own retiming operators")

    def retime(strip: bpy.types.Strip) -> None:
        window = bpy.context.window_manager.windows[0]
        area = window.screen.areas[0]
        area.type = "SEQUENCE_EDITOR"
        region = next(region for region in area.regions if region.type == "WINDOW")
        if hasattr(window.workspace, "sequencer_scene"):
            window.workspace.sequencer_scene = scene
        scene.sequence_editor.active_strip = strip
        strip.select = True
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.sequencer.retiming_key_add(timeline_frame=70)
            bpy.ops.sequencer.retiming_key_add(timeline_frame=100)
            bpy.ops.sequencer.retiming_segment_speed_set(speed=50.0)

    return retime
