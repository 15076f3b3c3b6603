# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints in miniature, converted once per test run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.checkpoint import LoadedModel, load
from backend.foreign.convert import convert

GOLDEN = Path(__file__).parents[1] / "data" / "golden"

torch.set_num_threads(1)


@dataclass(frozen=True)
class Case:
    """One golden layout."""

    loaded: LoadedModel
    config: dict
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def golden_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Golden layouts by name, through `convert` from their ``checkpoint.pt`` and loaded again."""

    @cache
    def case(name: str) -> Case:
        folder = GOLDEN / name
        pca = folder / "pca"
        output = tmp_path_factory.mktemp(name) / "model.safetensors"
        convert(folder / "checkpoint.pt", output, config=folder / "config.json", pca=pca if pca.exists() else None)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        arrays = (dict(np.load(folder / f"{part}.npz")) for part in ("inputs", "expected"))
        return Case(load(output), config, *arrays)

    return case
