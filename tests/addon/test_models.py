# SPDX-License-Identifier: GPL-3.0-or-later
"""The box of models: what it tells of each file, and converting and removing them by its buttons."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]
STYLES = ("clear", "soft", "jaw", "lips", "smiling", "lopsided")
CASE = ROOT / "tests" / "data" / "golden" / "case1_wavlm_conv_pos1_pca"


@pytest.fixture
def folder(addon, monkeypatch, tmp_path) -> Path:
    """The artist's own folder of models; nothing else of the user's is touched."""
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path)
    return addon.preferences.models_folder()


@pytest.fixture
def files(addon, folder) -> Callable[[], dict]:
    """What the box shows after a click on Refresh, by name."""

    def files() -> dict:
        assert bpy.ops.mouthpiece.refresh_models() == {"FINISHED"}
        return {file.name: file for file in addon.interface.models.current.files()}

    return files


def write_model(path: Path, space: tuple[str, str, int], **card: object) -> None:
    """A file with the header of a model and no weights."""
    name, kind, count = space
    about = {
        "format": 1,
        "spaces": [{"name": name, "kind": kind, "dim": count}],
        "identities": ["a", "b"],
        "card": {"name": path.stem, "title": "Anna's", "licence": "CC0-1.0", "training": {}} | card,
    }
    header = json.dumps({"__metadata__": {"mouthpiece": json.dumps(about)}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def test_the_shipped_model_is_told_in_words_without_a_backend(addon, files):
    default = files()["default"]
    assert (default.title, default.moves, default.styles) == ("Mouthpiece default", ("52 ARKit shape keys",), STYLES)
    assert (default.licence, default.origin, default.is_own) == ("GPL-3.0-or-later", "Comes with Mouthpiece", False)
    assert default.bytes == (ROOT / "backend" / "weights" / "default.safetensors").stat().st_size
    assert not addon.session.current.has_backend


@pytest.mark.parametrize(
    ("space", "phrase"),
    [
        (("sliders", "controls", 8), "8 controls (sliders)"),
        (("flame_params", "flame", 413), "a FLAME head (flame_params)"),
        (("BIWI", "vertices", 120), "a whole mesh (BIWI)"),
    ],
)
def test_face_spaces_are_told_by_what_they_move(files, folder, space, phrase):
    write_model(folder / "anna.safetensors", space)
    anna = files()["anna"]
    assert (anna.moves, anna.origin, anna.is_own) == ((phrase,), "Your own", True)


def test_what_is_no_model_says_so_and_hides_no_other(files, folder):
    (folder / "cut.safetensors").write_bytes(b"\x08\0\0")
    (folder / "huge.safetensors").write_bytes(b"\xff" * 64)
    (folder / "list.safetensors").write_bytes(struct.pack("<Q", 2) + b"[]")
    write_model(folder / "anna.safetensors", ("arkit", "controls", 52))
    found = files()
    assert {name for name, file in found.items() if file.problem} == {"cut", "huge", "list"}
    assert "have to be converted" in found["cut"].problem
    assert found["anna"].title == "Anna's"


def test_models_can_be_chosen_before_the_backend_has_told_of_them(addon, files, folder, monkeypatch):
    monkeypatch.setattr(addon.session.current, "models", ())
    write_model(folder / "anna.safetensors", ("arkit", "controls", 52))
    (folder / "cut.safetensors").write_bytes(b"\x08\0\0")
    files()
    settings = addon.interface.properties.settings(bpy.context)
    offered = addon.interface.properties._model_names(settings, bpy.context, "")
    assert sorted(offered) == ["anna", "default", "diffusion"]


def test_styles_and_takes_are_known_before_the_backend_has_told_of_them(addon, files, monkeypatch):
    files()
    monkeypatch.setattr(addon.session.current, "models", ())
    settings, tab = bpy.context.scene.mouthpiece, addon.interface.performance_tab.PerformanceTab
    assert addon.interface.properties._style_names(settings, bpy.context, "") == sorted(STYLES)
    assert not tab.poll(bpy.context)
    settings.model = "diffusion"
    people = addon.interface.properties._style_names(settings, bpy.context, "")
    assert len(people) == 24 and people[:2] == ["Alex (espeak, en-us)", "Alicia (espeak, en-us)"]
    assert tab.poll(bpy.context)
    settings.model = "nowhere"
    assert addon.interface.properties._style_names(settings, bpy.context, "") == []
    assert tab.poll(bpy.context)


def test_another_folder_can_be_chosen_and_one_that_is_gone_is_named(addon, files, folder, tmp_path):
    other = tmp_path / "on the server"
    other.mkdir()
    write_model(other / "bert.safetensors", ("arkit", "controls", 52))
    chosen = addon.preferences.chosen()
    try:
        chosen.models = str(other)
        assert "bert" in {file.name for file in addon.interface.models.current.files()}, "no Refresh was needed"
        shutil.rmtree(other)
        assert set(files()) == {"default", "diffusion"}
        with pytest.raises(addon.errors.BadInput, match="on the server” is not there"):
            addon.preferences.launch()
    finally:
        chosen.models = ""
    assert "--models" in addon.preferences.launch().command
    assert str(folder) in addon.preferences.launch().command


def test_a_model_file_that_is_named_goes_before_another_of_its_name(addon, folder, tmp_path):
    named = tmp_path / "runs" / "anna.safetensors"
    named.parent.mkdir()
    for file in (named, folder / "anna.safetensors"):
        write_model(file, ("arkit", "controls", 52))
    model, launch = addon.generate_command.model_and_launch(str(named))
    told = [launch.command[place + 1] for place, word in enumerate(launch.command) if word == "--models"]
    assert (model, told) == ("anna", [str(named.parent), str(folder)])


def test_a_model_file_with_the_name_of_a_shipped_one_is_refused(addon, folder, tmp_path):
    """The backend would take the shipped one, which keeps its name."""
    mine = tmp_path / "default.safetensors"
    write_model(mine, ("arkit", "controls", 52))
    with pytest.raises(addon.errors.BadInput, match=r"comes with Mouthpiece is called default too\. Rename"):
        addon.generate_command.model_and_launch(str(mine))
    shipped = addon.preferences.SHIPPED_MODELS / "default.safetensors"
    assert addon.generate_command.model_and_launch(str(shipped))[0] == "default"


def test_where_nothing_can_be_written_the_shipped_models_are_enough(addon, monkeypatch, tmp_path):
    (tmp_path / "user").write_text("no folder", encoding="utf-8")
    monkeypatch.setattr(addon.preferences, "new_log_file", lambda _kind: tmp_path / "backend.log")
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path / "user")
    assert "--models" not in addon.preferences.launch().command
    addon.interface.models.current.refresh()
    assert [file.name for file in addon.interface.models.current.files()] == ["default", "diffusion"]


def test_only_own_models_are_removed(files, folder):
    write_model(folder / "anna.safetensors", ("arkit", "controls", 52))
    files()
    with pytest.raises(RuntimeError, match="no model of your own named “default”"):
        bpy.ops.mouthpiece.remove_model(name="default")
    with pytest.raises(RuntimeError, match=r"no model of your own named “\.\./anna”"):
        bpy.ops.mouthpiece.remove_model(name="../anna")
    assert bpy.ops.mouthpiece.remove_model(name="anna") == {"FINISHED"}
    assert not list(folder.iterdir())
    assert set(files()) == {"default", "diffusion"}


def test_an_official_checkpoint_becomes_a_model_that_a_running_backend_knows_at_once(addon, files, folder):
    bpy.ops.mouthpiece.check_backend()
    extras = {"config": str(CASE / "config.json"), "pca": str(CASE / "pca")}
    made = bpy.ops.mouthpiece.convert_checkpoint(filepath=str(CASE / "checkpoint.pt"), name="My Talker", **extras)
    assert made == {"FINISHED"}
    assert [path.name for path in folder.iterdir()] == ["My_Talker.safetensors"]
    talker = files()["My_Talker"]
    assert (talker.title, talker.origin, talker.problem) == ("UniTalker", "Converted from checkpoint.pt", "")
    assert "51 controls (inhouse_blendshape_weight)" in talker.moves
    now, until = addon.session.current, time.monotonic() + 20
    while "My_Talker" not in {model.name for model in now.models}:
        assert time.monotonic() < until
        addon.runner.current.step()
        time.sleep(0.02)
    with pytest.raises(RuntimeError, match="a model named “My_Talker” already"):
        bpy.ops.mouthpiece.convert_checkpoint(filepath=str(CASE / "checkpoint.pt"), name="My Talker", **extras)


def test_what_the_dialog_lacks_is_called_as_in_the_dialog(folder):
    with pytest.raises(RuntimeError, match="with Layout"):
        bpy.ops.mouthpiece.convert_checkpoint(filepath=str(CASE / "checkpoint.pt"))
    assert not list(folder.iterdir())


def test_a_checkpoint_that_is_gone_is_named_before_anything_is_started(addon, folder, tmp_path):
    with pytest.raises(RuntimeError, match=r"gone\.pt” is not there"):
        bpy.ops.mouthpiece.convert_checkpoint(filepath=str(tmp_path / "gone.pt"))
    assert not addon.conversion.current.busy


SLOW = """
import sys, time
print("2/3 Checking its tensors", flush=True)
open(sys.argv[1], "wb").write(b"half a model")
time.sleep(600)
"""


def test_a_cancelled_conversion_leaves_nothing(addon, folder, monkeypatch, tmp_path):
    script = tmp_path / "slow.py"
    script.write_text(SLOW, encoding="utf-8")
    command = lambda _python, _extension, *words: (sys.executable, str(script), words[words.index("--output") + 1])  # noqa: E731
    monkeypatch.setattr(addon.environment, "backend_command", command)
    now = addon.conversion.Conversion()
    order = addon.conversion.Order(CASE / "checkpoint.pt", folder / "new.safetensors")
    now.begin(order, Path(sys.executable), ROOT, tmp_path / "convert.log")
    wait_until(lambda: now.stage == "Checking its tensors" and list(folder.glob(".converting-*/new.safetensors")))
    assert now.fraction == pytest.approx(1 / 3)
    now.cancel()
    wait_until(now.step)
    assert isinstance(now.failure, addon.errors.Cancelled)
    assert not list(folder.iterdir())
    assert not now.busy


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
