# SPDX-License-Identifier: GPL-3.0-or-later
"""What the training commands offer for DiffusionTalker: options, and what they answer. `commands` calls this."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from backend.training.errors import ConfigError


def train(device: str, args: argparse.Namespace, table: dict[str, Any], path: Path) -> str:
    """Runs a config of a teacher, given as the plain values of its file."""
    from backend import catalogue, checkpoint
    from backend.training import config
    from backend.training.motion import motion_set

    from . import train
    from .config import DiffusionConfig

    settings = config.parse(DiffusionConfig, table, path)
    if args.watch is not None or args.new_decoder or args.space is not None or args.mesh or args.face:
        raise ConfigError(
            f"{path} trains a diffusion model: leave --watch, --space, --mesh, --face, --new-decoder out."
        )
    begin = None if args.begin is None else checkpoint.load(catalogue.find_or_open(str(args.begin)))
    sources = train.Sources(motion_set.read(args.data), begin)
    best = train.train(settings, sources, args.run, args.output, device=device, tensorboard=args.tensorboard)
    return f"the best weights are in {best}" if args.output is None else f"the model is in {args.output}"


def add_distill_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `distill TEACHER`."""
    parser.add_argument("teacher", type=Path, metavar="TEACHER", help="model file that `train` made")
    parser.add_argument("--config", default="diffusion", help="a name in backend/configs or a toml file")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PREPARED", help="as for the teacher")
    parser.add_argument("--run", type=Path, required=True, help="folder of all stages; a run there goes on")
    parser.add_argument("--output", type=Path, help="model file of the last student")
    parser.add_argument("--set", action="append", default=[], metavar="ENTRY=VALUE", help="change a config entry")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to train")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = torch decides")


def distill(device: str, args: argparse.Namespace, table: dict[str, Any], path: Path) -> str:
    """Runs the chain of students of a config; answers with a table of all of them."""
    from backend.training import config
    from backend.training.motion import motion_set

    from . import distill, stages, talker_model
    from .config import DiffusionConfig

    settings = config.parse(DiffusionConfig, table, path)
    teacher = talker_model.of_file(args.teacher)
    args.run.mkdir(parents=True, exist_ok=True)
    rows = distill.distill(settings, teacher, motion_set.read(args.data), args.run, args.output, device=device)
    return stages.table(rows)
