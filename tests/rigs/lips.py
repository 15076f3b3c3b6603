# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the lips of each convention open when they say what an ARKit face says. `python -m tests.rigs.lips`: a table.

The motion is the rules' for the demo's sentence; the faces are made by `heads`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.face import ARKIT_CHANNELS
from tests.rigs import heads, room

QUARTERS = {"_Up_L": (True, True), "_Up_R": (True, False), "_Down_L": (False, True), "_Down_R": (False, False)}
CONTROL_QUARTERS = {"UL": (True, True), "UR": (True, False), "DL": (False, True), "DR": (False, False)}


@dataclass(frozen=True)
class Lips:
    """What came of a convention on the demo head."""

    title: str
    controls: int
    correlation: float
    """Of the opening of the lips with that of the ARKit face, over all frames."""
    mean: float
    """Mean opening as a share of the ARKit face's."""
    closed: float
    """The opening in the middle of p, b and m, the median of all of them, millimetres."""
    widest: float
    """The widest of these."""
    reference: float
    """The widest of these on the ARKit face."""


SIDES = {"Left": "L", "Right": "R"}
VRM_1 = {"A": "aa", "I": "ih", "U": "ou", "E": "ee", "O": "oh"}
JAPANESE = {"A": "あ", "I": "い", "U": "う", "E": "え", "O": "お"}
HUM: heads.Pose = {"mouthPress": 0.5}
CREATOR = {
    "Mouth_Smile_": "mouthSmile",
    "Mouth_Stretch_": "mouthStretch",
    "Mouth_Press_": "mouthPress",
    "Mouth_Down_Lower_": "mouthLowerDown",
    "Mouth_Up_Upper_": "mouthUpperUp",
}
CREATOR_MIDDLE = {
    "Jaw_Open": "jawOpen",
    "Mouth_Close": "mouthClose",
    "Mouth_Shrug_Lower": "mouthShrugLower",
    "Mouth_Shrug_Upper": "mouthShrugUpper",
    "Mouth_Roll_In_Lower": "mouthRollLower",
    "Tongue_Out": "tongueOut",
    "Mouth_Roll_In_Upper": "mouthRollUpper",
}
METAHUMAN = {
    "mouthStretch": "mouthStretch",
    "mouthCornerPull": "mouthSmile",
    "mouthLipsPress": "mouthPress",
    "mouthUpperLipRaise": "mouthUpperUp",
    "mouthLowerLipDepress": "mouthLowerDown",
}
METAHUMAN_QUARTERS = {
    "mouthFunnel": "mouthFunnel",
    "mouthLipsPurse": "mouthPucker",
    "mouthLipsTogether": "mouthClose",
}
AUDIO2FACE = {
    "lipStretcher": "mouthStretch",
    "lipCornerPuller": "mouthSmile",
    "upperLipRaiser": "mouthUpperUp",
    "lowerLipDepressor": "mouthLowerDown",
}
AUDIO2FACE_MIDDLE = {
    "jawDrop": "jawOpen",
    "jawDropLipTowards": "mouthClose",
    "pucker": "mouthPucker",
    "funneler": "mouthFunnel",
    "chinRaiser": "mouthShrugLower",
}

Shapes = dict[str, np.ndarray]


def faces() -> dict[str, tuple[str, Shapes]]:
    """Title: the profile that is meant, and what each control does to the face."""
    return {**_arkit(), **_viseme_sets(), **_vowels(), **_units(), **_jaws()}


def _arkit() -> dict[str, tuple[str, Shapes]]:
    few = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")
    return {
        "ARKit": ("arkit", heads.arkit()),
        "ARKit without mouthClose": ("arkit", heads.arkit("mouthClose")),
        "ARKit without mouthClose, Funnel, Press": ("arkit", heads.arkit("mouthClose", "mouthFunnel", "mouthPress")),
        "ARKit, only jaw, smile and pucker": ("arkit", heads.flat({name: name for name in few})),
    }


def _viseme_sets() -> dict[str, tuple[str, Shapes]]:
    basic = {letter: heads.RHUBARB[letter] for letter in "ABCDEF"}
    return {
        "Oculus, VRChat, Ready Player Me": ("oculus", heads.renamed(heads.VISEMES, "viseme_{}")),
        "Rhubarb A to H, X": ("rhubarb", heads.renamed(heads.RHUBARB)),
        "Rhubarb A to F": ("rhubarb", heads.renamed(basic)),
        "Preston Blair": ("preston_blair", heads.renamed(heads.PRESTON_BLAIR)),
        "Microsoft (Faceit, MPFB2)": ("microsoft", heads.renamed(heads.MICROSOFT)),
        "DAZ Genesis 8": ("daz8", heads.renamed(heads.DAZ, "eCTRLv{}")),
        "DAZ Genesis 8.1 and 9 visemes": ("daz9_visemes", heads.renamed(heads.DAZ, "facs_ctrl_v{}")),
        "iClone 8+7": ("iclone", {name: heads.shape(pose) for name, pose in heads.PAIRS.items()}),
        "iClone 1:1": ("iclone_direct", heads.with_jaw(heads.ICLONE)),
    }


