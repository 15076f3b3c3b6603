# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker-B and -L at their real sizes: converted and run without holding the weights twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.foreign import official
from backend.foreign.convert import official_shapes
from backend.models.speech_config import WAV2VEC2_XLSR_53, WAVLM_BASE_PLUS, SpeechEncoderConfig
from backend.models.unitalker import UniTalker

ROOT = Path(__file__).parents[2]

# processes of their own, whose peaks are nobody else's; what the imports take is not counted
PEAK = """
import re, sys
from pathlib import Path
import torch
from backend.checkpoint import load
from backend.foreign.convert import convert
from backend.models import speech_encoder

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = peak()
"""
CONVERT = "print(convert(Path(sys.argv[1]), Path(sys.argv[2]), pca=Path(sys.argv[3])).title)"
RUN = """
model = load(Path(sys.argv[2])).model
print([model.predict(torch.randn(1, 80000), name, 150).shape[2] for name in model.heads])
"""


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder that is emptied again: pytest keeps its own, and these files take 3 GB."""
    folder = tmp_path / "roomy"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its peak of memory")
@pytest.mark.parametrize(("encoder", "title"), [(WAVLM_BASE_PLUS, "UniTalker-B"), (WAV2VEC2_XLSR_53, "UniTalker-L")])
def test_released_sizes_fit_into_one_and_a_half_times_their_weights(
    encoder: SpeechEncoderConfig, title: str, roomy: Path
) -> None:
    write_checkpoint(encoder, roomy / "checkpoint.pt")
    write_bases(roomy / "pca")
    output = roomy / "model.safetensors"
    arguments = [str(path) for path in (roomy / "checkpoint.pt", output, roomy / "pca")]
    said, converting = measured(CONVERT, arguments)
    assert said == title
    said, running = measured(RUN, arguments)
    assert said == "[51, 52, 413, 18516, 15069, 70110]"
    assert converting < 1.5 * output.stat().st_size
    assert running < 1.5 * output.stat().st_size


def measured(script: str, arguments: list[str]) -> tuple[str, int]:
    """What a script prints, and the bytes that it needed at most."""
    whole = f"{PEAK}{script}\nprint(peak() - before)"
    command = [sys.executable, "-c", whole, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, peak = done.stdout.splitlines()
    return said, int(peak)


def write_checkpoint(encoder: SpeechEncoderConfig, path: Path) -> None:
    heads = {
        f"out_head_dict.{name}.weight": (512 if facts.pca else facts.dim, 256)
        for name, facts in official.ANNOTATIONS.items()
    }
    layout = official.Layout(encoder, "conv", 256, 935, 1, 512, 1, 30, official.ANNOTATIONS, official.DATA_SETS)
    with torch.device("meta"):
        model = UniTalker(official.unitalker_config(layout, heads, ()))
    shapes = {name: shape for name, shape in official_shapes(model).items() if not name.startswith("pca_layer_dict.")}
    torch.save({name: torch.randn(shape) * 0.02 for name, shape in shapes.items()}, path)


def write_bases(folder: Path) -> None:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name, facts in official.ANNOTATIONS.items():
        if facts.pca:
            rows = generator.standard_normal((512, facts.dim), np.float32)
            mean = np.zeros(facts.dim, np.float32)
            np.savez(folder / f"{name}.npz", components_to_data=rows, original_data_mean=mean)
