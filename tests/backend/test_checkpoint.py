# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files: what is saved comes back, and nothing else is ever loaded."""

from __future__ import annotations

import dataclasses
import json
import re
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from backend.checkpoint import METADATA_KEY, CheckpointError, LoadedModel, ModelCard, load, read_header, save
from backend.face import FaceSpace, arkit
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import AuxiliaryConfig, HeadConfig, UniTalker, UniTalkerConfig

torch.set_num_threads(1)

MEL = MelEncoderConfig(width=8, blocks=1)
SPEECH = SpeechEncoderConfig(
    "wavlm", width=16, layers=2, attention_heads=2, feed_forward=32, convolution_channels=(8,) * 7
)
HEADS = (HeadConfig("arkit", 52), HeadConfig("head", 12, components=4, layers=2, has_template=True))
SPACES = (
    arkit(),
    FaceSpace("head", "vertices", 25.0, 12, scale=0.2, lips=np.array([0, 3]), upper_face=np.array([1])),
)
CARD = ModelCard("tiny", "Tiny – für Tests", "CC0-1.0", {"steps": 3, "figures": {"f1": 0.5}})


def tiny(encoder: MelEncoderConfig | SpeechEncoderConfig = MEL, decoder: str = "conv") -> UniTalker:
    torch.manual_seed(3)
    model = UniTalker(UniTalkerConfig(encoder, decoder, 8, 3, HEADS, auxiliary=(AuxiliaryConfig("phones", 5),)))
    for buffer in model.heads["head"].buffers():
        buffer.copy_(torch.randn_like(buffer))
    return model.eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "ein Modell.safetensors"
    save(path, tiny(), SPACES, ("anna", "bert"), CARD)
    return path


@pytest.mark.parametrize("encoder", [MEL, SPEECH])
@pytest.mark.parametrize("decoder", ["conv", "transformer"])
def test_a_model_comes_back_as_it_was(tmp_path: Path, encoder, decoder: str) -> None:
    model, path = tiny(encoder, decoder), tmp_path / "model.safetensors"
    save(path, model, SPACES, ("anna", "bert"), CARD)
    loaded = load(path)
    assert loaded.model.config == model.config
    assert not loaded.model.training
    assert loaded.info == CARD
    assert loaded.identities == ("anna", "bert")
    audio = torch.randn(1, 8000)
    for space in ("arkit", "head"):
        assert torch.equal(loaded.model.predict(audio, space, 20), model.predict(audio, space, 20))
    assert all(not tensor.is_meta for tensor in (*loaded.model.parameters(), *loaded.model.buffers()))


def test_face_spaces_come_back_in_order_with_their_arrays(saved: Path) -> None:
    spaces = load(saved).spaces
    assert list(spaces) == ["arkit", "head"]
    for found, wanted in zip(spaces.values(), SPACES, strict=True):
        for field in ("name", "kind", "fps", "dim", "channels", "scale"):
            assert getattr(found, field) == getattr(wanted, field)
    np.testing.assert_array_equal(spaces["head"].lips, [0, 3])
    np.testing.assert_array_equal(spaces["head"].upper_face, [1])
    np.testing.assert_array_equal(spaces["head"].template, tiny().template("head").numpy())
    assert spaces["arkit"].lips is spaces["arkit"].template is None


def test_a_loaded_model_can_be_trained_and_saved_over_its_own_file(saved: Path) -> None:
    loaded = load(saved)
    optimizer = torch.optim.SGD(loaded.model.parameters(), lr=0.1)
    loaded.model(torch.randn(1, 4000), "arkit", 15).values.sum().backward()
    optimizer.step()
    again(saved, loaded)
    audio = torch.randn(1, 4000)
    assert torch.equal(load(saved).model.predict(audio, "arkit", 9), loaded.model.predict(audio, "arkit", 9))
    assert not torch.equal(tiny().predict(audio, "arkit", 9), loaded.model.predict(audio, "arkit", 9))


def again(path: Path, loaded: LoadedModel) -> None:
    save(path, loaded.model, list(loaded.spaces.values()), loaded.identities, loaded.info)


