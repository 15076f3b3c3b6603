# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run goes: half precision, patience, NaN, devices, and what it leaves for people to look at."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_sets
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_motion_step import clips, small_task

from backend.__main__ import main
from backend.training import curves, loop
from backend.training.journal import METRICS, PICTURE
from backend.training.motion import train as motion_train
from backend.training.motion.regression import collate
from backend.training.run import BEST, STATE

SIZES = ("model.encoder.width=16", "model.encoder.blocks=1", "model.encoder.bands=20", "model.decoder_dimension=16")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    return toy_sets.prepare("unitalker", toy_sets.faces(folder / "T0"), folder / "out")


def train(data: Path, folder: Path, *changes: str, options: tuple[str, ...] = ()) -> int:
    settings = [word for change in (*SIZES, *changes) for word in ("--set", change)]
    named = ["--data", str(data), "--run", str(folder), "--threads", "1"]
    return main(["train", "--config", "unitalker_tiny", *named, *settings, *options])


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / METRICS).read_text(encoding="utf-8").splitlines()]


# --- half precision ---


def both_precisions(prepared: Path, folder: Path) -> tuple[list[dict], list[dict]]:
    """What a run in float32 and the same one in half precision write down."""
    plan = ("schedule.epochs=9", "schedule.validate_every=3", "schedule.rate=0.01", "sampling.batch=2")
    for name, half in (("full", "false"), ("half", "true")):
        assert train(prepared, folder / name, *plan, f"schedule.half_precision={half}") == 0
    return rows(folder / "full"), rows(folder / "half")


def test_half_precision_learns_nearly_the_same(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "has_native_bf16", lambda device: True)
    full, half = both_precisions(prepared, tmp_path)
    assert [row["losses"] for row in full] != [row["losses"] for row in half]
    for one, other in zip(full, half, strict=True):
        assert other["losses"] == pytest.approx(one["losses"], rel=0.1)
    assert half[-1]["figures"]["score"] == pytest.approx(full[-1]["figures"]["score"], abs=0.02)


def test_a_device_that_only_imitates_half_precision_computes_in_float32(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "has_native_bf16", lambda device: False)
    full, half = both_precisions(prepared, tmp_path)
    assert [row["losses"] for row in full] == [row["losses"] for row in half]


@pytest.mark.parametrize("encoder", ["mel", "wavlm"])
def test_bases_targets_and_losses_keep_all_digits(encoder: str) -> None:
    task, batch = small_task(encoder), collate("mesh", clips(6), [0, 1, 3])
    with torch.autocast("cpu", torch.bfloat16):
        losses = task.step(batch)
        prediction = task.model(batch.audio, "mesh", 25, batch.identity, batch.template, batch.lengths)
        wanted = task.model.encode(batch.values, "mesh", batch.template)
    assert prediction.coefficients.dtype == torch.bfloat16
    basis = task.model.heads["mesh"].basis
    exact = prediction.coefficients.double() @ basis.components.double() + basis.mean + batch.template
    torch.testing.assert_close(prediction.values.double(), exact, rtol=1e-5, atol=1e-5)
    assert torch.equal(wanted, task.model.encode(batch.values, "mesh", batch.template))
    assert {loss.dtype for loss in losses.values()} == {torch.float32}


# --- the end of a run ---


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit how large a file of a process may grow")
def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import resource

    plan = ("schedule.epochs=2", "schedule.validate_every=1", "sampling.batch=2")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, hard))
    try:
        assert train(prepared, tmp_path / "run", *plan) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: Step ") and "cannot be written" in last and last.endswith("run the same again.")
    assert not list((tmp_path / "run").glob("*partial*")) and not (tmp_path / "run" / STATE).exists()
    assert train(prepared, tmp_path / "run", *plan) == 0


