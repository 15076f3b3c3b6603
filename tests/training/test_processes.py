# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real processes that torchrun starts learn what one learns from batches of twice the size."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_sets
from safetensors.torch import load_file
from training_commands import TINY, metrics, settings

from backend.__main__ import main
from backend.training.motion import motion_set
from backend.training.motion.batches import MotionBatches
from backend.training.motion.config import SamplingConfig
from backend.training.run import BEST, STATE

ROOT = Path(__file__).parents[2]
PLAN = ("schedule.epochs=4", "schedule.decoder_epochs=1", "schedule.largest_gradient=0.05")
ROWS = {"T0/0": 0, "T0/1": 1, "hero/hero": 2}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips of vertices and ten of sliders: the last batch of eight has fewer clips than the others."""
    return toy_sets.faces_and_rig(tmp_path_factory.mktemp("sets"))


def words(data: Path, folder: Path, *changes: str) -> list[str]:
    named = ["--data", str(data), "--run", str(folder), "--output", str(folder / "model.safetensors")]
    return [
        "train",
        "--config",
        "unitalker_tiny",
        *named,
        "--device",
        "cpu",
        "--threads",
        "1",
        *settings(*TINY, *PLAN, *changes),
    ]


def alone(data: Path, folder: Path, *changes: str) -> Path:
    assert main(words(data, folder, *changes)) == 0
    return folder


def together(data: Path, folder: Path, *changes: str) -> subprocess.Popen[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*torchrun, "-m", "backend", "--", *words(data, folder, *changes)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)


def numbers(folder: Path) -> list[dict[str, float]]:
    return [{"step": row["step"], "rate": row["rate"], **row["losses"], **row["figures"]} for row in metrics(folder)]


def require_same_learning(one: Path, other: Path) -> None:
    for first, second in zip(numbers(one), numbers(other), strict=True):
        assert first == pytest.approx(second, rel=1e-4)
    weights = load_file(other / BEST)
    for name, value in load_file(one / BEST).items():
        torch.testing.assert_close(value, weights[name], atol=1e-5, rtol=1e-3, msg=name)


def test_two_processes_learn_as_one_with_the_doubled_batch(prepared: Path, tmp_path: Path) -> None:
    started = together(prepared, tmp_path / "two", "sampling.batch=4")
    one = alone(prepared, tmp_path / "one", "sampling.batch=8")
    said, log = started.communicate()
    assert started.returncode == 0, log
    assert said.splitlines() == [f"the model is in {tmp_path / 'two' / 'model.safetensors'}"]
    require_same_learning(one, tmp_path / "two")


def test_one_process_may_not_go_on_with_the_run_of_two(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("backend.training.processes.count", lambda: 2)
        patch.setattr("backend.training.processes.add_up", lambda tensors: None)
        patch.setattr("backend.training.processes.add_up_gradients", lambda parameters: None)
        patch.setattr("backend.training.processes.as_first", lambda value, device: value)
        patch.setattr("backend.training.processes.require_same", lambda value, device, sentence: None)
        alone(prepared, tmp_path)
    assert main(words(prepared, tmp_path)) == 2
    assert "holds a run with another config (processes was 2, is 1" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_that_are_killed_go_on_with_the_same_curve(prepared: Path, tmp_path: Path) -> None:
    plan = ("sampling.batch=4", "schedule.epochs=30", "schedule.validate_every=3")
    killed = together(prepared, tmp_path / "killed", *plan)
    while not (tmp_path / "killed" / STATE).is_file():
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.02)
    killed.terminate()  # torchrun hands it on to both
    killed.communicate()
    assert len(numbers(tmp_path / "killed")) < 10
    for folder in ("killed", "whole"):
        going_on = together(prepared, tmp_path / folder, *plan)
        _, log = going_on.communicate()
        assert going_on.returncode == 0, log
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")
    one, other = (load_file(tmp_path / folder / BEST) for folder in ("killed", "whole"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


# --- pieces ---


def test_collected_batches_learn_as_one_batch_of_all(prepared: Path, tmp_path: Path) -> None:
    one = alone(prepared, tmp_path / "one", "sampling.batch=6")
    collected = alone(prepared, tmp_path / "collected", "sampling.batch=2", "schedule.accumulate=3")
    require_same_learning(one, collected)


def test_the_pieces_of_a_step_are_its_batch(prepared: Path) -> None:
    sets = motion_set.read([prepared])
    whole = MotionBatches(sets, ROWS, SamplingConfig(batch=8, pivot=0.5), seed=1)
    cut = MotionBatches(sets, ROWS, SamplingConfig(batch=2, pivot=0.5), seed=1, cuts=4)
    assert cut.steps_per_epoch == whole.steps_per_epoch == 3
    for step in range(6):
        (piece,), pieces = whole.pieces(step), cut.pieces(step, range(4))
        assert sum(each.share for each in pieces) == pytest.approx(1)
        assert all(len(each.batch.audio) <= 2 for each in pieces)
        identity = torch.cat([each.batch.identity for each in pieces])
        assert torch.equal(identity, piece.batch.identity)
        lengths = np.concatenate([each.batch.lengths.samples for each in pieces])
        np.testing.assert_array_equal(lengths, piece.batch.lengths.samples)


def test_a_process_without_a_clip_computes_one_that_counts_nothing(prepared: Path) -> None:
    batches = MotionBatches(motion_set.read([prepared]), ROWS, SamplingConfig(batch=1), seed=1, cuts=8)
    steps = range(batches.steps_per_epoch)
    last = next(step for step in steps if len(batches.pieces(step, range(8))) < 8)
    (idle,) = batches.pieces(last, [7])
    assert idle.share == 0
    assert len(idle.batch.audio) == 1
    assert idle.batch.space == batches.pieces(last, [0])[0].batch.space
