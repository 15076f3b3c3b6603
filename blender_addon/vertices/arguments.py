# SPDX-License-Identifier: GPL-3.0-or-later
"""How the keeping of a mesh's motion is spelled on the command line and in job files. No bpy."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..errors import BadInput
from .options import Keeping, MeshOptions

DEFAULT = MeshOptions()


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the options."""
    group = parser.add_argument_group("models that move a whole mesh")
    ways = [keeping.value for keeping in Keeping]
    group.add_argument("--keep", choices=ways, default="cache", help="as a point cache, or as shape keys of our own")
    group.add_argument(
        "--caches", default=DEFAULT.folder, metavar="FOLDER", help="of point caches (default: %(default)s)"
    )
    about = "how far shapes may be off, as a share of the mesh's size (default: %(default)s)"
    group.add_argument("--mesh-tolerance", type=float, default=DEFAULT.tolerance, metavar="F", help=about)


def parsed(words: Mapping[str, Any]) -> MeshOptions:
    """The options that words such as ``keep`` mean; what is not there keeps its default.

    Raises `BadInput` where a word's value cannot be meant.
    """
    try:
        keeping = Keeping(words.get("keep", DEFAULT.keeping))
        tolerance = float(words.get("mesh_tolerance", DEFAULT.tolerance))
    except (TypeError, ValueError) as problem:
        raise BadInput(f"The options of a mesh's motion cannot be read: {problem}.") from problem
    if not 0 < tolerance < 1:
        raise BadInput(f"The tolerance of a mesh's motion is {tolerance:g}; choose more than 0 and less than 1.")
    return MeshOptions(keeping, str(words.get("caches", DEFAULT.folder)), tolerance)