def test_half_precision_is_for_trained_weights_only(tmp_path: Path, saved: Path) -> None:
    path = tmp_path / "half.safetensors"
    save(path, tiny(), SPACES, ("anna", "bert"), CARD, half=True)
    assert path.stat().st_size < 0.7 * saved.stat().st_size
    loaded, exact = load(path).model, load(saved).model
    for (name, found), wanted in zip(loaded.state_dict().items(), exact.state_dict().values(), strict=True):
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
        if "basis" in name or "template" in name:
            assert torch.equal(found, wanted)


def test_float32_weights_stay_mapped_from_the_disk(tmp_path: Path) -> None:
    big = UniTalker(UniTalkerConfig(MEL, "conv", 8, 60000, (HeadConfig("arkit", 52),), identity_width=512))
    path = tmp_path / "big.safetensors"
    save(path, big, [arkit()], tuple(map(str, range(59999))), CARD)
    before = anonymous_memory()
    loaded = load(path)
    assert loaded.model.decoder.identities.weight.shape == (60000, 512)
    assert anonymous_memory() - before < 60e6, "120 MB of weights were copied"


def anonymous_memory() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("this system does not tell a process how much memory it owns")
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status.read_text())[1])


def test_the_header_is_read_without_the_weights(saved: Path) -> None:
    header = read_header(saved)
    assert header.card == CARD
    assert [space.name for space in header.spaces] == ["arkit", "head"]
    assert header.config["encoder"]["kind"] == "mel"


def test_the_same_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again(tmp_path / "again.safetensors", load(saved))
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_no_code_travels_in_a_model_file(saved: Path) -> None:
    """JSON and numbers, and nothing behind them."""
    content = saved.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    tensors = json.loads(content[8 : 8 + length])
    about = tensors.pop("__metadata__")
    assert set(about) == {METADATA_KEY} and isinstance(json.loads(about[METADATA_KEY]), dict)
    assert {tensor["dtype"] for tensor in tensors.values()} <= {"F16", "F32", "I64"}
    assert max(tensor["data_offsets"][1] for tensor in tensors.values()) == len(content) - 8 - length


# ------------------------------------------------------------------------------------------------------- refused files


def refused(path: Path, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.safetensors", "There is no model file")


def test_a_folder(tmp_path: Path) -> None:
    refused(tmp_path, "cannot be read|no whole model file")


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.3, 0.9, -1])
def test_truncated_files(saved: Path, kept: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    refused(saved, "no whole model file")


@pytest.mark.parametrize("content", [b"hello, I am a text file", b"\xff" * 64, b"\x80\x04N." * 30, b"PK\x03\x04" * 40])
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    refused(path, "no whole model file")


def test_somebody_elses_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    refused(path, "no Mouthpiece model; pass official UniTalker weights through `convert`")


def rewrite(path: Path, change: Callable[[dict, dict], None]) -> None:
    """Change the tensors and the JSON object of a model file."""
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[METADATA_KEY])
    change(tensors, header)
    path.unlink()
    save_file(tensors, path, {METADATA_KEY: json.dumps(header)})


BAD_TENSORS = {
    r"lacks the tensor decoder\.audio\.bias": lambda tensors, _: tensors.pop("decoder.audio.bias"),
    "holds a tensor that its model does not have: extra": lambda tensors, _: tensors.update(extra=torch.zeros(2)),
    r"decoder\.audio\.bias of .* is F32 \[9\]; its model has floats of shape \[8\]": lambda tensors, _: tensors.update(
        {"decoder.audio.bias": torch.zeros(9)}
    ),
    r"is F64 \[8\]": lambda tensors, _: tensors.update({"decoder.audio.bias": torch.zeros(8, dtype=torch.float64)}),
    r"decoder\.audio\.bias .* no numbers": lambda tensors, _: tensors["decoder.audio.bias"].fill_(torch.nan),
    r"decoder\.audio\.weight .* no numbers": lambda tensors, _: tensors["decoder.audio.weight"][0, 0].fill_(-torch.inf),
    r"heads\.head\.template .* no numbers": lambda tensors, _: tensors["heads.head.template"][3].fill_(torch.nan),
    r"spaces\.head\.lips of .* no list of indices": lambda tensors, _: tensors.update(
        {"spaces.head.lips": torch.zeros(2, 2, dtype=torch.int64)}
    ),
    "lips indices of head point outside its 4 points": lambda tensors, _: tensors["spaces.head.lips"].fill_(4),
    "upper_face indices of head point outside": lambda tensors, _: tensors["spaces.head.upper_face"].fill_(-1),
    r"does not have: spaces\.nobody\.lips": lambda tensors, _: tensors.update(
        {"spaces.nobody.lips": torch.zeros(2, dtype=torch.int64)}
    ),
}


