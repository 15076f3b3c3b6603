# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension comes and goes without a trace, and brings nothing heavy along."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]

TWICE = """
import sys
from pathlib import Path
checkout, folder = sys.argv[-2:]
sys.path.insert(0, checkout)
import bpy
before = set(sys.modules)
from demo import extension
for _ in range(2):
    extension.enable(Path(checkout), Path(folder))
    assert hasattr(bpy.types.Scene, "mouthpiece")
    extension.disable()
    assert not hasattr(bpy.types.Scene, "mouthpiece")
    assert not hasattr(bpy.types, "MOUTHPIECE_OT_generate")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
assert not loaded & {"torch", "numpy", "aud", "transformers", "soundfile"}, loaded
"""


def test_enabled_and_disabled_twice_in_a_fresh_blender(tmp_path):
    application = [
        bpy.app.binary_path,
        "-b",
        "--factory-startup",
        "--python-exit-code",
        "1",
        "--python-expr",
        TWICE,
        "--",
    ]
    command = application if bpy.app.binary_path else [sys.executable, "-c", TWICE]
    done = subprocess.run([*command, str(ROOT), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Policy violation" not in done.stdout + done.stderr


def test_tabs_are_in_both_sidebars(addon):
    for panel in (addon.interface.panels.LipSyncInViewport, addon.interface.panels.LipSyncInSequencer):
        assert panel.is_registered
        assert panel.bl_category == "Mouthpiece"
    assert bpy.types.VIEW3D_PT_mouthpiece.bl_space_type == "VIEW_3D"
    assert bpy.types.SEQUENCER_PT_mouthpiece.bl_space_type == "SEQUENCE_EDITOR"


def test_nobody_s_choices_are_the_defaults_of_the_options(addon):
    """The panels name their defaults themselves, because the options are not needed while Blender starts."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    interface, mesh = addon.interface, addon.vertices.options.MeshOptions()
    assert interface.mesh.options(bpy.context) == replace(mesh, tolerance=pytest.approx(mesh.tolerance))
    assert interface.writing.options(bpy.context) == addon.writing.options.WritingOptions()


def test_every_build_that_is_offered_can_be_installed(addon):
    page = addon.preferences.MouthpiecePreferences.bl_rna.properties["build"]
    assert [addon.installer.Build(item.identifier) for item in page.enum_items]


def test_python_is_found_in_the_preferences(addon, monkeypatch, tmp_path):
    monkeypatch.delenv(addon.environment.VARIABLE, raising=False)
    program = tmp_path / "my env" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    preferences = bpy.context.preferences.addons[addon.preferences.EXTENSION].preferences
    for chosen in (program, program.parents[1]):  # the program itself, or the environment's folder
        preferences.backend_python = str(chosen)
        assert addon.preferences.backend_python() == program
    preferences.backend_python = ""


def test_childs_environment_has_none_of_blenders_python(addon):
    cleaned = addon.environment.without_python({"PYTHONPATH": "a", "PYTHONHOME": "b", "PATH": "c"})
    assert cleaned == {"PATH": "c"}


def test_only_some_logs_are_kept(addon, monkeypatch, tmp_path):
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path)
    (tmp_path / "logs").mkdir()
    for number in range(20):
        (tmp_path / "logs" / f"backend-20260101-0000{number:02}-1.log").touch()
    newest = addon.preferences.new_log_file("backend")
    newest.touch()
    assert len(list(newest.parent.iterdir())) == addon.preferences.LOGS_KEPT


def test_an_old_log_in_use_is_left_alone(addon, monkeypatch, tmp_path):
    """As on Windows, where an open file cannot be deleted."""

    def refuse(_path, **_options):
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path)
    monkeypatch.setattr(addon.preferences, "LOGS_KEPT", 1)
    addon.preferences.new_log_file("backend").touch()
    monkeypatch.setattr(Path, "unlink", refuse)
    assert addon.preferences.new_log_file("backend").parent.is_dir()


def test_without_a_place_for_logs_a_click_says_so(addon, monkeypatch, tmp_path):
    (tmp_path / "logs").touch()
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path)
    with pytest.raises(addon.errors.MouthpieceError, match="cannot be made"):
        addon.preferences.new_log_file("backend")


ICONS = (
    r'icon="([A-Z0-9_]+)"',
    r'draw_sentence\(.*"([A-Z0-9_]+)"\)',
    r'return .*, "([A-Z0-9_]+)"$',
    r'^    Fate\..*"([A-Z]+)",$',
)
"""How the interface's files name an icon."""


def test_every_icon_is_one_that_this_blender_has():
    """A name that is none breaks a whole panel, and only when it is drawn."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "blender_addon" / "interface").glob("*.py")]
    named = {name for text in texts for icon in ICONS for name in re.findall(icon, text, re.MULTILINE)}
    known = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())
    assert {"PLAY", "CHECKMARK", "PAUSE", "TIME"} <= named
    assert not named - known
