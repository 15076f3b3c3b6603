# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the add-on that run when something is first taken out of them, so that Blender starts no later for them.

``from . import job`` costs nothing until ``job.Job`` is asked for; ``from .job import Job`` runs it at once. What
is imported while Blender starts therefore uses the first form for whatever it needs only later.

`importlib.util.LazyLoader` would do but for Blender's end: there Blender looks into the ``__dict__`` of every module,
and that alone would run them all.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # at run time it would load a dozen of Python's modules
    from importlib.abc import Loader
else:
    Loader = object

_running = threading.RLock()


class _LateModule(ModuleType):
    """A module that has not run; whatever is first looked for in it, and so not found, or put into it makes it run."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (a module's attribute is anything)
        if name.startswith("__"):  # the import system looks what is there
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} yet")
        self._run_once()
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("__"):  # or its own code would put another value in its place later
            self._run_once()
        ModuleType.__setattr__(self, name, value)  # what has run is no longer of this class

    def _run_once(self) -> None:
        with _running:
            if type(self) is _LateModule:
                _run(self)


class _RunningModule(ModuleType):
    """A module on its way: other threads wait for its end; its own, where modules import each other, sees its parts."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        with _running:
            if name in self.__dict__:
                return self.__dict__[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _run(module: ModuleType) -> None:
    loader = cast(ModuleSpec, module.__spec__).loader
    module.__class__ = _RunningModule
    try:
        cast(_LateLoader, loader).loader.exec_module(module)
    except BaseException:
        module.__class__ = _LateModule
        raise
    module.__class__ = ModuleType


class _LateLoader(Loader):
    """Makes modules that another loader runs later."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (what tracebacks and pickles ask a loader)
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module with nothing in it but what the import system puts there."""
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Not yet."""


class _Finder:
    """Finds the modules of one package as Python does, and has them run late."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader and spec.submodule_search_locations is None:
            spec.loader = _LateLoader(spec.loader)
        return spec


def defer(package: str) -> None:
    """From now on modules inside this package (not packages themselves) run late."""
    if not any(isinstance(finder, _Finder) and finder.package == package for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(package))
