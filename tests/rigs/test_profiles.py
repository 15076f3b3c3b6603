# SPDX-License-Identifier: GPL-3.0-or-later
"""The files: every profile that ships has the form of the schema, and an artist's own one is read and written back."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import jsonschema
import pytest

from backend.face import ARKIT_CHANNELS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "rigs" / "schema.json").read_text(encoding="utf-8"))
PROFILES = sorted(path for path in (ROOT / "rigs").glob("*.json") if path.name != "schema.json")
CHANNELS = {"arkit": ARKIT_CHANNELS}
MINE = {"id": "mine", "title": "Bob", "extends": "oculus", "names": {"viseme_PP": "Bob 7"}, "gains": {"viseme_aa": 0.5}}


def read(name):
    return json.loads((ROOT / "rigs" / f"{name}.json").read_text(encoding="utf-8"))


def channels(profile):
    rows = [*profile.get("shape_keys", {}).values(), *profile.get("visemes", {}).values()]
    rows += [move["by"] for moves in profile.get("bones", {}).values() for move in moves]
    return {channel for row in rows for channel in row}


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_has_the_right_form(path):
    profile = read(path.stem)
    jsonschema.validate(profile, SCHEMA)
    assert profile["id"] == path.stem
    assert profile["sources"]
    assert channels(profile) <= set(CHANNELS[profile["consumes"]])


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_speaks_of_its_own_controls_only(path):
    profile = read(path.stem)
    controls = {control for part in ("shape_keys", "visemes", "bones") for control in profile.get(part, {})}
    recognise = profile["recognise"]
    unless = recognise.get("unless", {})
    finer = {control for others in unless.values() for control in others}
    assert {*recognise["aliases"], *recognise.get("needs", ()), *unless, *finer} <= controls
    assert set(profile.get("corners", ())) <= set(profile.get("bones", {}))
    assert recognise["at_least"] <= len(controls)


@pytest.mark.parametrize(
    "spoil",
    [
        {"id": "A b"},
        {"shape_keys": {}},
        {"title": ""},
        {"bone": {}},
        {"recognise": {}},
        {"extends": "oculus"},
        {"visemes": {"A": {"jawOpen": 3}}},
        {"bones": {"jaw": [{"turn": "sideways", "degrees": 20, "by": {"jawOpen": 1}}]}},
        {"gains": {"jawOpen": "much"}},
    ],
)
def test_schema_refuses(spoil):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read("arkit") | spoil, SCHEMA)


def test_profile_made_by_hand_is_of_the_schema_and_comes_back_as_it_was(rig):
    profile = rig.profile.parse(json.dumps(MINE), "mine.json")
    assert json.loads(rig.profile.dump(profile)) == MINE
    jsonschema.validate(MINE, SCHEMA)
    assert profile.visemes.keys() == rig.profile.shipped("oculus").visemes.keys()


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_whole_profile_comes_back_as_it_was(rig, path):
    profile = rig.profile.load(path)
    text = rig.profile.dump(profile)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert rig.profile.parse(text, path.name) == profile


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"id": 1}', "\x00", '{"id": "a", "title": "b", "extends": "zz"}'])
def test_broken_profile_is_one_sentence(rig, tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(rig.BadInput, match=r"“mine\.json”|“zz”"):
        rig.profile.load(path)


def test_file_that_is_not_there_is_one_sentence(rig, tmp_path):
    with pytest.raises(rig.BadInput, match=r"“gone\.json” cannot be read"):
        rig.profile.load(tmp_path / "gone.json")


@pytest.mark.parametrize("module", ["environment", "errors", "motion", "process", "session"])
def test_modules_that_need_no_blender(rig, module):
    assert importlib.import_module(f"checkout.blender_addon.{module}")


def test_every_profile_has_its_line_in_the_documentation():
    page = (ROOT / "docs" / "rigs.md").read_text(encoding="utf-8")
    assert {path.stem for path in PROFILES} == {
        line.split("`")[1] for line in page.splitlines() if line.startswith("| `")
    }
    assert f"{len(PROFILES)} of them ship" in page
