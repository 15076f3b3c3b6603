# SPDX-License-Identifier: GPL-3.0-or-later
"""Several spaces, styles and takes of one sound: one pass of the encoder, and the motion that each has alone."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from backend import animating, catalogue, checkpoint, face, motion_file, pipeline, planning
from backend.__main__ import main
from backend.animating import Listening
from backend.audio import decode
from backend.checkpoint import LoadedModel, ModelCard
from backend.face import FaceSpace
from backend.known_words import Transcript
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.performance import Performance
from backend.phone_track import PhoneTrack
from backend.pipeline import Chunk, Stopped
from backend.planning import Request
from tests.backend.conftest import babble
from tests.backend.test_known_words import ABOUT, DEMO
from tests.backend.test_takes import file, loaded  # noqa: F401

torch.set_num_threads(1)
SPACES = (face.arkit(30.0), FaceSpace("mesh", "vertices", 25.0, 12), FaceSpace("points", "vertices", 30.0, 9))
ENCODERS = {
    "mel": (MelEncoderConfig(width=16, blocks=2, bands=20), 1),
    "speech": (SpeechEncoderConfig("wavlm", 32, 2, 4, 64, (16,) * 7, position_kernel=16, position_groups=4), 1),
    "speech, resampled inside": (
        SpeechEncoderConfig("wavlm", 32, 2, 4, 64, (16,) * 7, position_kernel=16, position_groups=4),
        0,
    ),
}
WANTED = [Request(space, identity=who) for space in ("arkit", "mesh", "points") for who in ("pivot", "ann")]
LONG = babble(63.0) * np.linspace(0.5, 1.0, 63 * 16_000, dtype=np.float32)
"""Three windows, no two of them alike."""


def talker(name: str) -> LoadedModel:
    torch.manual_seed(0)
    encoder, position = ENCODERS[name]
    heads = tuple(HeadConfig(space.name, space.dim) for space in SPACES)
    model = UniTalker(UniTalkerConfig(encoder, "conv", 32, 2, heads, interpolate_position=position)).eval()
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, 0.2, 0.2)
    return LoadedModel(model, {space.name: space for space in SPACES}, ("ann",), ModelCard("talker", "", ""))


@contextlib.contextmanager
def passes(module: torch.nn.Module) -> Iterator[list[object]]:
    """Grows by one whenever a part of an encoder is really asked."""
    found: list[object] = []
    handle = module.register_forward_hook(lambda *_: found.append(None))
    yield found
    handle.remove()


def alone(model: LoadedModel, request: Request) -> dict[int, np.ndarray]:
    """The motion of each take."""
    return joined(pipeline.generate(model, LONG, planning.plan(model, request)))


def joined(chunks) -> dict[int, np.ndarray]:
    found = defaultdict(list)
    for chunk in chunks:
        assert chunk.start == sum(map(len, found[chunk.take]))
        found[chunk.take].append(chunk.values)
    return {take: np.concatenate(values) for take, values in found.items()}


def together(model: LoadedModel, requests: list[Request]) -> list[dict[int, np.ndarray]]:
    chunks = defaultdict(list)
    for number, chunk in pipeline.generate_each(model, LONG, [planning.plan(model, request) for request in requests]):
        chunks[number].append(chunk)
    return [joined(chunks[number]) for number in range(len(requests))]


def check(model: LoadedModel, requests: list[Request]) -> None:
    for request, motions in zip(requests, together(model, requests), strict=True):
        wanted = alone(model, request)
        assert motions.keys() == wanted.keys()
        for take, motion in motions.items():
            np.testing.assert_array_equal(motion, wanted[take])


@pytest.mark.parametrize(("name", "most"), [("mel", 4), ("speech", 4), ("speech, resampled inside", 2 * 3 + 1)])
def test_spaces_and_styles_hear_every_window_once(name: str, most: int) -> None:
    """Three windows and the silence of the rest pose; spaces of another frame rate, where time is resampled inside."""
    model = talker(name)
    encoder = model.model.encoder
    with passes(encoder.norm if name == "mel" else encoder.network.feature_extractor) as found:
        together(model, WANTED)
    assert len(found) == most
    check(talker(name), WANTED)


def test_so_do_takes_in_every_space_and_style(loaded: LoadedModel) -> None:  # noqa: F811
    performance = Performance(seed=3, takes=2)
    wanted = [Request(space, identity=who, performance=performance) for space in ("arkit", "mesh") for who in "01"]
    with passes(loaded.model.encoder.norm) as found:
        assert len(together(loaded, wanted)) == 4
    assert len(found) == 3
    check(loaded, wanted)


def test_what_was_heard_is_forgotten_even_where_somebody_stops() -> None:
    model, asked = talker("mel"), []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 4

    with pytest.raises(Stopped):
        list(pipeline.generate_each(model, LONG, [planning.plan(model, request) for request in WANTED], stop))
    assert "forward" not in vars(model.model.encoder)


def test_lips_follow_a_transcript_in_every_style() -> None:
    model, samples = checkpoint.load(catalogue.find("default")), decode(DEMO)
    plans = [planning.plan(model, Request(fps=fps)) for fps in (24.0, 30.0)]
    listening = Listening(model, Transcript(ABOUT["text"]))
    parts = list(animating.animate_each(model, samples, plans, listening))
    (track,) = (part for _, part in parts if isinstance(part, PhoneTrack))
    for number, planned in enumerate(plans):
        wanted = list(animating.animate(model, samples, planned, listening))
        found = joined(part for owner, part in parts if owner == number and isinstance(part, Chunk))
        np.testing.assert_allclose(found[0], joined(part for part in wanted if isinstance(part, Chunk))[0], atol=1e-5)
        assert track.follows_transcript
        assert [phone.viseme for phone in track.phones] == [
            phone.viseme for part in wanted if isinstance(part, PhoneTrack) for phone in part.phones
        ]


def test_one_command_writes_every_space_and_style(file: Path, tmp_path: Path, capsys) -> None:  # noqa: F811
    sound = tmp_path / "line.wav"
    soundfile.write(sound, babble(2.0), 16_000)
    several = ("--space", "arkit", "--space", "mesh", "--identity", "ann", "--identity", "bob")
    words = ["generate", str(sound), "--model", str(file), "--output", str(tmp_path / "out" / "line.npz")]
    assert main([*words, *several, "--takes", "2"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"line.{space}.{who}.take{take}.npz" for space in ("arkit", "mesh") for who in ("ann", "bob") for take in (1, 2)
    }
    motion = motion_file.read(tmp_path / "out" / "line.mesh.bob.take2.npz")
    assert (motion.space, motion.fps, len(motion.values)) == ("mesh", 25.0, 50)
    about = json.loads(motion.metadata)
    assert (about["identity"], about["seed"]) == ("bob", 1)
    capsys.readouterr()
    assert main([*words, "--space", "mesh", "--space", "mesh"]) == 2
    assert "name each of them once" in capsys.readouterr().err
