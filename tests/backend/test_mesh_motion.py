# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces whose motion is a mesh's vertices: vertex spaces, and FLAME parameters through the artist's FLAME file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, face, motion_file, pipeline, planning, protocol, windows
from backend.__main__ import main
from backend.foreign import flame_file
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

FLAME = Path(__file__).resolve().parents[1] / "data" / "flame" / "flame_synthetic.pkl"
SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech"
VERTICES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, ``mesh``, of twelve vertices around a template and of FLAME parameters."""
    torch.manual_seed(0)
    heads = (HeadConfig("toy_vertices", 3 * VERTICES, has_template=True), HeadConfig("flame_params_from_dadhead", 413))
    model = UniTalker(UniTalkerConfig(MelEncoderConfig(), "conv", 32, 2, heads))
    template = model.template("toy_vertices")
    assert template is not None
    template.copy_(torch.randn(3 * VERTICES))
    toy = face.annotation("toy_vertices", 3 * VERTICES, 30.0)
    flame = face.annotation("flame_params_from_dadhead", 413, 30.0)
    made = tmp_path_factory.mktemp("meshes")
    card = checkpoint.ModelCard("mesh", "A model of meshes for tests", "GPL-3.0-or-later")
    checkpoint.save(made / "mesh.safetensors", model, [toy, flame], ["ann"], card)
    return made


@pytest.fixture(scope="module")
def sound() -> Path:
    return next(file for file in sorted(SPEECH.iterdir()) if file.suffix in (".flac", ".wav"))


def generated(folder: Path, sound: Path, output: Path, *options: str) -> motion_file.Motion:
    assert (
        main(["generate", str(sound), "--model", str(folder / "mesh.safetensors"), "--output", str(output), *options])
        == 0
    )
    return motion_file.read(output)


def test_flame_parameters_come_out_as_the_vertices_that_the_artists_file_gives(
    folder: Path, sound: Path, tmp_path: Path
):
    options = ("--space", "flame_params_from_dadhead", "--device", "cpu")
    parameters = generated(folder, sound, tmp_path / "parameters.npz", *options)
    vertices = generated(folder, sound, tmp_path / "vertices.npz", *options, "--flame", str(FLAME))
    assert parameters.values.shape[1:] == (413,)
    assert vertices.names == ()
    expected = flame_file.mesh(FLAME)(torch.from_numpy(parameters.values)).numpy()
    np.testing.assert_allclose(vertices.values, expected, atol=1e-6)


def test_a_flame_file_that_is_none_is_refused(folder: Path, sound: Path, capsys: pytest.CaptureFixture[str]):
    code = main(["generate", str(sound), "--model", str(folder / "mesh.safetensors"), "--flame", str(sound)])
    assert code == 2
    assert "is damaged or not a FLAME model" in capsys.readouterr().err


def test_neutral_is_the_template_where_there_is_one(folder: Path):
    loaded = checkpoint.load(folder / "mesh.safetensors")
    planned = planning.plan(loaded, planning.Request("toy_vertices"))
    template = loaded.spaces["toy_vertices"].template
    assert template is not None
    np.testing.assert_array_equal(pipeline.neutral(loaded, planned), template.reshape(-1, 3))


def test_neutral_of_flame_is_what_silence_gives(folder: Path):
    loaded = checkpoint.load(folder / "mesh.safetensors").with_flame(flame_file.mesh(FLAME))
    planned = planning.plan(loaded, planning.Request("flame_params_from_dadhead", raw=True))
    silence = np.zeros(3 * windows.SAMPLE_RATE, np.float32)
    answer = np.concatenate([chunk.values for chunk in pipeline.generate(loaded, silence, planned)])
    middle = answer[len(answer) // 2]
    np.testing.assert_allclose(pipeline.neutral(loaded, planned), middle, atol=0.02)


def test_server_tells_which_spaces_move_a_mesh_and_sends_the_neutral_face_first(
    folder: Path, start_client: Callable, request_for: Callable
):
    client = start_client("--models", str(folder), "--flame", str(FLAME), "--device", "cpu")
    ready = client.next()
    (about,) = (model for model in ready.models if model.name == "mesh")
    assert about.meshes == ("toy_vertices", "flame_params_from_dadhead")
    client.send(request_for(1, model="mesh"))
    answers = [answer for answer in client.until_end(1) if not isinstance(answer, protocol.Progress)]
    assert [type(answer) for answer in answers[:2]] == [protocol.Neutral, protocol.Frames]
    assert answers[0].vertices.shape == (VERTICES, 3)
    assert answers[1].values.shape[1:] == (VERTICES, 3)


def test_without_a_flame_file_flame_parameters_are_controls(folder: Path, start_client: Callable):
    ready = start_client("--models", str(folder), "--device", "cpu").next()
    (about,) = (model for model in ready.models if model.name == "mesh")
    assert about.meshes == ("toy_vertices",)
