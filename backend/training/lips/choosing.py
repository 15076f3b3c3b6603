# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing: of all means of several models, the one that reads watched recordings best.

A mean that leaves out what does not help is better than the mean of all (Wortsman et al. 2022, "Model soups").
There the models are tried one after another; here they are few, so that all means of them are tried.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from backend import checkpoint
from backend.training.averaging import average

from .evaluate import Wanted, evaluate

MOST = 6
"""Models that are chosen among: 63 means, of a few seconds each."""


@dataclass(frozen=True)
class Mean:
    """The mean of some models (of one: the model itself), and its figures on the watched recordings."""

    files: tuple[Path, ...]
    figures: dict[str, float]
    """As of `lips.Score.figures`."""

    @property
    def name(self) -> str:
        """The names of its files."""
        return " + ".join(file.stem for file in self.files)


def choose(files: Sequence[Path], watched: Path, output: Path) -> list[Mean]:
    """Writes that mean of one or more of the files whose worst figure is best, and returns all means, the best first.

    Every mean is written and measured as artists get it; nothing is left beside `output`. Raises ConfigError where the
    models are not built alike, CheckpointError, and CorpusError for a folder without recordings.
    """
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        written = {mean: Path(folder) / f"{number}{output.suffix}" for number, mean in enumerate(_groups(files))}
        means = [_measured(group, file, watched) for group, file in written.items()]
        means.sort(key=lambda mean: sorted(margins(mean.figures).values()), reverse=True)
        shutil.copyfile(written[means[0].files], output)
    return means


def margins(figures: dict[str, float]) -> dict[str, float]:
    """How far each figure is beyond what is aimed at, in units of how much it moves by chance; below 0 it falls short.

    Over nine recordings with 26 closures F1 moves by 0.05 from step to step, the jaw and silence by 0.02
    (docs/default_model.md).
    """
    return {
        "f1": (figures["f1"] - 0.65) / 0.05,
        "best_f1": (0.05 - (figures["best_f1"] - figures["f1"])) / 0.05,
        "vowel_jaw": (figures["vowel_jaw"] - 0.62) / 0.02,
        "aperture": (figures["aperture"] - 0.75) / 0.02,
        "lag_ms": (20 - abs(figures["lag_ms"])) / 20,
        "silence_p95": (0.10 - figures["silence_p95"]) / 0.02,
    }


def table(means: Sequence[Mean]) -> str:
    """Means and what they are chosen by as a markdown table."""
    columns = list(margins(means[0].figures))
    head = ["| mean of | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    rows = [
        f"| {mean.name} | " + " | ".join(f"{mean.figures[column]:.4g}" for column in columns) + " |" for mean in means
    ]
    return "\n".join(head + rows)


def _groups(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    for count in range(1, len(files) + 1):
        yield from combinations(files, count)


def _measured(group: tuple[Path, ...], file: Path, watched: Path) -> Mean:
    if len(group) == 1:
        shutil.copyfile(group[0], file)
    else:
        average(group, file)
    return Mean(group, evaluate(checkpoint.load(file), Wanted((watched,)))[str(watched)])
