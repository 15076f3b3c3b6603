# SPDX-License-Identifier: GPL-3.0-or-later
"""Styles: what each does to the plain targets, and what a run does with them that begins with another model."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint
from backend.checkpoint import ModelCard
from backend.face import ARKIT_CHANNELS, arkit
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.training.errors import ConfigError
from backend.training.lips import train
from backend.training.lips.config import DataConfig, GroupConfig, TrainingConfig
from backend.training.lips.rules import CHANNELS, to_arkit
from backend.training.lips.styles import STYLES, styled
from backend.training.lips.task import SpeechToLips

PIVOT = len(STYLES)


def columns(values: np.ndarray, *names: str) -> np.ndarray:
    return values[..., [ARKIT_CHANNELS.index(name) for name in names]]


def moved(style: str, curves: np.ndarray) -> np.ndarray:
    """The ARKit weights of a style."""
    return styled(curves[None], np.array([list(STYLES).index(style)]))[0]


def speech() -> np.ndarray:
    """Curves of a mouth that moves every channel a little, and comes to rest."""
    random = np.random.default_rng(3)
    return np.concatenate([random.uniform(0, 0.5, (40, len(CHANNELS))), np.zeros((5, len(CHANNELS)))]).astype("float32")


def test_the_pivot_has_no_style():
    assert np.array_equal(styled(speech()[None], np.array([PIVOT]))[0], to_arkit(speech()))


def test_each_style_does_what_it_says():
    plain = to_arkit(speech())
    jaw, lips = ("jawOpen",), ("mouthPucker", "mouthLowerDownLeft")
    assert (columns(moved("jaw", speech()), *jaw) >= columns(plain, *jaw)).all()
    assert (columns(moved("lips", speech()), *lips) >= columns(plain, *lips)).all()
    assert (moved("soft", speech()) <= plain).all()
    assert columns(moved("smiling", np.zeros_like(speech())), "mouthSmileLeft").min() > 0.1


def uneven(values: np.ndarray) -> list[str]:
    """Shapes whose left side moves otherwise than the right one; mouthLeft and jawLeft are directions, not sides."""
    shapes = [name.removesuffix("Left") for name in ARKIT_CHANNELS if name.endswith("Left")]
    pairs = [(f"{shape}Left", f"{shape}Right") for shape in shapes if shape not in ("mouth", "jaw")]
    return [left for left, right in pairs if not np.array_equal(columns(values, left), columns(values, right))]


def test_all_styles_but_one_move_both_sides_alike():
    assert [style for style in STYLES if uneven(moved(style, speech()))] == ["lopsided"]


def test_a_lopsided_mouth_is_drawn_aside_and_closes_where_others_do():
    lopsided, plain = moved("lopsided", speech()), to_arkit(speech())
    assert columns(lopsided, "mouthSmileLeft").mean() > 2 * columns(lopsided, "mouthSmileRight").mean()
    assert (columns(lopsided, "mouthLeft") > 0).any()
    assert np.array_equal(
        columns(lopsided, "jawOpen", "mouthClose", "eyeBlinkLeft"),
        columns(plain, "jawOpen", "mouthClose", "eyeBlinkLeft"),
    )
    assert not lopsided[40:].any()  # at rest it rests as any other


def built(identities: int) -> UniTalkerConfig:
    return UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, identities, (HeadConfig("arkit", 52),))


def run_of(model: UniTalkerConfig) -> TrainingConfig:
    return TrainingConfig("lips", model, DataConfig((GroupConfig("all", 1.0),)), {"motion": 1.0})


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A model that knows two of the styles, in another order."""
    file = tmp_path / "earlier.safetensors"
    card = ModelCard("earlier", "", "none")
    checkpoint.save(file, UniTalker(built(3)).eval(), [arkit(60.0)], ("jaw", "clear"), card)
    return file


def test_a_run_finds_the_styles_of_the_model_it_begins_with_by_name(earlier: Path):
    known = checkpoint.load(earlier).model.state_dict()["decoder.identities.weight"]
    fresh, begun = (train._beginning(run_of(built(len(STYLES) + 1)), begin) for begin in (None, earlier))
    rows, new = (model.state_dict()["decoder.identities.weight"] for model in (begun, fresh))
    by_name = dict(zip((*STYLES, "pivot"), rows, strict=True))
    assert torch.equal(by_name["jaw"], known[0])
    assert torch.equal(by_name["clear"], known[1])
    assert torch.equal(by_name["pivot"], known[2])
    assert torch.equal(by_name["soft"], new[list(STYLES).index("soft")])  # the earlier model has none


def test_a_run_may_see_a_second_picture_of_the_sound_and_begins_with_what_the_first_gave(tmp_path: Path):
    def built_on(above_floor: bool) -> UniTalkerConfig:
        encoder = MelEncoderConfig(width=8, blocks=1, formants=2, above_floor=above_floor)
        return dataclasses.replace(built(PIVOT + 1), encoder=encoder)

    file, sound = tmp_path / "plain.safetensors", torch.randn(1, 16000)
    checkpoint.save(file, UniTalker(built_on(False)).eval(), [arkit(60.0)], tuple(STYLES), ModelCard("plain", "", ""))
    begun = train._beginning(run_of(built_on(True)), file).eval()
    torch.testing.assert_close(
        begun.predict(sound, "arkit", 60), checkpoint.load(file).model.predict(sound, "arkit", 60)
    )


def test_a_model_of_another_build_is_refused(earlier: Path):
    wider = UniTalkerConfig(MelEncoderConfig(width=16, blocks=1), "conv", 8, PIVOT + 1, (HeadConfig("arkit", 52),))
    with pytest.raises(ConfigError, match="is not built as the config"):
        train._beginning(run_of(wider), earlier)


def test_importance_of_an_unknown_channel_is_refused():
    with pytest.raises(ConfigError, match="jawOpn, which is no ARKit channel"):
        SpeechToLips(UniTalker(built(1)), 1.0, {"jawOpn": 2.0})
