# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rig profile: its form, its channels, and the names under which its shape keys are found."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import jsonschema
import numpy as np
import pytest

from backend.face import ARKIT_CHANNELS

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path for path in (ROOT / "rigs").glob("*.json") if path.name != "schema.json")
CHANNELS = {"arkit": ARKIT_CHANNELS}
PARTS = ("profile", "match")


@pytest.fixture(scope="module")
def rig():
    """The add-on's room, without Blender: its package's own start needs bpy."""
    for name, folder in (("checkout", ROOT), ("checkout.blender_addon", ROOT / "blender_addon")):
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [str(folder)]
    yield SimpleNamespace(**{part: importlib.import_module(f"checkout.blender_addon.rig.{part}") for part in PARTS})
    for name in [name for name in sys.modules if name.split(".")[0] == "checkout"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def arkit(rig):
    return rig.profile.RigProfile.load(ROOT / "rigs" / "arkit.json")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_has_the_right_form(path):
    schema = json.loads((ROOT / "rigs" / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    profile = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(profile, schema)
    assert profile["id"] == path.stem
    known = set(CHANNELS[profile["consumes"]])
    assert {channel for weights in profile["shape_keys"].values() for channel in weights} <= known
    assert set(profile["recognise"]["aliases"]) <= set(profile["shape_keys"])


@pytest.mark.parametrize("spoil", [{"id": "A b"}, {"shape_keys": {}}, {"title": ""}, {"bone": {}}, {"recognise": {}}])
def test_schema_refuses(spoil):
    schema = json.loads((ROOT / "rigs" / "schema.json").read_text(encoding="utf-8"))
    profile = json.loads((ROOT / "rigs" / "arkit.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(profile | spoil, schema)


def test_arkit_to_arkit_is_the_identity(rig, arkit):
    match = rig.match.match(arkit, ARKIT_CHANNELS)
    assert match.missing == ()
    assert match.score == 1.0
    np.testing.assert_array_equal(match.matrix(ARKIT_CHANNELS), np.eye(52, dtype=np.float32))


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


SPELLINGS = {
    "as Apple writes them": lambda name: name,
    "capitalised": lambda name: name[0].upper() + name[1:],
    "lower case": str.lower,
    "upper case": str.upper,
    "snake case": snake,
    "upper snake case": lambda name: snake(name).upper(),
    "L and R behind an underscore": lambda name: name.replace("Left", "_L").replace("Right", "_R"),
    "l and r behind a dot": lambda name: name.replace("Left", ".l").replace("Right", ".r"),
    "capitalised with L and R": lambda name: (name[0].upper() + name[1:]).replace("Left", "L").replace("Right", "R"),
    "words with spaces": lambda name: snake(name).replace("_", " ").title(),
    "Maya's node in front": lambda name: f"blendShape1.{name}",
    "a mesh in front, L and R": lambda name: "head_lod0_mesh__" + snake(name).replace("_left", "_L"),
    "a node in front, dot L": lambda name: f"Face.{name}".replace("Left", ".L").replace("Right", ".R"),
    "MPFB's mark in front": lambda name: f"!ex-{name}",
    "a namespace in front": lambda name: f"hero:{name}",
    "a copy's number behind": lambda name: f"{name}.001",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_any_usual_spelling_is_found(rig, arkit, spell):
    names = [spell(name) for name in ARKIT_CHANNELS]
    match = rig.match.match(arkit, names)
    assert match.missing == ()
    assert match.found == dict(zip(ARKIT_CHANNELS, names, strict=True))


def test_unified_expressions_are_found_by_their_other_names(rig, arkit):
    match = rig.match.match(arkit, ["EyeClosedLeft", "LipFunnel", "MouthRaiserUpper", "JawOpen"])
    assert match.found == {
        "eyeBlinkLeft": "EyeClosedLeft",
        "jawOpen": "JawOpen",
        "mouthFunnel": "LipFunnel",
        "mouthShrugUpper": "MouthRaiserUpper",
    }


def test_surest_spelling_wins(rig, arkit):
    names = ["teeth.jawOpen", "jaw_open", "jawOpen", "jawOpen_corrective", "mouthSmile"]
    assert rig.match.match(arkit, names).found == {"jawOpen": "jawOpen"}
    assert rig.match.match(arkit, names[:2]).found == {"jawOpen": "jaw_open"}


def test_sides_are_not_mixed_up(rig, arkit):
    match = rig.match.match(arkit, ["mouthLeft", "mouthSmile_R", "jaw_L", "L_eyeBlink"])
    assert match.found == {
        "eyeBlinkLeft": "L_eyeBlink",
        "jawLeft": "jaw_L",
        "mouthLeft": "mouthLeft",
        "mouthSmileRight": "mouthSmile_R",
    }


@pytest.mark.parametrize(
    "names", [[], ["Key 1", "Key 2"], ["Smile", "あ", "v_aa", "mouth", "left"], ["corrective_jawOpen"]]
)
def test_other_faces_are_not_taken_for_arkit(arkit, rig, names):
    assert rig.match.match(arkit, names).score == 0
    assert rig.match.recognise(tuple(names)) is None


def test_partial_face_is_recognised(arkit, rig):
    match = rig.match.recognise(("jawOpen", "mouthClose", "belly"))
    assert match.profile.id == "arkit"
    assert len(match.missing) == 50
    assert match.score == pytest.approx(2 / 52)


def test_channels_of_another_order_and_spelling(rig, arkit):
    """UniTalker's own heads list 51 capitalised names in an order of their own."""
    channels = ["JawOpen", "EyeBlinkRight", "EyeBlinkLeft"]
    weights = rig.match.match(arkit, ["eyeBlink_L", "eyeBlink_R", "jawOpen"]).matrix(channels)
    np.testing.assert_array_equal(weights, [[0, 0, 1], [0, 1, 0], [1, 0, 0]])


def test_channels_that_move_nothing_are_refused(rig, arkit):
    with pytest.raises(importlib.import_module("checkout.blender_addon.errors").BadInput, match="Choose another model"):
        rig.match.match(arkit, ["jawOpen"]).matrix(["expression_0", "expression_1"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"id": 1}', "\x00"])
def test_broken_profile_is_one_sentence(rig, tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(importlib.import_module("checkout.blender_addon.errors").BadInput, match=r"“mine\.json”"):
        rig.profile.RigProfile.load(path)


@pytest.mark.parametrize("module", ["environment", "errors", "motion", "process", "session"])
def test_modules_that_need_no_blender(rig, module):
    assert importlib.import_module(f"checkout.blender_addon.{module}")
