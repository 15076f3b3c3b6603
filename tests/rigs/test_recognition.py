# SPDX-License-Identifier: GPL-3.0-or-later
"""Which convention a character is taken for, and what the artist is told about it."""

from __future__ import annotations

import pytest

from backend.face import ARKIT_CHANNELS
from tests.rigs.names import CHARACTERS, READY_PLAYER_ME, STRANGERS


@pytest.fixture(scope="module")
def arkit(rig):
    return rig.profile.shipped("arkit")


@pytest.fixture(scope="module")
def recognise(rig):
    return lambda *names: rig.match.recognise(rig.match.Names(tuple(names)))


@pytest.fixture(scope="module")
def match(rig):
    return lambda profile, names: rig.match.match(profile, rig.match.Names(tuple(names)))


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
    "Rocketbox's number in front": lambda name: f"AK_07_{name}",
    "a copy's number behind": lambda name: f"{name}.001",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_any_usual_spelling_is_found(match, arkit, spell):
    names = [spell(name) for name in ARKIT_CHANNELS]
    found = match(arkit, names)
    assert found.missing == ()
    assert found.found == dict(zip(ARKIT_CHANNELS, names, strict=True))


@pytest.mark.parametrize(("profile", "names"), CHARACTERS.values(), ids=CHARACTERS.keys())
def test_character_is_recognised(recognise, profile, names):
    assert recognise(*names).profile.id == profile


@pytest.mark.parametrize("names", STRANGERS.values(), ids=STRANGERS.keys())
def test_stranger_is_not_taken_for_anything(recognise, names):
    assert recognise(*names) is None


def test_everything_of_a_known_character_is_used(recognise):
    """Names that the profile does not know would stay still without a word."""
    for title in (
        "VRM 1.0",
        "Rhubarb",
        "Preston Blair",
        "VRChat",
        "DAZ Genesis 8",
        "iClone direct",
        "Microsoft, Faceit",
        "MMD, translated",
    ):
        names = CHARACTERS[title][1]
        others = {"happy", "relaxed", "blink", "Smile", "Hat off", "Grin"}
        assert set(names) - others == set(recognise(*names).found.values()) - others, title


def test_unified_expressions_are_found_by_their_other_names(match, arkit):
    assert match(arkit, ["EyeClosedLeft", "LipFunnel", "MouthRaiserUpper", "JawOpen"]).found == {
        "eyeBlinkLeft": "EyeClosedLeft",
        "jawOpen": "JawOpen",
        "mouthFunnel": "LipFunnel",
        "mouthShrugUpper": "MouthRaiserUpper",
    }


def test_surest_spelling_wins(match, arkit):
    names = ["teeth.jawOpen", "jaw_open", "jawOpen", "jawOpen_corrective", "mouthSmile"]
    assert match(arkit, names).found == {"jawOpen": "jawOpen"}
    assert match(arkit, names[:2]).found == {"jawOpen": "jaw_open"}


def test_sides_are_not_mixed_up(match, arkit):
    assert match(arkit, ["mouthLeft", "mouthSmile_R", "jaw_L", "L_eyeBlink"]).found == {
        "eyeBlinkLeft": "L_eyeBlink",
        "jawLeft": "jaw_L",
        "mouthLeft": "mouthLeft",
        "mouthSmileRight": "mouthSmile_R",
    }


def test_report_counts_and_names_what_is_missing(recognise):
    names = [name for name in ARKIT_CHANNELS if name not in ("cheekPuff", "tongueOut")]
    assert recognise(*names).sentences == ("ARKit: 50 of 52 found; missing: cheekPuff, tongueOut.",)
    assert recognise(*ARKIT_CHANNELS).summary == "ARKit, 52 of 52"


def test_long_list_of_missing_ones_is_cut(recognise):
    (sentence,) = recognise("jawOpen", "mouthClose", "belly").sentences
    assert sentence.startswith("ARKit: 2 of 52 found; missing: eyeBlinkLeft, eyeLookDownLeft, ")
    assert sentence.endswith(" and 44 more.")


def test_near_tie_is_explained(recognise):
    names = [*READY_PLAYER_ME, *(name for name in ARKIT_CHANNELS if name.startswith(("jaw", "mouth")))]
    found = recognise(*names)
    assert found.profile.id == "arkit"
    assert "It could also be Oculus visemes (VRChat, Ready Player Me)" in found.sentences[1]


def test_fine_controls_replace_the_coarse_one(recognise):
    both = recognise("aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight")
    assert "blink" not in both.found and both.missing == ()
    coarse = recognise("aa", "ih", "ou", "ee", "oh", "blink")
    assert "blink" in coarse.found and coarse.missing == ()


def test_names_by_hand_go_before_names_by_rule(rig, match):
    mine = rig.profile.by_hand(rig.profile.shipped("vrm1"), {"aa": "qx01", "ih": "zz 7", "oh": ""}, {})
    found = match(mine, ["qx01", "zz 7", "ou", "oh", "aa"]).found
    assert found == {"aa": "qx01", "ih": "zz 7", "ou": "ou"}


def test_a_rig_that_nobody_has_seen_fits_once_it_is_mapped(rig, match, recognise):
    names = ["qx01", "qx02"]
    assert recognise(*names) is None
    mine = rig.profile.by_hand(rig.profile.shipped("vrm1"), {"aa": "qx01", "ou": "qx02"}, {})
    assert match(mine, names).score > 0


MOUTH = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthSmileLeft", "mouthSmileRight")


@pytest.mark.parametrize("count", [2, 5, 7])
def test_shape_keys_of_jaw_and_lips_go_before_a_jaw_bone(rig, count):
    """However few there are: the bone alone would leave the lips still."""
    found = rig.match.recognise(rig.match.Names(MOUTH[:count], bones=("spine", "jaw", "head")))
    assert (found.profile.id, len(found.found)) == ("arkit", count)
    assert "Jaw bone" in found.rivals


@pytest.mark.parametrize("keys", [(), ("jawOpen",), ("jawOpen", "eyeBlinkLeft"), ("mouthSmileLeft", "mouthPucker")])
def test_a_jaw_bone_goes_before_shape_keys_that_do_not_speak(rig, keys):
    assert rig.match.recognise(rig.match.Names(keys, bones=("jaw",))).profile.id == "jaw_bone"
