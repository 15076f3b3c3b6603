# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads of each convention, made of the demo head: what every shape key does to the face, without Blender.

How a viseme looks is taken from published recipes, not from our profiles: TalkingHead's and the VRM add-on's recipes of
visemes in ARKit shapes, the tables that put Rhubarb's, Microsoft's, DAZ's and iClone's visemes beside those, and the
jaw angles that Character Creator's importer gives them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import Phone
from backend.training.lips import rules
from demo.head import shipped
from demo.head.lips import SPOKES, Ring

FPS = 60.0
SPEECH = Path(__file__).resolve().parents[2] / "demo" / "speech" / "demo.json"
MIDDLE = range(-4, 5)

Pose = Mapping[str, float]

TALKING_HEAD: dict[str, Pose] = {
    "sil": {},
    "PP": {"mouthRollLower": 0.8, "mouthRollUpper": 0.8},  # less mouthUpperUp, which on this head parts the lips again
    "FF": {"mouthPucker": 1, "mouthShrugUpper": 1, "mouthLowerDown": 0.2, "mouthDimple": 1, "mouthRollLower": 1},
    "TH": {"mouthRollUpper": 0.6, "jawOpen": 0.2, "tongueOut": 0.4},
    "DD": {"mouthPress": 0.8, "mouthFunnel": 0.5, "jawOpen": 0.2},
    "kk": {"mouthLowerDown": 0.4, "mouthDimple": 0.3, "mouthFunnel": 0.3, "mouthPucker": 0.3, "jawOpen": 0.15},
    "CH": {"mouthPucker": 0.5, "jawOpen": 0.2},
    "SS": {"mouthPress": 0.8, "mouthLowerDown": 0.5, "jawOpen": 0.1},
    "nn": {
        "mouthLowerDown": 0.4,
        "mouthDimple": 0.3,
        "mouthFunnel": 0.3,
        "mouthPucker": 0.3,
        "jawOpen": 0.15,
        "tongueOut": 0.2,
    },
    "RR": {"mouthPucker": 0.5, "jawOpen": 0.2},
    "aa": {"jawOpen": 0.6},
    "E": {"mouthPress": 0.8, "mouthDimple": 1, "jawOpen": 0.3},
    "I": {"mouthPress": 0.6, "mouthDimple": 0.6, "jawOpen": 0.2},
    "O": {"mouthPucker": 1, "jawForward": 0.6, "jawOpen": 0.2},
    "U": {"mouthFunnel": 1},
}
VRM_ADDON: dict[str, Pose] = {
    "A": {"jawOpen": 0.5},
    "I": {"jawOpen": 0.2, "mouthStretch": 0.2},
    "U": {"jawOpen": 0.2, "mouthPucker": 0.2},
    "E": {"jawOpen": 0.3, "mouthStretch": 0.3},
    "O": {"jawOpen": 0.3, "mouthPucker": 0.3},
}
RHUBARB = {"A": "PP", "B": "kk", "C": "I", "D": "aa", "E": "O", "F": "U", "G": "FF", "H": "TH", "X": "sil"}
PRESTON_BLAIR = {
    "MBP": "PP",
    "etc": "kk",
    "E": "I",
    "AI": "aa",
    "O": "O",
    "U": "U",
    "WQ": "U",
    "L": "TH",
    "FV": "FF",
    "rest": "sil",
}
MICROSOFT = {
    "p_b_m_21": "PP",
    "f_v_18": "FF",
    "th_dh_17": "TH",
    "d_t_n_19": "DD",
    "k_g_ng_20": "kk",
    "sh_ch_jh_zh_16": "CH",
    "s_z_15": "SS",
    "r_13": "RR",
    "aa_02": "aa",
    "ey_eh_uh_04": "E",
    "y_iy_ih_ix_06": "I",
    "ow_08": "O",
    "w_uw_07": "U",
}
DAZ = {
    "EH": "E",
    "AA": "aa",
    "OW": "O",
    "ER": "RR",
    "IY": "I",
    "W": "U",
    "UW": "U",
    "IH": "I",
    "S": "SS",
    "SH": "CH",
    "TH": "TH",
    "F": "FF",
    "T": "DD",
    "K": "kk",
    "M": "PP",
    "L": "nn",
}
ICLONE = {
    "B_M_P": "PP",
    "F_V": "FF",
    "TH": "TH",
    "T_L_D_N": "DD",
    "K_G_H_NG": "kk",
    "Ch_J": "CH",
    "S_Z": "SS",
    "R": "RR",
    "Ah": "aa",
    "EE": "E",
    "IH": "I",
    "Oh": "O",
    "W_OO": "U",
}
JAW_DEGREES = {
    "Ah": 10.5,
    "Oh": 9.6,
    "IH": 4.9,
    "T_L_D_N": 4.7,
    "TH": 4.0,
    "K_G_H_NG": 3.0,
    "R": 1.65,
    "EE": 1.2,
    "V_Open": 18.0,
}
FULL_JAW = 30.1
PAIRS: dict[str, Pose] = {
    "V_Open": {"jawOpen": JAW_DEGREES["V_Open"] / FULL_JAW},
    "V_Explosive": TALKING_HEAD["PP"],
    "V_Dental_Lip": {"mouthRollLower": 1, "mouthUpperUp": 0.2},
    "V_Tight_O": {"mouthFunnel": 0.8, "jawOpen": 0.3},
    "V_Tight": {"mouthPucker": 1},
    "V_Wide": {"mouthStretch": 0.6},
    "V_Affricate": {"mouthFunnel": 1},
    "V_Lip_Open": {"mouthLowerDown": 0.5, "mouthUpperUp": 0.5},
}


