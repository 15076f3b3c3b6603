# SPDX-License-Identifier: GPL-3.0-or-later
"""The task of annotated motion: the official training step in numbers, padded batches, the pivot, what is frozen."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.checkpoint import LoadedModel, load
from backend.face import FaceSpace
from backend.foreign.convert import convert
from backend.foreign.official import official_name
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.blendshapes import Blendshapes
from backend.models.layers import Lengths
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.settings import to_plain
from backend.training.commands import CONFIGS
from backend.training.config import parse, read_table
from backend.training.loop import fit
from backend.training.motion.clip import Clip
from backend.training.motion.config import MotionConfig, MotionRun
from backend.training.motion.losses import PAPER_WEIGHTS
from backend.training.motion.regression import PIVOT_PROBABILITY, MotionBatch, Regression, collate, with_pivot
from backend.training.task import Piece, learn

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
CASE = GOLDEN / "case1_wavlm_conv_pos1_pca"
BATCHES = json.loads((GOLDEN / "train_step" / "config.json").read_text(encoding="utf-8"))["batches"]
EXPECTED = json.loads((GOLDEN / "train_step" / "expected.json").read_text(encoding="utf-8"))
PARTS = {"frozen": "decoder", "unfrozen": "all"}
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    output = tmp_path_factory.mktemp("case1") / "model.safetensors"
    convert(CASE / "checkpoint.pt", output, config=CASE / "config.json", pca=CASE / "pca")
    return load(output)


@pytest.fixture
def task(converted: LoadedModel) -> Regression:
    """A fresh copy of case 1 that drops nothing at random."""
    config = converted.model.config
    encoder = replace(config.encoder, dropout=0.0, layer_drop=0.0)
    model = UniTalker(replace(config, dropout=0.0, encoder=encoder))
    model.load_state_dict(converted.model.state_dict())
    spaces = dict(converted.spaces)
    with np.load(GOLDEN / "losses" / "bs51_blendshape.npz") as stored:
        mesh = Blendshapes(stored["meanshape"], stored["blendshape"])
    spaces["inhouse_blendshape_weight"] = replace(spaces["inhouse_blendshape_weight"], mesh=mesh)
    return Regression(model.train(), spaces)


def golden_batch(name: str) -> MotionBatch:
    with np.load(GOLDEN / "train_step" / "inputs.npz") as stored:
        audio, values, template, identity = (
            torch.from_numpy(stored[f"{name}.{part}"]) for part in ("audio", "data", "template", "id")
        )
    lengths = Lengths(torch.tensor([audio.shape[1]]), torch.tensor([values.shape[1]]))
    return MotionBatch(BATCHES[name]["annot_type"], audio, values, template, identity, lengths)


def total_of(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack([PAPER_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def adam_step(task: Regression, parts: str, batch: MotionBatch) -> dict[str, torch.Tensor]:
    """One step of a new Adam as the official trainer makes it; gives the losses before it."""
    optimizer = torch.optim.Adam(learn(task.model, parts), lr=1e-4, fused=True)  # rounds as ours does
    task.model.zero_grad(set_to_none=True)
    losses = task.step(batch)
    total_of(losses).backward()
    optimizer.step()
    return {name: loss.detach() for name, loss in losses.items()}


def named(model: UniTalker) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Parameters under their official names."""
    return ((official_name(name, model.config), parameter) for name, parameter in model.named_parameters())


def norm(tensor: torch.Tensor) -> float:
    return tensor.detach().double().norm().item()


@pytest.mark.parametrize("run", EXPECTED)
def test_one_adam_step_is_the_official_one(task: Regression, run: str) -> None:
    expected, name, batch = EXPECTED[run], run.split("_")[-1], golden_batch(run.split("_")[-1])
    if run.startswith("sequence"):
        adam_step(task, PARTS["frozen"], batch)
    before = {official: parameter.detach().clone() for official, parameter in named(task.model)}
    losses = adam_step(task, PARTS[run.split("_")[-2]], batch)
    reconstruction = losses["motion"] + PAPER_WEIGHTS["weights"] * losses.get("weights", 0)
    assert reconstruction.item() == pytest.approx(expected["rec_loss"], rel=1e-5)
    assert losses.get("coefficients", torch.tensor(0.0)).item() == pytest.approx(expected["pca_loss"], rel=1e-5)
    assert total_of(losses).item() == pytest.approx(expected["loss"], rel=1e-5)
    assert "weights" in losses if name == "b1" else "coefficients" in losses
    for official, parameter in named(task.model):
        numbers = expected["params"][official]
        assert norm(before[official]) == pytest.approx(numbers["norm_before"], rel=1e-5), official
        assert (official in expected["frozen"]) != parameter.requires_grad, official
        assert (parameter.grad is None) == (numbers["grad_norm"] is None), official
        if parameter.grad is None:
            assert torch.equal(parameter, before[official]), official
        elif not official.endswith("k_proj.bias"):  # its true gradient is zero, so Adam moves it by chance
            assert norm(parameter.grad) == pytest.approx(numbers["grad_norm"], rel=1e-3), official
            assert norm(parameter - before[official]) == pytest.approx(numbers["delta_norm"], rel=1e-3), official
            assert norm(parameter) == pytest.approx(numbers["norm_after"], rel=1e-5), official
    with torch.no_grad():
        assert total_of(task.step(batch)).item() == pytest.approx(expected["loss_after_step"], rel=1e-4)


