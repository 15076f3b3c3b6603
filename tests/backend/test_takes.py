# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of a model that diffuses: the same whatever window and batch, without seams, with memory that stays flat."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from backend import catalogue, checkpoint, face, pipeline, planning, takes, windows
from backend.__main__ import main
from backend.checkpoint import LoadedModel
from backend.face import FaceSpace
from backend.models import diffusion
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.talker_config import DiffusionTalkerConfig
from backend.models.unitalker import HeadConfig
from backend.performance import Performance
from backend.planning import Request, RequestError

torch.set_num_threads(1)
SPACES = (face.arkit(30.0), FaceSpace("mesh", "vertices", 25.0, 12))
CONFIG = DiffusionTalkerConfig(
    MelEncoderConfig(width=16, blocks=2, bands=20),
    3,
    (HeadConfig("arkit", 52), HeadConfig("mesh", 12)),
    DenoiserConfig(width=24, blocks=3, kernel=5),
    personal_width=16,
    times=16,
    steps=4,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of random weights that move everything."""
    torch.manual_seed(0)
    model = DiffusionTalker(CONFIG)
    for name, value in model.named_parameters():
        if "modulation" in name or "heads." in name:
            torch.nn.init.normal_(value, 0, 0.2)
    path = tmp_path_factory.mktemp("talker") / "talker.safetensors"
    checkpoint.save(path, model, SPACES, ("ann", "bob"), checkpoint.ModelCard("talker", "", "none"))
    return path


@pytest.fixture(scope="module")
def loaded(file: Path) -> LoadedModel:
    return checkpoint.load(file)


def babble(seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * 16000)) / 16000
    noise = np.random.default_rng(0).normal(0, 0.1, len(time))
    return (noise * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)


def performed(loaded: LoadedModel, samples: np.ndarray, request: Request | None = None, **wanted: object) -> np.ndarray:
    """[takes, frames, channels]."""
    request = request or Request(raw=True, performance=Performance(**wanted))
    planned = planning.plan(loaded, request)
    found: dict[int, list[np.ndarray]] = {}
    for chunk in pipeline.generate(loaded, samples, planned):
        assert chunk.start == sum(len(values) for values in found.get(chunk.take, []))
        found.setdefault(chunk.take, []).append(chunk.values)
    motions = np.stack([np.concatenate(found[take]) for take in sorted(found)])
    assert motions.shape[1] == planned.frames(len(samples))
    return motions


# --- one noise field ---


def test_the_same_seed_is_the_same_motion_whatever_the_window(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch):
    samples = babble(61.3)
    wide = performed(loaded, samples, seed=5)
    monkeypatch.setattr(windows, "WINDOW_SECONDS", 12)
    narrow = performed(loaded, samples, seed=5)
    monkeypatch.setattr(windows, "WINDOW_SECONDS", 100)
    whole = performed(loaded, samples, seed=5)
    np.testing.assert_allclose(narrow, whole, atol=1e-4)
    np.testing.assert_allclose(wide, whole, atol=1e-4)
    assert whole.std(axis=1).mean() > 0.05


def test_a_long_sound_is_what_the_model_gives_it_at_once(loaded: LoadedModel):
    samples, model = babble(41.0), loaded.model
    audio = torch.from_numpy(samples)[None]
    personal = model.personalizer.fused(model.personalizer.identities.weight[-1:])
    with torch.inference_mode():
        told = model.condition(model.aligned(model.hear(audio), 1230, 30.0), personal)
        z = model.sample("arkit", diffusion.noise_field(9, 0, 1230, 52)[None], told)
        at_once = model.head("arkit").decode(z, None)[0].numpy()
    np.testing.assert_allclose(performed(loaded, samples, seed=9)[0], at_once, atol=1e-3)


def test_a_take_is_the_same_alone_and_in_a_batch(loaded: LoadedModel):
    samples = babble(3.0)
    together = performed(loaded, samples, seed=10, takes=5)
    assert together.shape[0] == 5
    for take in range(5):
        np.testing.assert_allclose(performed(loaded, samples, seed=10 + take)[0], together[take], atol=1e-5)
    apart = [np.abs(one - other).mean() for one, other in itertools.combinations(together, 2)]
    assert min(apart) > 0.01


def test_motion_moves_at_window_borders_as_it_moves_elsewhere(loaded: LoadedModel):
    """Mean speed, acceleration and level within half a second of 10 borders, against 10 s of everything between."""
    motion = performed(loaded, babble(220.0), seed=1, takes=2)
    borders = np.array([k * 20 * 30 + offset * 30 for k in range(1, 11) for offset in (0, 5)])
    near = np.abs(np.arange(motion.shape[1])[:, None] - borders).min(axis=1) <= 15
    for order in (0, 1, 2):
        moved = np.abs(np.diff(motion, n=order, axis=1)) if order else motion - motion.mean(axis=1, keepdims=True)
        size = np.square(moved).mean(axis=(0, 2)) ** 0.5
        here, there = size[near[: len(size)]].mean(), size[~near[: len(size)]].mean()
        assert abs(here / there - 1) < 0.05, order


def test_motion_streams_and_only_a_reach_of_it_is_held(loaded: LoadedModel):
    model, heard = loaded.model, []
    stage = takes.Stage("arkit", 30.0, None)
    hook = model.encoder.register_forward_hook(lambda *_: heard.append(1))
    motion = takes.perform(model, babble(200.0), stage, Performance(), lambda: None)
    first = next(motion)
    hook.remove()
    assert len(heard) == 1  # of ten windows
    sizes = [len(first), *(len(piece) for piece in motion)]
    assert sum(sizes) == 6000 and max(sizes) <= 25 * 30


def test_a_step_holds_what_it_sees_and_no_more():
    step = takes._Step(lambda z, audio, first: z, reach=7)
    given = 0
    for number in range(50):
        piece = takes._Piece(torch.zeros(1, 30, 2), torch.zeros(30, 1), number == 49)
        found = step.push(piece)
        given += 0 if found is None else len(found.audio)
        assert len(step._held.audio) <= 14
    assert given == 1500


# --- what can be asked ---


def test_steps_guidance_and_people_change_the_motion(loaded: LoadedModel):
    samples = babble(2.0)
    plain = performed(loaded, samples)
    for other in (
        performed(loaded, samples, steps=2),
        performed(loaded, samples, steps=16),
        performed(loaded, samples, guidance=2.0),
        performed(loaded, samples, Request(identity="ann", raw=True)),
        performed(loaded, samples, style=takes.heard_style(loaded.model, samples)),
    ):
        assert np.abs(plain - other).mean() > 1e-4


def test_spaces_of_vertices_have_takes_too(loaded: LoadedModel):
    motion = performed(loaded, babble(1.0), Request(space="mesh", fps=50.0, performance=Performance(takes=2)))
    assert motion.shape == (2, 50, 4, 3)


def test_weights_are_weights(loaded: LoadedModel):
    motion = performed(loaded, babble(2.0), Request(performance=Performance(takes=2)))
    assert motion.min() >= 0 and motion.max() <= 1


def test_a_style_is_the_nearest_identity_or_the_voice_itself(loaded: LoadedModel):
    samples = babble(2.0)
    nearest = planning.styled(loaded, Request(), samples, "nearest")
    assert nearest.identity in ("ann", "bob") and nearest.performance.style is None
    heard = planning.styled(loaded, Request(), samples, "heard")
    assert heard.performance.style.shape == (16,)
    about = planning.metadata(loaded, heard)
    assert (about["identity"], about["seed"], about["steps"]) == ("heard", 0, 4)


def test_what_a_regression_model_cannot_do_is_one_sentence():
    regression = checkpoint.load(catalogue.find("default"))
    with pytest.raises(RequestError, match=r"default does not diffuse: it has one take and no steps or seed to choose"):
        planning.plan(regression, Request(performance=Performance(steps=8, seed=1)))
    with pytest.raises(RequestError, match="default hears no style"):
        planning.styled(regression, Request(), babble(1.0), "nearest")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"takes": 0}, "0 takes are not possible; choose 1 to 64"),
        ({"takes": 65}, "65 takes"),
        ({"seed": -1}, "-1 is no seed"),
        ({"guidance": float("nan")}, "guidance of nan"),
        ({"steps": 0}, "0 steps"),
    ],
)
def test_impossible_performances_are_refused(wanted: dict, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        Performance(**wanted)


# --- the command line ---


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "talk.wav", babble(1.0), 16000)
    return tmp_path / "talk.wav"


def test_generate_writes_a_file_for_every_take(file: Path, sound: Path, capsys: pytest.CaptureFixture[str]):
    out = sound.parent / "out"
    words = ["--model", str(file), "--device", "cpu", "--takes", "3", "--seed", "7", "--style-from", str(sound)]
    assert main(["generate", str(sound), "--output", str(out / "talk.npz"), *words]) == 0
    assert "sounds most like" in capsys.readouterr().out
    found = [np.load(out / f"talk.take{take}.npz") for take in (1, 2, 3)]
    assert [json.loads(str(take["metadata"]))["seed"] for take in found] == [7, 8, 9]
    assert sorted(path.name for path in out.iterdir()) == [f"talk.take{take}.npz" for take in (1, 2, 3)]
    assert main(["generate", str(sound), "--output", str(out / "one.npz"), "--model", str(file), "--steps", "2"]) == 0
    assert json.loads(str(np.load(out / "one.npz")["metadata"]))["steps"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "default", "--steps", "8"], "does not diffuse"),
        (["--model", "default", "--style-from", "talk.wav"], "hears no style"),
        (["--steps", "17"], "17 steps are not possible with talker; choose 1 to 16"),
        (["--takes", "0"], "0 takes are not possible"),
        (["--identity", "ann", "--style-from", "talk.wav"], "both say whose style"),
        (["--style-from", "nowhere.wav"], "nowhere.wav"),
    ],
)
def test_bad_wishes_are_one_sentence(
    file: Path, sound: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words, sentence: str
):
    monkeypatch.chdir(sound.parent)
    model = [] if "--model" in words else ["--model", str(file)]
    assert main(["generate", "talk.wav", "--device", "cpu", *model, *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert sentence in error
    assert not list(sound.parent.glob("*.npz"))