@lru_cache(maxsize=1)
def head() -> shipped.ShippedHead:
    return shipped.load()


def full(pose: Pose) -> np.ndarray:
    """float64 [52] of a pose whose names may stand for both sides."""
    weights = np.zeros(len(ARKIT_CHANNELS))
    for name, weight in pose.items():
        rows = [ARKIT_CHANNELS.index(one) for one in (name, f"{name}Left", f"{name}Right") if one in ARKIT_CHANNELS]
        assert rows, name
        weights[rows] = weight
    return weights


def shape(pose: Pose) -> np.ndarray:
    """float64 [V, 3]: what a pose does to the demo head, millimetres."""
    return np.tensordot(full(pose), head().shapes, axes=1)


def quarter(name: str, upper: bool, left: bool) -> np.ndarray:
    """The part of an ARKit shape that moves one lip on one side, in the middle by half."""
    rest = head().rest
    slit = rest[head().arrays["lips"][Ring.CONTACT], 2].mean()
    side = np.clip(0.5 + (rest[:, 0] if left else -rest[:, 0]) / 2.0, 0, 1)
    lip = (rest[:, 2] > slit) if upper else (rest[:, 2] <= slit)
    return shape({name: 1}) * (side * lip)[:, None]


def speech() -> np.ndarray:
    """float64 [frames, 52]: the rules' motion for the demo's sentence."""
    told = json.loads(SPEECH.read_text(encoding="utf-8"))
    phones = [Phone(*phone) for phone in told["phones"]]
    frames = round(phones[-1].end * FPS)
    closures = [(start, end) for start, end in told["closures_snap"]]
    return rules.to_arkit(rules.weights(rules.Speech(phones, closures), frames, FPS)).astype(float)


def closed_frames() -> list[int]:
    """The frame in the middle of each p, b and m of it."""
    told = json.loads(SPEECH.read_text(encoding="utf-8"))
    return [round((start + end) / 2 * FPS) for start, end in told["closures_snap"]]


def gap(weights: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """float64 [frames]: the widest opening over the middle of the mouth, millimetres, as `demo.head.measures` has it.

    `weights` [frames, controls] of `shapes` [controls, V, 3].
    """
    rings, rest = head().arrays["lips"][: Ring.BACK], head().rest[:, 2]
    openings = []
    for spoke in MIDDLE:
        upper, lower = rings[:, spoke % SPOKES], rings[:, (SPOKES // 2 - spoke) % SPOKES]
        above = (rest[upper] + weights @ shapes[:, upper, 2]).min(axis=1)
        below = (rest[lower] + weights @ shapes[:, lower, 2]).max(axis=1)
        openings.append(above - below)
    return np.max(openings, axis=0)


def renamed(visemes: Mapping[str, str], name: str = "{}") -> dict[str, np.ndarray]:
    return {name.format(key): shape(TALKING_HEAD[viseme]) for key, viseme in visemes.items()}


def with_jaw(visemes: Mapping[str, str]) -> dict[str, np.ndarray]:
    """iClone's direct visemes, with the jaw as far open as its importer turns it."""
    jaws = {name: {"jawOpen": JAW_DEGREES.get(name, 0.0) / FULL_JAW} for name in visemes}
    return {name: shape({**TALKING_HEAD[viseme], **jaws[name]}) for name, viseme in visemes.items()}


def lipped(visemes: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Visemes of a head whose jaw is a bone: lips only."""
    poses = {name: {**TALKING_HEAD[viseme], "jawOpen": 0.0} for name, viseme in visemes.items()}
    return {name: shape(pose) for name, pose in poses.items()}


def arkit(*left_out: str) -> dict[str, np.ndarray]:
    names = [name for name in ARKIT_CHANNELS if not name.startswith(left_out or "none")]
    return {name: head().shapes[ARKIT_CHANNELS.index(name)] for name in names}


def quartered(names: Mapping[str, str], places: Mapping[str, tuple[bool, bool]]) -> dict[str, np.ndarray]:
    return {f"{key}{place}": quarter(name, *where) for key, name in names.items() for place, where in places.items()}


def flat(shapes: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Shape keys that each are one of ARKit's under another name."""
    return {name: head().shapes[ARKIT_CHANNELS.index(channel)] for name, channel in shapes.items()}


VISEMES = {name: name for name in TALKING_HEAD}
