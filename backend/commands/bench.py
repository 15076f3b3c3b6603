# SPDX-License-Identifier: GPL-3.0-or-later
"""``bench``: seconds, memory and ratios on this machine, as a table or JSON, and beside an earlier run."""

from __future__ import annotations

import os
import platform
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from . import terminal
from .terminal import RunFailed

if TYPE_CHECKING:
    from backend.bench.figures import Figure
    from backend.bench.subjects import Subject

PARTS = ("default", "diffusion", "unitalker-b", "unitalker-l", "cuda", "start", "training", "blender")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", default=PARTS, choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--model", metavar="NAME|FILE", help="measure this model's seconds and memory, and nothing else"
    )
    terminal.add_model_folders(parser)
    parser.add_argument(
        "--long",
        action="store_true",
        help="ten minutes of sound, and CUDA, with UniTalker-L too: minutes more, 3 GB",
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="medians of so many (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="what an earlier run printed with --json")


def run(arguments: Namespace) -> int:
    """Measure what was named and print it."""
    from backend import catalogue, checkpoint
    from backend.bench import figures

    with terminal.bad_input(figures.BenchError):
        earlier = None if arguments.compare is None else figures.read(arguments.compare)
    with terminal.bad_input(catalogue.CatalogueError, checkpoint.CheckpointError):
        try:
            found = _one_model(arguments) if arguments.model else _parts(arguments)
        except figures.BenchError as error:
            raise RunFailed(str(error)) from error
    if arguments.json:
        terminal.say(figures.as_json(found, _machine()))
        return 0
    terminal.say(", ".join(f"{name} {value}" for name, value in _machine().items()) + "\n")
    for line in figures.table(found, earlier):
        terminal.say(line)
    return 0


def _one_model(arguments: Namespace) -> list[Figure]:
    from backend import catalogue
    from backend.bench import cuda, runs

    path, lengths = catalogue.find_or_open(arguments.model, arguments.models).resolve(), (10, runs.LONG, runs.LONGEST)
    with tempfile.TemporaryDirectory() as folder:
        devices = ("cpu", "cuda") if cuda.is_there() else ("cpu",)
        return [found for where in devices for found in runs.figures(path.stem, path, lengths, Path(folder), where)]


def _parts(arguments: Namespace) -> list[Figure]:
    """Every part that was named, one after the other; files of models live as long as it takes."""
    found: list[Figure] = []
    for part in PARTS:
        if part in arguments.only:
            terminal.note(f"{part} …")
            with tempfile.TemporaryDirectory() as folder:
                found += _part(part, Path(folder), arguments.runs, arguments.long)
    return found


def _part(part: str, folder: Path, count: int, is_long: bool) -> list[Figure]:
    from backend.bench import blender, runs, subjects

    if part == "start":
        return [runs.start_to_ready(count)]
    if part == "training":
        return _training(folder)
    if part == "blender":
        return blender.measured(folder)
    if part == "cuda":
        return [figure for each in _on_cards(is_long) for figure in _on_card(each, folder, count)]
    subject = next(each for each in subjects.SUBJECTS if each.name == part)
    path = runs.model_file(subject, folder)
    lengths = (10, runs.LONG) if part == "unitalker-l" and not is_long else (10, runs.LONG, runs.LONGEST)
    found = runs.figures(subject.title, path, lengths, folder)

    from backend import machine
    from backend.bench import ratios  # imports torch, which no child should be started behind

    machine.suit_machine()  # as in every process that runs models
    if subject.is_big:
        return found + ratios.big_model(subject.title, path, count)
    if part == "default":
        return found + ratios.small_model(path, count)
    return found + ratios.diffusion(path, runs.SHIPPED / "default.safetensors", count)


def _on_cards(is_long: bool) -> list[Subject]:
    """What is measured on a graphics card."""
    from backend.bench import subjects

    return [each for each in subjects.SUBJECTS if each.is_big][: None if is_long else 1]


def _on_card(subject: Subject, folder: Path, count: int) -> list[Figure]:
    from backend.bench import cuda, runs

    if not cuda.is_there():
        return [cuda.not_run(subject.title)]
    path = runs.model_file(subject, folder)
    whole = runs.figures(subject.title, path, (10, runs.LONG, runs.LONGEST), folder, "cuda")
    return whole + cuda.figures(subject.title, path, "cuda", count)


def _training(folder: Path) -> list[Figure]:
    from backend.bench.figures import Figure
    from backend.training.motion import pace

    found = pace.measure(folder)
    batches = f"batches of {pace.BATCH} clips of {pace.SHORTEST:g} to {pace.LONGEST:g} s"
    return [
        Figure(f"Training of {found.config}: clips per second, {batches}", found.in_batches, "/s"),
        Figure(f"Training of {found.config}: {batches} / one by one", found.ratio, "x"),
    ]


def _machine() -> dict[str, str | int]:
    import torch
    from backend.bench import cuda

    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "card": torch.cuda.get_device_name() if cuda.is_there() else "none",
    }
