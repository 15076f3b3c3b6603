# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal: what a run leaves for people to look at: metrics.jsonl, a picture of the curves, TensorBoard's events."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from . import curves, processes
from .errors import ConfigError

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

METRICS = "metrics.jsonl"
PICTURE = "curves.png"
SECONDS_BETWEEN_PICTURES = 60.0


class Journal:
    """The journal of a run in its folder; the first of several processes keeps it. Close it by leaving `with`."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = False) -> None:
        """Goes on from a step: what a killed run noted later will come again.

        Raises ConfigError when TensorBoard is asked for and missing.
        """
        self._folder = folder
        if processes.is_first() and (folder / METRICS).is_file():
            rows = [row for row in curves.read(folder / METRICS) if row["step"] <= step]
            (folder / METRICS).write_text("".join(map(_line, rows)), encoding="utf-8")
        self._began = self._last_picture = time.monotonic()
        self._events = _events(folder) if tensorboard and processes.is_first() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._draw()
        if self._events is not None:
            self._events.close()

    def write(self, step: int, rate: float, losses: Mapping[str, float], figures: Mapping[str, float]) -> None:
        """Notes the mean losses since the last entry, and the figures of a validation."""
        now = time.monotonic()
        row = {"step": step, "rate": rate, "losses": losses, "figures": figures, "seconds": round(now - self._began, 1)}
        with (self._folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(_line(row))
        if self._events is not None:
            for group in ("losses", "figures"):
                for name, value in row[group].items():
                    self._events.add_scalar(f"{group}/{name}", value, step)
            self._events.add_scalar("rate", rate, step)
            self._events.flush()
        if now - self._last_picture > SECONDS_BETWEEN_PICTURES:
            self._draw()

    def _draw(self) -> None:
        self._last_picture = time.monotonic()
        if processes.is_first() and (self._folder / METRICS).is_file():
            curves.draw(curves.read(self._folder / METRICS), self._folder / PICTURE)


def _line(row: Mapping[str, object]) -> str:
    return json.dumps(row) + "\n"


def _events(folder: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError(
            "TensorBoard is not installed; pip install tensorboard, or leave --tensorboard out."
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))