def _vowels() -> dict[str, tuple[str, Shapes]]:
    vowels = {name: heads.shape(pose) for name, pose in heads.VRM_ADDON.items()}
    hum = heads.shape(HUM)
    return {
        "VRM 1.0": ("vrm1", {VRM_1[name]: moved for name, moved in vowels.items()}),
        "VRM 0.x": ("vrm0", vowels),
        "VRoid Studio": (
            "vroid",
            {f"Fcl_MTH_{name}": moved for name, moved in vowels.items()} | {"Fcl_MTH_Close": hum},
        ),
        "MikuMikuDance": ("mmd", {JAPANESE[name]: moved for name, moved in vowels.items()} | {"ん": hum}),
    }


def _units() -> dict[str, tuple[str, Shapes]]:
    creator = heads.flat(CREATOR_MIDDLE | _sided(CREATOR))
    round_shapes = {"Mouth_Funnel": "mouthFunnel", "Mouth_Pucker": "mouthPucker"}
    metahuman = heads.flat(_sided(METAHUMAN) | {"jawOpen": "jawOpen", "tongueOut": "tongueOut"})
    metahuman |= heads.quartered(METAHUMAN_QUARTERS, CONTROL_QUARTERS)
    both = {"lipPressor": heads.shape({"mouthPress": 1}), "lipSuck": heads.shape({"mouthRollLower": 1})}
    return {
        "Character Creator 4, standard": ("cc4", creator | heads.flat(round_shapes)),
        "Character Creator 4, extended": ("cc4", creator | heads.quartered(round_shapes, QUARTERS)),
        "MetaHuman controls": ("metahuman_controls", {f"CTRL_expressions_{n}": m for n, m in metahuman.items()}),
        "Audio2Face": ("audio2face", heads.flat(AUDIO2FACE_MIDDLE | _sided(AUDIO2FACE)) | both),
    }


def _jaws() -> dict[str, tuple[str, Shapes]]:
    bone = {"jaw": heads.shape({"jawOpen": 1})}
    return {
        "Mouth that only opens": ("mouth_open", {"mouthOpen": heads.shape({"jawOpen": 0.7})}),
        "Jaw bone": ("jaw_bone", bone),
        "Jaw bone and lip visemes": ("jaw_visemes", heads.lipped(heads.VISEMES) | bone),
    }


def _sided(names: Mapping[str, str]) -> dict[str, str]:
    return {f"{key}{letter}": f"{name}{side}" for key, name in names.items() for side, letter in SIDES.items()}


def driven(rig, profile: str, shapes: Mapping[str, np.ndarray], motion: np.ndarray) -> np.ndarray:
    """float64 [frames]: the opening of a face's lips when our profile drives it with an ARKit motion."""
    names = tuple(shapes)
    found = rig.match.match(rig.profile.shipped(profile), rig.match.Names(names, bones=names))
    values = [value for value in rig.weights.values_of(found, ARKIT_CHANNELS, motion) if _opens(value)]
    weights = np.stack([value.values.clip(0, 1) for value in values], axis=1)
    return heads.gap(weights, np.stack([shapes[found.found[value.control]] for value in values]))


def _opens(value) -> bool:
    """A bone's turn about the side axis opens the mouth; its other movements do not."""
    return value.move is None or value.move.kind == "turn"


def measure(rig, title: str) -> Lips:
    profile, shapes = faces()[title]
    motion, closed = heads.speech(), heads.closed_frames()
    wanted = heads.gap(motion, head_shapes())
    seen = driven(rig, profile, shapes, motion)
    return Lips(
        title,
        len(shapes),
        float(np.corrcoef(wanted, seen)[0, 1]),
        float(seen.mean() / wanted.mean()),
        float(np.median(seen[closed])),
        float(seen[closed].max()),
        float(wanted[closed].max()),
    )


def head_shapes() -> np.ndarray:
    return heads.head().shapes


def table(rig) -> str:
    """The table of docs/rigs.md."""
    lines = [
        "| face | controls | opening follows ARKit's | mean opening | at p b m | widest of these |",
        "|-|-:|-:|-:|-:|-:|",
    ]
    for row in (measure(rig, title) for title in faces()):
        figures = f"{row.correlation:.3f} | {row.mean:.0%} | {row.closed:.1f} mm | {row.widest:.1f} mm"
        lines.append(f"| {row.title} | {row.controls} | {figures} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(room.enter()) + "\n")
