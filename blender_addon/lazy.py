# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the add-on that run when something is first taken out of them, so that Blender starts no later for them.

``from . import job`` costs nothing until ``job.Choice`` is asked for; ``from .job import Choice`` runs it at once. What
is imported while Blender starts therefore uses the first form for whatever it needs only later.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _Finder(MetaPathFinder):
    """Finds the modules of one package, as Python does, and has them run late."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader and spec.submodule_search_locations is None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def defer(package: str) -> None:
    """From now on modules inside this package (not packages themselves) run late."""
    if not any(isinstance(finder, _Finder) and finder.package == package for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(package))
