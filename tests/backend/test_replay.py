# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded passes: the same motion as without them, checked before they are used, and done without where they fail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend import checkpoint, face, memory, pipeline, planning, precision, replay
from backend.checkpoint import LoadedModel, ModelCard
from backend.foreign.convert import convert
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from tests.backend.tape import Refused, Tape
from tests.data.tiny_encoders import B, L

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden"
KINDS = {
    "B": (B, "conv", 1),
    "L": (L, "conv", 1),
    "transformer": (B, "transformer", 1),
    "resampled in front": (B, "conv", 0),
    "resampled behind": (L, "conv", 2),
}


@pytest.fixture(autouse=True)
def short_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lengths that a processor is soon done with."""
    monkeypatch.setattr(replay, "SECONDS", (2, 4))
    monkeypatch.setattr("backend.fidelity.PROBE_SECONDS", 1.7)


def talker(name: str = "B") -> LoadedModel:
    """A model of random weights that matter, with a space of controls and one of another rate."""
    encoder, decoder, position = KINDS[name]
    torch.manual_seed(0)
    heads = (HeadConfig("arkit", 52), HeadConfig("other", 20, components=8, has_template=True))
    model = UniTalker(UniTalkerConfig(encoder, decoder, 32, 3, heads, interpolate_position=position)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for basis in model.heads["other"].buffers():
            basis.normal_()
    spaces = {"arkit": face.arkit(30.0), "other": face.annotation("other", 20, 25.0)}
    return LoadedModel(model, spaces, ("ann", "bob"), ModelCard("talker", "Talker", ""))


def recorded(name: str = "B", kind: precision.Precision = "fp32", record: Tape | None = None) -> LoadedModel:
    return precision.recorded(talker(name), "cpu", kind, record or Tape())


def speech(seconds: float, sounds: int = 1, seed: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((sounds, round(seconds * 16_000)), np.float32)


def said(loaded: LoadedModel, samples: np.ndarray, space: str, row: int | None = None) -> np.ndarray:
    """What the model says without any recording."""
    frames = round(samples.shape[1] / 16_000 * loaded.spaces[space].fps)
    rows = None if row is None else torch.full((len(samples),), row)
    return loaded.unitalker().predict(torch.from_numpy(samples), space, frames, rows).numpy()


def replayed(loaded: LoadedModel, samples: np.ndarray, space: str, row: int | None = None) -> np.ndarray | None:
    frames = round(samples.shape[1] / 16_000 * loaded.spaces[space].fps)
    assert loaded.replays is not None
    return loaded.replays.predict(samples, space, frames, row)


@pytest.mark.parametrize("name", KINDS)
def test_replays_say_what_the_model_says_whatever_the_sound(name: str) -> None:
    loaded = recorded(name)
    for space in loaded.spaces:
        assert replayed(loaded, speech(1.3), space) is None, "somebody waits for the first answer"
        for seconds, row in ((1.3, None), (2.0, 1), (0.05, 0), (1.777, 1)):
            samples = speech(seconds, seed=int(1000 * seconds))
            found = replayed(loaded, samples, space, row)
            np.testing.assert_allclose(found, said(loaded, samples, space, row), atol=3e-4, rtol=0)


def test_python_runs_only_while_it_is_recorded() -> None:
    tape = Tape()
    loaded = recorded(record=tape)
    answers = [replayed(loaded, speech(1.5, seed=seed), "arkit") for seed in range(6)]
    assert (tape.recordings, tape.replayed) == (1, 6), "one comparison, and five answers"
    assert len({answer.tobytes() for answer in answers if answer is not None}) == 5


def test_eight_sounds_go_together_and_fewer_one_by_one() -> None:
    tape = Tape()
    loaded = recorded(record=tape)
    for count in (8, 3):
        samples = speech(3.1, count)
        assert replayed(loaded, samples, "arkit") is None
        before = tape.replayed
        found = replayed(loaded, samples, "arkit")
        assert tape.replayed - before == 1 + (1 if count == 8 else 3)
        np.testing.assert_allclose(found, said(loaded, samples, "arkit"), atol=3e-4, rtol=0)


def test_longer_sounds_are_not_cut() -> None:
    loaded = recorded()
    assert [replayed(loaded, speech(4.5), "arkit") for _ in range(3)] == [None] * 3


def test_a_whole_sound_is_the_same_with_and_without_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_AT_ONCE", {"cpu": 8})
    monkeypatch.setattr("backend.windows.WINDOW_SECONDS", 4)
    monkeypatch.setattr("backend.windows.OVERLAP_SECONDS", 1)
    monkeypatch.setattr(pipeline, "_SILENCE_SECONDS", 1)
    tape = Tape()
    loaded = recorded(record=tape)
    plain = replace(loaded, replays=None, rests={})
    samples = speech(61.3)[0]
    motion = [np.concatenate([chunk.values for chunk in generated(each, samples)]) for each in (loaded, plain, loaded)]
    assert tape.replayed > 10
    for other in motion[1:]:
        np.testing.assert_allclose(motion[0], other, atol=3e-4, rtol=0)


def generated(loaded: LoadedModel, samples: np.ndarray) -> list[pipeline.Chunk]:
    return list(pipeline.generate(loaded, samples, planning.plan(loaded, planning.Request())))


class Drifting(Tape):
    """Recordings that have a mistake."""

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        again = super().__call__(work)
        return lambda: again() * 1.05


class Leaking(Tape):
    """Recordings in which every sound hears a little of the one before."""

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        again = super().__call__(work)
        return lambda: again() + 0.05 * again().roll(1, 0)


class Broken(Tape):
    """Recordings that end in no number."""

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        again = super().__call__(work)
        return lambda: again() * float("nan")


class Impossible(Tape):
    """A device that cannot record."""

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        raise RuntimeError("operation not permitted when stream is capturing")


class Full(Tape):
    """A device without the memory that a recording needs."""

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("record", [Drifting, Leaking, Broken, Impossible, Full])
def test_what_cannot_be_trusted_is_not_used_and_said_once(record: type[Tape], caplog: pytest.LogCaptureFixture) -> None:
    loaded = recorded(record=record())
    samples = speech(1.5, 8)
    with caplog.at_level(logging.WARNING):
        assert [replayed(loaded, samples, "arkit") for _ in range(4)] == [None] * 4
    (warning,) = caplog.messages
    assert "recorded" in warning and "arkit" in warning
    motion = [chunk.values for _ in range(3) for chunk in generated(loaded, samples[0])]
    assert all(np.isfinite(values).all() for values in motion) and len(motion) == 3


def test_half_precision_is_compared_too() -> None:
    loaded = recorded(kind="bf16")
    assert loaded.precision == "bf16"
    samples, wanted = speech(1.7), said(talker(), speech(1.7), "arkit")
    replayed(loaded, samples, "arkit")
    found = replayed(loaded, samples, "arkit")
    assert found is not None
    assert 0 < np.abs(found - wanted).max() < 0.01 * (wanted.max() - wanted.min())


def test_half_precision_that_is_too_far_off_is_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(precision, "LARGEST_ERROR", 1e-6)
    loaded = recorded(kind="bf16")
    assert loaded.precision == "fp32" and "inexact in bf16" in caplog.text
    np.testing.assert_allclose(said(loaded, speech(1.7), "arkit"), said(talker(), speech(1.7), "arkit"), atol=1e-4)


def test_recordings_go_where_memory_runs_out_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = recorded()
    for _ in range(2):
        replayed(loaded, speech(1.5), "arkit")
    assert replayed(loaded, speech(1.5), "arkit") is not None
    monkeypatch.setattr(UniTalker, "predict", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA")))
    with pytest.raises(memory.NotEnoughMemory):
        generated(loaded, speech(3.5)[0])
    assert replayed(loaded, speech(1.5), "arkit") is None


def test_the_tape_refuses_what_a_graph_refuses() -> None:
    tensor = torch.zeros(3)
    for work in (lambda: tensor * float(tensor[0].item()), lambda: tensor + torch.tensor([1.0, 2.0, 3.0])):
        with pytest.raises(Refused):
            Tape()(work)


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("case*")), ids=lambda case: case.name)
def test_the_official_layouts(case: Path, tmp_path: Path) -> None:
    pca = case / "pca"
    converted = tmp_path / "model.safetensors"
    convert(case / "checkpoint.pt", converted, config=case / "config.json", pca=pca if pca.exists() else None)
    plain, loaded = checkpoint.load(converted), precision.recorded(checkpoint.load(converted), "cpu", "fp32", Tape())
    samples = speech(1.9)
    for space in loaded.spaces:
        assert replayed(loaded, samples, space) is None
        wanted = said(plain, samples, space)
        np.testing.assert_allclose(replayed(loaded, samples, space), wanted, atol=1e-4, rtol=1e-4)
