# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's room for rigs without Blender: the modules that need no bpy."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("match", "profile", "solve", "spelling", "weights")


def enter() -> SimpleNamespace:
    """Its modules by name; the add-on's own start needs bpy and is left out."""
    for name, folder in (("checkout", ROOT), ("checkout.blender_addon", ROOT / "blender_addon")):
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [str(folder)]
    modules = {part: importlib.import_module(f"checkout.blender_addon.rig.{part}") for part in PARTS}
    return SimpleNamespace(**modules, BadInput=importlib.import_module("checkout.blender_addon.errors").BadInput)


def leave() -> None:
    """Forget them."""
    for name in [name for name in sys.modules if name.split(".")[0] == "checkout"]:
        del sys.modules[name]