@pytest.mark.parametrize("run", EXPECTED)
def test_the_step_sees_the_official_motion(task: Regression, run: str) -> None:
    batch = golden_batch(run.split("_")[-1])
    if run.startswith("sequence"):
        adam_step(task, PARTS["frozen"], batch)
    with np.load(GOLDEN / "train_step" / "expected_out_motion.npz") as stored:
        motion = torch.from_numpy(stored[f"{run}.out_motion"])
    with torch.no_grad():
        values = task.model(batch.audio, batch.space, motion.shape[1], batch.identity, batch.template).values
    torch.testing.assert_close(values, motion, atol=1e-4, rtol=0)


def test_the_loop_takes_the_official_steps(task: Regression, tmp_path: Path) -> None:
    """The decoder in the first epoch, then everything with a new optimizer, as the paper's config says."""
    config = parse(MotionConfig, read_table(CONFIGS / "unitalker_base.toml", ["schedule.epochs=2"]), Path("base"))
    assert to_plain(config.losses) == PAPER_WEIGHTS
    assert (config.sampling.batch, config.sampling.pivot) == (1, PIVOT_PROBABILITY)
    batch, twin = golden_batch("b0"), Regression(copy.deepcopy(task.model), task.spaces, decoder_steps=1)
    optimizer = config.schedule.in_steps(1)
    run = MotionRun("", task.model.config, "", {}, {}, {}, {}, config.sampling, PAPER_WEIGHTS, "all", 1, optimizer, 1)
    fit(twin, lambda step: [Piece(batch)], lambda average: {"score": 0.0}, run, tmp_path)
    for parts in PARTS.values():
        adam_step(task, parts, batch)
    for (name, one), other in zip(twin.model.named_parameters(), task.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0, msg=name)


WAVLM = SpeechEncoderConfig("wavlm", 16, 2, 2, 32, convolution_channels=(8,) * 7, dropout=0.0, layer_drop=0.0)
ENCODERS = {"wavlm": WAVLM, "mel": MelEncoderConfig(width=16, blocks=2)}


def small_task(encoder: str = "mel", dropout: float = 0.0) -> Regression:
    torch.manual_seed(3)
    heads = (HeadConfig("mesh", 6, components=2), HeadConfig("sliders", 3))
    model = UniTalker(UniTalkerConfig(ENCODERS[encoder], "conv", 8, 4, heads, dropout=dropout))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model.heads["mesh"].basis.components.normal_()
    spaces = FaceSpace("mesh", "vertices", 25.0, 6), FaceSpace("sliders", "controls", 25.0, 3, ("a", "b", "c"))
    return Regression(model.train(), {space.name: space for space in spaces})


def clips(dim: int) -> list[Clip]:
    random = np.random.default_rng(5)
    sizes = ((8000, 13), (16000, 25), (11000, 17))
    sounds, motions, templates = (
        [random.standard_normal(shape).astype(np.float32) for shape in shapes]
        for shapes in ([n for n, _ in sizes], [(t, dim) for _, t in sizes], [dim] * 3)
    )
    return [Clip(*parts, 25.0) for parts in zip(sounds, motions, templates, strict=True)]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("space", "dim"), [("mesh", 6), ("sliders", 3)])
def test_a_padded_batch_trains_as_its_clips_one_by_one(encoder: str, space: str, dim: int) -> None:
    together, apart = small_task(encoder), small_task(encoder)
    batch = collate(space, clips(dim), [0, 1, 3])
    assert batch.is_padded
    losses = together.step(batch)
    total_of(losses).backward()
    alone = [apart.step(collate(space, [clip], [row])) for clip, row in zip(clips(dim), [0, 1, 3], strict=True)]
    for name, loss in losses.items():
        torch.testing.assert_close(loss, torch.stack([each[name] for each in alone]).mean(), atol=0, rtol=1e-5)
    torch.stack([total_of(each) for each in alone]).mean().backward()
    for (name, one), other in zip(together.model.named_parameters(), apart.model.parameters(), strict=True):
        if other.grad is None:
            assert one.grad is None, name
        elif not name.endswith("k_proj.bias"):
            torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-3, msg=name)


def test_clips_of_one_length_are_not_padded() -> None:
    clip = clips(3)[0]
    batch = collate("sliders", [clip, clip], [0, 2])
    assert not batch.is_padded
    assert batch.template.shape == (2, 1, 3)
    assert batch.identity.tolist() == [0, 2]


def test_the_pivot_comes_as_often_as_asked_and_by_the_given_chance() -> None:
    identity = torch.arange(10_000) % 7
    first, again = (with_pivot(identity, 934, np.random.default_rng(1), 0.1) for _ in range(2))
    assert torch.equal(first, again)
    assert (first == 934).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(first[first != 934], identity[first != 934])
    assert torch.equal(with_pivot(identity, 934, np.random.default_rng(1), 0.0), identity)
    assert with_pivot(identity, 934, np.random.default_rng(1), 1.0).eq(934).all()


def test_heads_alone_can_learn() -> None:
    task = small_task()
    parameters = learn(task.model, "heads")
    assert {id(parameter) for parameter in parameters} == {id(each) for each in task.model.heads.parameters()}


def test_a_frozen_encoder_drops_nothing_at_random() -> None:
    torch.manual_seed(3)
    noisy = MelEncoderConfig(width=16, blocks=2, dropout=0.5, warp=0.2, masked_bands=8)
    model = UniTalker(UniTalkerConfig(noisy, "conv", 8, 4, (HeadConfig("sliders", 3),), dropout=0.0)).train()
    torch.nn.init.normal_(model.heads["sliders"].layers[0].weight)
    task = Regression(model, small_task().spaces)
    batch = collate("sliders", clips(3), [0, 1, 3])
    learn(model, "decoder")
    assert task.step(batch)["motion"].item() == task.step(batch)["motion"].item()
    learn(model, "all")
    model.train()
    assert task.step(batch)["motion"].item() != task.step(batch)["motion"].item()
