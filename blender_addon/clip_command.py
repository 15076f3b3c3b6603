# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b SHOT.blend --command mouthpiece export-clip …``: its options, and the order that they make."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import bpy
from bpy.types import Scene

from .errors import BadInput
from .training_clip import Order


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export-clip`."""
    parser.add_argument("--object", default="", metavar="NAME", help="the character (default: the active object)")
    parser.add_argument("--strip", default="", metavar="NAME", help="the sound strip (default: the active one)")
    parser.add_argument("--scene", default="", metavar="NAME", help="the strip's scene, where several have one")
    parser.add_argument(
        "--controls",
        default="",
        metavar="JSON",
        help='names, such as \'["Open", "jaw:location.z"]\' (default: what moves)',
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder of the clips")
    parser.add_argument("--identity", default="", metavar="NAME", help="who moves like this (default: the character)")
    parser.add_argument("--json", action="store_true", help="report as one line of JSON")
    parser.add_argument("--verbose", action="store_true", help="show tracebacks")


def order(options: argparse.Namespace, scene: Scene, strip: str) -> Order:
    """What the options ask for, given the strip's scene; raises `BadInput`."""
    active = bpy.context.view_layer.objects.active
    character = options.object or (active.name if active else "")
    if not character:
        raise BadInput("The shot has no active object. Name the character with --object.")
    folder = options.output.absolute()
    return Order(scene.name, strip, character, folder, _names(options.controls), options.identity)


def _names(text: str) -> tuple[str, ...]:
    try:
        names = json.loads(text) if text else []
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(f'--controls is {text}; write a JSON list of names, such as \'["Open", "Smile"]\'.')
    return tuple(names)