@pytest.mark.parametrize("sentence", BAD_TENSORS)
def test_tensors_that_do_not_fit_the_config(saved: Path, sentence: str) -> None:
    rewrite(saved, BAD_TENSORS[sentence])
    with pytest.raises(CheckpointError, match=sentence):
        load(saved)


BAD_HEADERS = {
    "has format 2 and this Mouthpiece reads 1: update": lambda _, header: header.update(format=2),
    "has format None": lambda _, header: header.pop("format"),
    "kind of model 'parrot' is unknown": lambda _, header: header.update(model="parrot"),
    "no field 'colour'": lambda _, header: header.update(colour=1),
    "lacks the field 'card'": lambda _, header: header.pop("card"),
    "its description holds NaN": lambda _, header: header["card"]["training"].update(loss=float("nan")),
    "names 1 identities; its table has 2": lambda _, header: header.update(identities=["anna"]),
    "two identities have the same name": lambda _, header: header.update(identities=["anna", "anna"]),
    "face spaces of .* are not those of its heads": lambda _, header: header["spaces"].reverse(),
    "rate and scale of arkit must be positive": lambda _, header: header["spaces"][0].update(fps=0),
    "52 numbers but 51 channel names": lambda _, header: header["spaces"][0]["channels"].pop(),
    r"config\.decoder is 'magic'": lambda _, header: header["config"].update(decoder="magic"),
    r"config\.encoder: a mel encoder has at most 64 blocks": lambda _, header: header["config"]["encoder"].update(
        blocks=1_000_000_000
    ),
    r"config: the sizes of a UniTalker": lambda _, header: header["config"].update(identity_count=10**12),
}


@pytest.mark.parametrize("sentence", BAD_HEADERS)
def test_descriptions_that_do_not_fit(saved: Path, sentence: str) -> None:
    rewrite(saved, BAD_HEADERS[sentence])
    refused(saved, sentence)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '"x"', "1e999"])
def test_descriptions_that_are_no_json_object(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {METADATA_KEY: text})
    refused(path, "is damaged")


def test_enormous_sizes_are_refused_before_memory_is_asked_for(saved: Path) -> None:
    rewrite(saved, lambda _, header: header["config"].update(decoder_dimension=65536, identity_width=65536))
    before, start = anonymous_memory(), time.monotonic()
    refused(saved, "its model has floats of shape")
    assert anonymous_memory() - before < 50e6
    assert time.monotonic() - start < 5


# ------------------------------------------------------------------------------------------------------ refused models


def test_models_with_values_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        model.decoder.audio.bias[0] = torch.nan
    with pytest.raises(CheckpointError, match=r"not written: the tensor decoder\.audio\.bias"):
        save(tmp_path / "model.safetensors", model, SPACES, ("anna", "bert"), CARD)
    assert not list(tmp_path.iterdir())


def test_weights_too_large_for_half_precision_are_not_written(tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        model.decoder.audio.bias[0] = 70000.0
    with pytest.raises(CheckpointError, match=r"decoder\.audio\.bias"):
        save(tmp_path / "model.safetensors", model, SPACES, ("anna", "bert"), CARD, half=True)
    save(tmp_path / "model.safetensors", model, SPACES, ("anna", "bert"), CARD)


@pytest.mark.parametrize(
    ("spaces", "identities", "card", "sentence"),
    [
        (SPACES[:1], ("anna", "bert"), CARD, "face spaces"),
        (SPACES[::-1], ("anna", "bert"), CARD, "face spaces"),
        (SPACES, ("anna",), CARD, "names 1 identities"),
        (SPACES, ("anna", "anna"), CARD, "same name"),
        (SPACES, ("anna", "bert"), dataclasses.replace(CARD, training={"loss": float("inf")}), "JSON"),
    ],
)
def test_descriptions_that_could_not_be_read_are_not_written(
    tmp_path: Path, spaces, identities: tuple[str, ...], card: ModelCard, sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        save(tmp_path / "model.safetensors", tiny(), spaces, identities, card)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written"):
        save(tmp_path / "nowhere" / "model.safetensors", tiny(), SPACES, ("anna", "bert"), CARD)
    assert not list(tmp_path.iterdir())