def test_a_run_ends_when_its_patience_is_over_and_stays_ended(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.1, 0.3, 0.2, 0.3, 0.25, 0.9, 0.9])
    monkeypatch.setattr(motion_train, "figures_of", lambda *_: {"score": next(scores)})
    for _ in range(2):
        assert train(prepared, tmp_path, "schedule.epochs=7", "schedule.patience=3") == 0
        assert [row["figures"]["score"] for row in rows(tmp_path)] == [0.1, 0.3, 0.2, 0.3, 0.25]


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_good_state(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = loop._learn_from

    def broken(current, piece):
        losses = step(current, piece)
        return losses | {"total": losses["total"] * (float("nan") if current.step == 5 else 1)}

    monkeypatch.setattr(loop, "_learn_from", broken)
    assert train(prepared, tmp_path, "schedule.epochs=4", "sampling.batch=3") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "error: At step 5 the loss or the weights became NaN or infinite in a batch of clips of T0; "
    )
    assert f"the state of step 4 is kept in {tmp_path}." in said
    assert [row["step"] for row in rows(tmp_path)] == [2, 4]
    for name in (STATE, BEST):
        assert all(torch.isfinite(value).all() for value in load_file(tmp_path / name).values())


def test_weights_that_are_no_numbers_do_not_replace_good_ones(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first step of an endless rate is finite in its loss and not in its weights."""
    assert train(prepared, tmp_path, "schedule.epochs=1", "schedule.rate=inf", "sampling.batch=8") == 1
    assert "the weights became NaN or infinite in a batch of clips of T0; nothing was saved" in capsys.readouterr().err
    assert not (tmp_path / STATE).exists()


# --- devices ---


@pytest.mark.parametrize("encoder", ["mel", "wavlm"])
@pytest.mark.parametrize(("space", "dim"), [("mesh", 6), ("sliders", 3)])
def test_a_step_computes_where_the_model_is(
    encoder: str, space: str, dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device without memory refuses tensors of another one, as a graphics card does."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # not known on this device
    task, meta = small_task(encoder), torch.device("meta")
    task.model.to(meta)
    losses = task.step(collate(space, clips(dim), [0, 1, 3]).to(meta))
    torch.stack(list(losses.values())).sum().backward()
    assert {parameter.grad.device for parameter in task.model.parameters() if parameter.grad is not None} == {meta}


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without CUDA")
def test_a_device_that_is_not_there_is_one_sentence(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(prepared, tmp_path, options=("--device", "cuda")) == 2
    assert "error: This machine's torch has no cuda" in capsys.readouterr().err


# --- what people look at ---


def test_the_curves_are_drawn_and_sent_to_tensorboard(prepared: Path, tmp_path: Path) -> None:
    assert train(prepared, tmp_path, "schedule.epochs=3", options=("--tensorboard",)) == 0
    picture = (tmp_path / PICTURE).read_bytes()
    assert picture.startswith(b"\x89PNG")
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    found = [(event.step, event.value) for event in events.Scalars("losses/motion")]
    written = [(row["step"], row["losses"]["motion"]) for row in rows(tmp_path)]
    np.testing.assert_allclose(found, written, rtol=1e-6)
    assert {"rate", "figures/T0 unexplained"} <= set(events.Tags()["scalars"])


def test_tensorboard_that_is_missing_is_one_sentence(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert train(prepared, tmp_path, options=("--tensorboard",)) == 2
    assert "error: TensorBoard is not installed; pip install" in capsys.readouterr().err
    assert not (tmp_path / METRICS).exists()


def test_what_a_killed_run_noted_behind_its_state_comes_once(prepared: Path, tmp_path: Path) -> None:
    assert train(prepared, tmp_path, "schedule.epochs=2") == 0
    before = rows(tmp_path)
    with (tmp_path / METRICS).open("a") as file:
        file.write(json.dumps({**before[-1], "step": 99}) + '\n{"step": 1')
    assert train(prepared, tmp_path, "schedule.epochs=2") == 0
    assert rows(tmp_path) == before


def test_a_half_written_last_line_does_not_spoil_the_picture(tmp_path: Path) -> None:
    row = {"step": 5, "losses": {"motion": 0.5}, "figures": {"T0 unexplained": 0.9, "score": -0.9}}
    (tmp_path / METRICS).write_text(f"{json.dumps(row)}\n{{'step': ")
    assert curves.read(tmp_path / METRICS) == [row]
    curves.draw([row], tmp_path / PICTURE)
    assert (tmp_path / PICTURE).stat().st_size > 1000
