# SPDX-License-Identifier: GPL-3.0-or-later
"""How writing options are spelled on the command line and in job files. No bpy."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..errors import BadInput
from .options import Mode, WritingOptions
from .regions import REGIONS


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the options."""
    group = parser.add_argument_group("how keys are written")
    modes = [mode.value for mode in Mode]
    group.add_argument("--mode", choices=modes, default="new", help="a new action, the artist's, or an NLA track")
    group.add_argument("--regions", default="", metavar="LIST", help="such as mouth,jaw=0.8,tongue (default: all)")
    group.add_argument("--blend", type=int, default=0, metavar="N", help="frames to pass in and out over (default: 0)")
    group.add_argument("--smooth", type=float, default=0.0, metavar="F", help="smooth over about F frames (default: 0)")
    group.add_argument("--decimate", type=float, default=0.0, metavar="F", help="few Bezier keys, off by F at most")
    group.add_argument("--step", type=int, default=1, metavar="N", help="hold each pose for N frames (default: 1)")
    group.add_argument("--blinks", action="store_true", help="let the eyes blink")
    group.add_argument("--darts", action="store_true", help="let the eyes look elsewhere now and then")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of takes, blinks and darts (default: 0)")
    group.add_argument("--beside", action="store_true", help="keep the earlier lip sync of the strip as a take")


def parsed(words: Mapping[str, Any]) -> WritingOptions:
    """The options that words such as ``mode`` and ``decimate`` mean; what is not there keeps its default.

    Raises `BadInput` where a word's value cannot be meant.
    """
    try:
        options = WritingOptions(
            mode=Mode(words.get("mode", "new")),
            blend=int(words.get("blend", 0)),
            smoothing=float(words.get("smooth", 0.0)),
            tolerance=float(words.get("decimate", 0.0)),
            step=int(words.get("step", 1)),
            regions=regions(words.get("regions", "")),
            blinks=bool(words.get("blinks", False)),
            darts=bool(words.get("darts", False)),
            seed=int(words.get("seed", 0)),
            beside=bool(words.get("beside", False)),
        )
    except (TypeError, ValueError) as problem:
        raise BadInput(f"The writing options cannot be read: {problem}.") from problem
    options.check()
    return options


def regions(text: str) -> dict[str, float]:
    """Regions with their strengths out of a list such as ``mouth,jaw=0.8``; all of them out of an empty text.

    Raises `BadInput` where a strength is no number.
    """
    if not text.strip():
        return dict.fromkeys(REGIONS, 1.0)
    parts = [part.partition("=") for part in text.split(",")]
    return {name.strip(): _strength(name, strength) if strength else 1.0 for name, _, strength in parts}


def _strength(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as problem:
        raise BadInput(f"“{name}={text}” is no region with its strength. Write it as mouth=0.8.") from problem
