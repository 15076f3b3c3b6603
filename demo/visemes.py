# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of the mouths that the default model learns: every class of sound on the demo head, as the rules pose it.

Run in the environment that has bpy: `python -m demo.visemes`.
"""

from __future__ import annotations

import importlib

import bpy
import numpy as np

from backend.phonetics.phones import IPA, Phone, closures_of
from backend.training.lips import rules
from demo import extension
from demo.head.pictures import FOLDER, Framing, Shoot, save
from demo.layout import ROOT

CLOSE_UP = Framing(256, 6, 0.172, 0.30)
SOUNDS = (
    *(("rest", ""), ("p b", "p"), ("m", "m"), ("f v", "f"), ("th", "θ"), ("t d", "t"), ("n", "n"), ("l", "l")),
    *(("s z", "s"), ("sh ch", "ʃ"), ("k g", "k"), ("ng", "ŋ"), ("h", "h"), ("r", "ɹ"), ("rolled r", "r"), ("w", "w")),
    *(("y (yes)", "j"), ("ee (beat)", "i"), ("i (bit)", "ɪ"), ("e (bet)", "ɛ"), ("a (bat)", "æ"), ("ah (father)", "ɑ")),
    *(("uh (but)", "ʌ"), ("aw (thought)", "ɔ"), ("o (French eau)", "o"), ("u (book)", "ʊ"), ("oo (boot)", "u")),
    *(("er (bird)", "ɝ"), ("u (French tu)", "y")),
)
"""What stands under each picture, and a phone of its class (IPA); no phone is a pause."""
_FPS = 60.0
_HELD = 0.4


def pose(phone: str) -> dict[str, float]:
    """ARKit weights in the middle of a phone that is held between two pauses."""
    phones = [Phone("", 0.0, _HELD), Phone(phone, _HELD, 2 * _HELD), Phone("", 2 * _HELD, 3 * _HELD)]
    closures = [(_HELD, 2 * _HELD)] if closures_of(phones) else []
    curves = rules.weights(rules.Speech(phones, closures, alphabet=IPA), round(3 * _HELD * _FPS), _FPS)
    held = curves[len(curves) // 2]
    return {name: float(value) for name, value in zip(rules.CHANNELS, held, strict=True)}


def tiles(head: bpy.types.Object) -> list[np.ndarray]:
    """One picture of the mouth for each of `SOUNDS`."""
    shoot = Shoot(head, CLOSE_UP)
    return [shoot.tile(label, pose(phone)) for label, phone in SOUNDS]


def main() -> None:
    """Renders docs/images/default_visemes.jpg."""
    with extension.enabled(ROOT) as package:
        addon = importlib.import_module(f"{package}.blender_addon.demo_head")
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        save(tiles(addon.build(bpy.context)), CLOSE_UP.columns, FOLDER / "default_visemes.jpg")


if __name__ == "__main__":
    main()
