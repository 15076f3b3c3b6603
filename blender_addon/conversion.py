# SPDX-License-Identifier: GPL-3.0-or-later
"""The one conversion of an official checkpoint into a model file, in a process of the backend's Python. No bpy.

The file is made in a folder of its own beside its place and moved there when it is whole, so that a cancel at any
moment leaves nothing behind.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import environment
from .errand import CommandFailed, Errand
from .errors import BadInput, MouthpieceError

STAGE = re.compile(r"(\d+)/(\d+) (.+)")
"""How the backend says what it begins: ``2/3 Checking its tensors``."""
FIELDS = {"--config": "Layout", "--pca": "PCA Folder", "--templates": "Templates"}
"""What the command line's options are called in the dialog."""


@dataclass(frozen=True)
class Order:
    """What is to be converted, and into what."""

    checkpoint: Path
    output: Path
    config: Path | None = None
    pca: Path | None = None
    templates: Path | None = None

    def check(self) -> None:
        """Raise `BadInput` where it cannot be carried out."""
        named = (self.checkpoint, self.config, self.pca, self.templates)
        if gone := next((path for path in named if path and not path.exists()), None):
            raise BadInput(f"“{gone}” is not there. Choose another file or folder.")
        if self.output.exists():
            raise BadInput(f"There is a model named “{self.output.stem}” already. Choose another name.")

    def words(self, output: Path) -> tuple[str, ...]:
        """The command for the backend that writes `output`."""
        options = (("--config", self.config), ("--pca", self.pca), ("--templates", self.templates))
        given = [word for option, path in options if path for word in (option, str(path))]
        return ("convert", str(self.checkpoint), "--output", str(output), *given)


class Conversion:
    """What goes on and what came of it; the preferences page reads its attributes."""

    def __init__(self) -> None:
        self.stage = ""
        """What is done just now."""
        self.fraction = 0.0
        self.failure: MouthpieceError | None = None
        """Why the last one failed."""
        self.made: Path | None = None
        """What the last one has made."""
        self.busy = False
        """Whether one goes on; `step` has to be called until none does."""
        self._errand = Errand()

    def begin(self, order: Order, python: Path, extension: Path, log: Path) -> None:
        """Begin one; raises `BadInput`, and nothing has begun."""
        order.check()
        self.stage, self.fraction, self.failure, self.made = "Starting", 0.0, None, None
        self.busy = True
        self._errand.start(lambda: self._run(order, python, extension, log))

    def cancel(self) -> None:
        """Stop what goes on; nothing is left of it."""
        self._errand.cancel()

    def step(self) -> bool:
        """Look after it; True when it is over."""
        if self._errand.is_running:
            return False
        self._errand.end()
        self.busy = False
        return True

    def _run(self, order: Order, python: Path, extension: Path, log: Path) -> None:
        """The thread: nothing here touches more than this object's attributes and files."""
        try:
            order.output.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".converting-", dir=order.output.parent) as scratch:
                self._convert(order, python, extension, log, Path(scratch))
            self.made = order.output
        except MouthpieceError as problem:
            self.failure = problem
        except OSError as problem:
            self.failure = MouthpieceError(f"The model could not be written: {problem}.")

    def _convert(self, order: Order, python: Path, extension: Path, log: Path, scratch: Path) -> None:
        output = scratch / order.output.name
        command = environment.backend_command(python, extension, *order.words(output))
        try:
            self._errand.run(command, scratch, log, self._listen)
        except CommandFailed as failure:
            raise _explained(failure.lines) from failure
        shutil.move(output, order.output)

    def _listen(self, line: str) -> None:
        if stage := STAGE.fullmatch(line):
            number, count, self.stage = int(stage[1]), int(stage[2]), stage[3]
            self.fraction = (number - 1) / count


def _explained(lines: Sequence[str]) -> MouthpieceError:
    """Why it failed, from the last lines that it has printed."""
    told = next((line for line in reversed(lines) if line.startswith("error: ")), "")
    if not told:
        return MouthpieceError("The checkpoint could not be converted. The log has the details.")
    for option, field in FIELDS.items():
        told = told.replace(option, field)
    return BadInput(told.removeprefix("error: "))


current = Conversion()
"""The conversion of this Blender."""
