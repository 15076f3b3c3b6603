# SPDX-License-Identifier: GPL-3.0-or-later
"""Enables this checkout as the extension it is, under its true name, in a Blender that knows nothing of it.

Blender finds extensions in repositories (folders of extension folders). A temporary repository with a link to the
checkout gives the add-on the same package name and imports as an installed zip.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import addon_utils
import bpy

REPOSITORY = "checkout"
PACKAGE = f"bl_ext.{REPOSITORY}.mouthpiece"


@contextlib.contextmanager
def enabled(checkout: Path) -> Iterator[str]:
    """The extension of a checkout in a repository that lasts as long as the context; gives the package's name."""
    with tempfile.TemporaryDirectory() as folder:
        package = enable(checkout, Path(folder))
        try:
            yield package
        finally:
            disable()


def enable(checkout: Path, folder: Path) -> str:
    """Link `checkout` into a repository at `folder`, enable it, and give the package's name."""
    _link(checkout, folder)
    _enable()
    return PACKAGE


def _link(checkout: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "mouthpiece"
    if not link.exists():
        link.symlink_to(checkout, target_is_directory=True)
    repositories = bpy.context.preferences.extensions.repos
    if REPOSITORY not in {repository.module for repository in repositories}:
        repositories.new(name=REPOSITORY, module=REPOSITORY, custom_directory=str(folder))


def _enable() -> None:
    errors: list[str] = []
    enabled = addon_utils.enable(PACKAGE, default_set=True, handle_error=lambda error: errors.append(str(error)))
    if enabled is None:
        raise RuntimeError(f"the extension does not start: {'; '.join(errors) or 'see the messages above'}")


def disable() -> None:
    """Unregister everything; Blender's module crashes or hangs at exit when classes are left registered."""
    addon_utils.disable(PACKAGE, default_set=True)
