# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on annotated motion of two FaceSpaces, through the commands: prepare, train, resume, begin from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_sets
from safetensors.torch import load_file
from training_commands import TINY, metrics, run, settings

from backend import checkpoint
from backend.training import run as run_state
from backend.training.errors import ConfigError, CorpusError
from backend.training.motion import motion_set
from backend.training.motion.batches import MotionBatches
from backend.training.motion.config import SamplingConfig
from backend.training.motion.regression import MotionBatch

SHORT = ("schedule.epochs=4", "schedule.decoder_epochs=2", "schedule.validate_every=2")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    run("prepare", "--layout", "unitalker", toy_sets.faces(folder / "T0"), "--output", folder / "out")
    run("prepare", "--layout", "clips", toy_sets.rig(folder / "hero"), "--output", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run and its model."""
    folder = tmp_path_factory.mktemp("trained")
    train(prepared, folder, "schedule.epochs=30", "schedule.rate=0.01", output=folder / "tiny.safetensors")
    return folder


def train(
    data: Path, folder: Path, *changes: str, config: str = "unitalker_tiny", output: Path | None = None, options=()
) -> Path:
    sizes = TINY if config == "unitalker_tiny" else ()
    written = [] if output is None else ["--output", output]
    run(
        "train",
        "--config",
        config,
        "--data",
        data,
        "--run",
        folder,
        "--threads",
        1,
        *settings(*sizes, *changes),
        *written,
        *options,
    )
    return folder


def same_curves(one: Path, other: Path) -> bool:
    curves = [[(row["step"], row["losses"], row["figures"]) for row in metrics(folder)] for folder in (one, other)]
    return curves[0] == curves[1]


# --- one run ---


def test_a_run_learns_both_spaces(prepared: Path, trained: Path):
    rows = metrics(trained)
    assert rows[-1]["losses"]["motion"] < 0.3 * rows[0]["losses"]["motion"]
    assert "coefficients" in rows[-1]["losses"]
    figures = rows[-1]["figures"]
    assert figures["T0 unexplained"] < 0.3
    assert figures["hero unexplained"] < 0.3
    assert figures["score"] == -(figures["T0 unexplained"] + figures["hero unexplained"]) / 2


def test_the_model_file_says_what_it_learned(prepared: Path, trained: Path):
    loaded = checkpoint.load(trained / "tiny.safetensors")
    assert list(loaded.spaces) == ["toy_8_vertices", "my_rig"]
    assert loaded.identities == ("T0/0", "T0/1", "hero/hero")
    assert loaded.info.training["clips"] == {"T0": 6, "hero": 10}
    faces = motion_set.read([prepared / "T0"])[0]
    np.testing.assert_allclose(loaded.spaces["toy_8_vertices"].template, faces.templates.mean(axis=0), atol=1e-6)
    assert loaded.model.predict(torch.zeros(1, 16000), "my_rig", 25).shape == (1, 25, 3)


def test_evaluate_reads_the_model(prepared: Path, trained: Path):
    tables = json.loads(run("evaluate", trained / "tiny.safetensors", "--data", prepared, "--json"))
    (faces,), (hero,) = (table["rows"] for table in tables)
    assert 0 < faces["MVE"] < 0.2
    assert 0 < hero["BS-MVE"] < 0.5
    assert "BS-LVE" not in hero


def test_the_same_seed_repeats_and_another_differs(prepared: Path, tmp_path: Path):
    one, again = (train(prepared, tmp_path / name, *SHORT) for name in ("one", "again"))
    other = train(prepared, tmp_path / "other", *SHORT, "seed=2")
    assert same_curves(one, again)
    assert not same_curves(one, other)
    weights = [load_file(folder / run_state.BEST) for folder in (one, again)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


@pytest.mark.parametrize("killed_at", [9, 13])
def test_a_killed_run_goes_on_with_the_same_curve(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
):
    whole = train(prepared, tmp_path / "whole", *SHORT, "schedule.validate_every=1")
    pieces = MotionBatches.pieces
    stopped = KeyboardInterrupt("as by the user")

    def interrupted(self, step, wanted):
        if step == killed_at:
            raise stopped
        return pieces(self, step, wanted)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(MotionBatches, "pieces", interrupted)
        train(prepared, tmp_path / "halves", *SHORT, "schedule.validate_every=1")
    assert len(metrics(tmp_path / "halves")) < len(metrics(whole))
    train(prepared, tmp_path / "halves", *SHORT, "schedule.validate_every=1")
    assert same_curves(whole, tmp_path / "halves")


def test_the_encoder_waits_for_the_decoder(prepared: Path, tmp_path: Path):
    warm = train(prepared, tmp_path / "warm", "schedule.epochs=1", "schedule.decoder_epochs=1", "schedule.average=0.0")
    longer = train(
        prepared, tmp_path / "more", "schedule.epochs=2", "schedule.decoder_epochs=1", "schedule.average=0.0"
    )
    fresh = train(prepared, tmp_path / "fresh", "schedule.epochs=1", "schedule.rate=0.0", "schedule.last_rate=0.0")
    states = [load_file(folder / run_state.STATE) for folder in (fresh, warm, longer)]
    before, first, second = (encoder_of(state, "model.") for state in states)
    assert all(torch.equal(value, before[name]) for name, value in first.items())
    assert not all(torch.equal(value, first[name]) for name, value in second.items())


def test_another_config_or_other_data_may_not_resume_a_run(prepared: Path, tmp_path: Path):
    train(prepared, tmp_path, *SHORT)
    with pytest.raises(ConfigError, match=r"sampling\.pivot was 0\.1, is 0\.5"):
        train(prepared, tmp_path, *SHORT, "sampling.pivot=0.5")
    with pytest.raises(ConfigError, match=r"data\.T0 was 6, is None"):
        train(prepared / "hero", tmp_path, *SHORT)


def test_a_mesh_behind_the_sliders_is_learnt_and_measured(prepared: Path, tmp_path: Path):
    """A slider that moves nothing counts nothing."""
    offsets = np.zeros((3, 5, 3), np.float32)
    offsets[0, :2, 1] = offsets[2, 3, 0] = 1
    mesh, face = tmp_path / "mesh.npz", tmp_path / "face.npy"
    np.savez(mesh, meanshape=np.ones((5, 3), np.float32), blendshape=offsets)
    np.save(face, np.array([0, 3]))
    options = ("--mesh", f"my_rig={mesh}", "--face", f"my_rig={face}")
    quick = ("schedule.epochs=20", "schedule.rate=0.01", "losses.weights=0.0")
    train(prepared / "hero", tmp_path / "run", *quick, output=tmp_path / "m.safetensors", options=options)
    rows = metrics(tmp_path / "run")
    assert {"motion", "weights"} < rows[0]["losses"].keys()
    assert rows[-1]["losses"]["motion"] < 0.5 * rows[0]["losses"]["motion"]
    weights = checkpoint.load(tmp_path / "m.safetensors").model.heads["my_rig"].layers[0].weight
    assert weights[0].abs().sum() > 0
    assert weights[1].abs().sum() == 0
    answer = run("evaluate", tmp_path / "m.safetensors", "--data", prepared / "hero", "--json", *options[:2])
    (row,) = json.loads(answer)[0]["rows"]
    assert 0 < row["MVE"] < 0.5
    with pytest.raises(ConfigError, match=r"faces\.my_rig was '\w{12}', is None, meshes\.my_rig was"):
        train(prepared / "hero", tmp_path / "run", *quick)
    np.savez(mesh, meanshape=np.ones((5, 3), np.float32), blendshape=2 * offsets)
    with pytest.raises(ConfigError, match=r"config \(meshes\.my_rig was '\w{12}', is '\w{12}'\)"):
        train(prepared / "hero", tmp_path / "run", *quick, options=options)
    with pytest.raises(CorpusError, match=r"face\.npy is missing or no \.npz"):
        train(prepared / "hero", tmp_path / "other", options=("--mesh", f"my_rig={face}"))
    with pytest.raises(ConfigError, match="mesh or face for nobody"):
        train(prepared / "hero", tmp_path / "other", options=("--mesh", f"nobody={mesh}"))


# --- batches ---


def only_batch(batches: MotionBatches, step: int) -> MotionBatch:
    (piece,) = batches.pieces(step)
    assert piece.share == 1
    return piece.batch


def test_batches_hold_one_space_and_repeat_data_sets(prepared: Path):
    sets = motion_set.read([prepared])
    rows = {"T0/0": 0, "T0/1": 1, "hero/hero": 2}
    config = SamplingConfig(batch=4, pivot=0.5, repeats={"T0": 2, "elsewhere": 9})
    batches = MotionBatches(sets, rows, config, seed=1)
    assert batches.steps_per_epoch == 3 + 3
    epoch = [only_batch(batches, step) for step in range(6)]
    assert sorted(batch.space for batch in epoch) == ["my_rig"] * 3 + ["toy_8_vertices"] * 3
    assert sum(len(batch.audio) for batch in epoch if batch.space == "toy_8_vertices") == 12
    assert {row for step in range(60) for row in only_batch(batches, step).identity.tolist()} == {0, 1, 2, 3}
    again = MotionBatches(sets, rows, config, seed=1)
    assert torch.equal(only_batch(again, 5).audio, epoch[5].audio)
    orders = [[only_batch(batches, start + step).space for step in range(6)] for start in range(0, 60, 6)]
    assert len({tuple(order) for order in orders}) > 1


# --- beginning with a model ---


def encoder_of(tensors: dict[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    return {name: value for name, value in tensors.items() if name.startswith(f"{prefix}encoder.")}


def begun(
    trained: Path, data: Path, folder: Path, *changes: str, options: tuple[str, ...] = ()
) -> tuple[checkpoint.LoadedModel, checkpoint.LoadedModel]:
    """The model before and after fine-tuning that changes nothing, as its rate is zero."""
    path = trained / "tiny.safetensors"
    still = ("schedule.rate=0.0", "schedule.last_rate=0.0", "schedule.epochs=1", *changes)
    result = folder / "tuned.safetensors"
    train(data, folder, *still, config="finetune", output=result, options=("--from", path, *options))
    return checkpoint.load(path), checkpoint.load(result)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new rig of somebody new."""
    folder = tmp_path_factory.mktemp("stranger")
    names = ("a", "b", "c", "d")
    return toy_sets.prepare("clips", toy_sets.rig(folder / "N1", "octopus", "zoe", names), folder / "out")


def test_known_spaces_go_on_where_they_were(trained: Path, prepared: Path, tmp_path: Path):
    before, after = begun(trained, prepared, tmp_path)
    assert after.identities == before.identities
    old, new = before.model.state_dict(), after.model.state_dict()
    assert all(torch.equal(value, new[name]) for name, value in old.items())


def test_a_new_space_gets_a_head_and_new_people_the_pivots_row(trained: Path, stranger: Path, tmp_path: Path):
    before, after = begun(trained, stranger, tmp_path)
    assert list(after.spaces) == ["octopus"]
    assert after.identities == (*before.identities, "N1/zoe")
    old, new = before.model.state_dict(), after.model.state_dict()
    assert all(torch.equal(value, new[name]) for name, value in encoder_of(old).items())
    table, grown = (tensors["decoder.identities.weight"] for tensors in (old, new))
    assert torch.equal(grown[:3], table[:3])
    assert torch.equal(grown[3], table[3])
    assert torch.equal(grown[4], table[3])


def test_a_new_decoder_keeps_the_encoder_only(trained: Path, stranger: Path, tmp_path: Path):
    before, after = begun(trained, stranger, tmp_path, options=("--new-decoder",))
    old, new = before.model.state_dict(), after.model.state_dict()
    assert all(torch.equal(value, new[name]) for name, value in encoder_of(old).items())
    assert not torch.equal(old["decoder.audio.weight"], new["decoder.audio.weight"])
    assert after.identities == ("N1/zoe",)


def test_heads_alone_learn_beside_those_that_were_there(trained: Path, stranger: Path, tmp_path: Path):
    changes = ('learn="heads"', "schedule.rate=0.02", "schedule.epochs=20")
    before, after = begun(trained, stranger, tmp_path, *changes)
    assert list(after.spaces) == ["octopus", "toy_8_vertices", "my_rig"]
    old, new = before.model.state_dict(), after.model.state_dict()
    kept = [name for name in old if not name.startswith("decoder.identities")]
    assert all(torch.equal(old[name], new[name]) for name in kept)
    rows = metrics(tmp_path)
    assert rows[-1]["losses"]["motion"] < 0.5 * rows[0]["losses"]["motion"]


# --- what the user may do wrong ---


def test_a_config_without_a_model_needs_one_to_begin_with(prepared: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no \[model\]"):
        train(prepared, tmp_path, config="finetune")


def test_a_trunk_that_is_not_the_models_is_refused(trained: Path, prepared: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"decoder_dimension of \S+tiny\.safetensors is not that"):
        options = ("--from", trained / "tiny.safetensors")
        train(prepared, tmp_path, "model.decoder_dimension=24", options=options)


def test_another_model_of_the_same_name_may_not_go_on_with_a_run(trained: Path, prepared: Path, tmp_path: Path):
    begun(trained, prepared / "hero", tmp_path)
    model, path = checkpoint.load(trained / "tiny.safetensors"), tmp_path / "other.safetensors"
    torch.nn.init.ones_(model.model.decoder.audio.bias)
    checkpoint.save(path, model.model, list(model.spaces.values()), model.identities, model.info)
    still = ("schedule.rate=0.0", "schedule.last_rate=0.0", "schedule.epochs=1")
    with pytest.raises(ConfigError, match=r"config \(begin was 'unitalker-tiny \w{12}', is 'unitalker-tiny \w{12}'\)"):
        train(prepared / "hero", tmp_path, *still, config="finetune", options=("--from", path))


def test_two_meanings_of_one_space_are_refused(prepared: Path, tmp_path: Path):
    other = toy_sets.rig(tmp_path / "other", names=("brow", "open", "smile"))
    toy_sets.prepare("clips", other, tmp_path / "out")
    toy_sets.prepare("clips", toy_sets.rig(tmp_path / "hero"), tmp_path / "out")
    with pytest.raises(CorpusError, match="two face spaces named my_rig"):
        train(tmp_path / "out", tmp_path / "run")


def test_broken_clips_and_configs_are_one_sentence(prepared: Path, tmp_path: Path):
    for change, sentence in (
        ("schedule.epoks=3", "epoks"),
        ("losses.eyes=1.0", "eyes"),
        ("sampling.batch=0", "1 clip"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            train(prepared, tmp_path / "run", change)
    folder = toy_sets.prepare("clips", toy_sets.rig(tmp_path / "hero"), tmp_path / "out")
    for path in (folder / "motion").glob("*.npy"):
        np.save(path, np.full((25, 3), np.nan, np.float32))
    with pytest.raises(CorpusError, match=r"motion.*take.*NaN"):
        train(folder, tmp_path / "run")
