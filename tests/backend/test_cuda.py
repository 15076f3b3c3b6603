# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded passes on a real graphics card; `test_replay` holds all of them that a processor can show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, device, pipeline, planning, precision, replay
from backend.bench import cuda, subjects
from backend.cuda_graph import Recorder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """UniTalker-B at full size with random weights."""
    path = tmp_path_factory.mktemp("cuda") / "unitalker-b.safetensors"
    subjects.write("unitalker-b", path)
    return path


@pytest.mark.parametrize("batch", [1, replay.AT_ONCE])
@pytest.mark.parametrize("kind", ["fp32", "tf32", "bf16", "fp16"])
def test_recorded_passes_say_what_the_model_says(path: Path, kind: precision.Precision, batch: int) -> None:
    loaded = precision.ready(checkpoint.load(path), "cuda", kind)
    assert loaded.precision == kind and loaded.replays is not None
    space = next(iter(loaded.spaces.values()))
    samples = np.stack([subjects.babble(8.3) * np.float32(gain) for gain in np.linspace(0.5, 1.5, batch)])
    frames = round(8.3 * space.fps)
    answers = [loaded.replays.predict(samples, space.name, frames, None) for _ in range(3)]
    plain = checkpoint.load(path).unitalker()
    wanted = plain.predict(torch.from_numpy(samples), space.name, frames).numpy()
    most = (1e-4 if kind == "fp32" else 0.01) * (wanted.max() - wanted.min())
    assert answers[0] is None
    for found in answers[1:]:
        assert found is not None, "it was not recorded, or found to be wrong; the log says which"
        np.testing.assert_allclose(found, wanted, atol=most, rtol=0)


def test_a_long_sound_is_the_same_with_and_without_recordings(path: Path) -> None:
    loaded = precision.ready(checkpoint.load(path), "cuda", "fp32")
    planned = planning.plan(loaded, planning.Request())
    samples = subjects.babble(430)
    once, again = (
        np.concatenate([chunk.values for chunk in pipeline.generate(loaded, samples, planned)]) for _ in range(2)
    )
    np.testing.assert_allclose(again, once, atol=1e-4 * np.ptp(once), rtol=0)


def test_the_device_goes_on_after_work_that_cannot_be_recorded() -> None:
    record, usual = Recorder(), torch.cuda.current_stream()
    tensor = torch.ones(5, device="cuda")
    with pytest.raises(RuntimeError):
        record(lambda: tensor * float(tensor.sum()))
    assert torch.cuda.current_stream() == usual
    again = record(lambda: tensor * 2)
    tensor.fill_(3)
    assert again().tolist() == [6.0] * 5


def test_memory_of_recordings_is_given_back(path: Path) -> None:
    loaded = precision.ready(checkpoint.load(path), "cuda", "auto")
    space = next(iter(loaded.spaces.values()))
    before = torch.cuda.memory_allocated()
    for _ in range(2):
        loaded.replays.predict(subjects.babble(9)[None], space.name, round(9 * space.fps), None)
    assert torch.cuda.memory_allocated() > before
    loaded.replays.forget()
    device.release("cuda")
    assert torch.cuda.memory_allocated() < before + 1e6


def test_the_bench_runs(path: Path) -> None:
    found = cuda.figures("UniTalker-B", path, "cuda", runs=1)
    assert all(figure.value is not None and np.isfinite(figure.value) for figure in found)
    assert all(figure.holds for figure in found if "largest error" in figure.name)
