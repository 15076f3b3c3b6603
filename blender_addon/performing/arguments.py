# SPDX-License-Identifier: GPL-3.0-or-later
"""How a performance is spelled on the command line and in job files. No bpy."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..errors import BadInput
from .options import PerformanceOptions, StyleAs

KEYED = "keyed"
"""Instead of emotions: as they are keyed on the character."""


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the options; ``--seed`` comes with those about keys, and is for takes too."""
    group = parser.add_argument_group("models that denoise")
    group.add_argument("--takes", type=int, default=1, metavar="N", help="performances to choose from (default: 1)")
    group.add_argument("--steps", type=int, default=0, metavar="N", help="denoising steps (default: the model's own)")
    group.add_argument("--guidance", type=float, default=1.0, metavar="G", help="follow the speech more (default: 1)")
    group.add_argument("--style-from", default="", metavar="STRIP|FILE", help="speak in the style of a recording")
    ways = [way.value for way in StyleAs]
    about = "as the identity most like the recording (default), or as it is heard"
    group.add_argument("--style-as", choices=ways, default=StyleAs.NEAREST.value, help=about)
    about = f"such as happy=0.7, may be repeated; {KEYED}: as keyed on the character"
    group.add_argument("--emotion", action="append", default=[], metavar="NAME=WEIGHT", help=about)


def parsed(words: Mapping[str, Any]) -> PerformanceOptions:
    """The options that words such as ``takes`` mean; raises `BadInput` where they cannot be meant."""
    try:
        return PerformanceOptions(
            steps=int(words["steps"]),
            seed=int(words["seed"]),
            takes=int(words["takes"]),
            guidance=float(words["guidance"]),
            style_from=str(words["style_from"]),
            style_as=StyleAs(words["style_as"]),
            emotions=_emotions(words["emotion"]),
            keyed=words["emotion"] == [KEYED],
        )
    except ValueError as problem:
        raise BadInput(f"The performance options cannot be read: {problem}.") from problem


def _emotions(texts: list[Any]) -> dict[str, float]:
    """Weights out of texts such as ``happy=0.7``; whether there is such an emotion is the model's to say."""
    return dict(_emotion(str(text)) for text in texts if texts != [KEYED])


def _emotion(text: str) -> tuple[str, float]:
    name, _, weight = text.partition("=")
    try:
        return name.strip(), float(weight)
    except ValueError as problem:
        raise BadInput(f"“{text}” is no emotion with its weight. Write it as happy=0.7.") from problem
