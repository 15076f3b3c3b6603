# SPDX-License-Identifier: GPL-3.0-or-later
"""Training that begins with a pretrained speech encoder, as transformers saves it in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import toy_sets
from safetensors.torch import load_file, save_file
from transformers import (
    HubertConfig,
    HubertModel,
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

from backend import checkpoint
from backend.__main__ import main

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
LARGE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
CODES = {"codevector_dim": 8, "num_codevectors_per_group": 4, "proj_codevector_dim": 8}
NETWORKS: dict[str, tuple[type[PreTrainedModel], object]] = {
    "wavlm": (WavLMModel, WavLMConfig(**TINY, num_buckets=40, max_bucket_distance=80)),
    "wav2vec2": (Wav2Vec2Model, Wav2Vec2Config(**TINY, **LARGE)),
    "wav2vec2 with its own task": (Wav2Vec2ForPreTraining, Wav2Vec2Config(**TINY, **CODES)),
    "hubert": (HubertModel, HubertConfig(**TINY)),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    return toy_sets.prepare("clips", toy_sets.rig(folder / "hero"), folder / "out")


def saved(name: str, folder: Path) -> PreTrainedModel:
    torch.manual_seed(5)
    kind, config = NETWORKS[name]
    network = kind(config).eval()
    network.save_pretrained(folder)
    return network


def train(data: Path, folder: Path, encoder: Path, *changes: str) -> int:
    still = ("schedule.rate=0.0", "schedule.last_rate=0.0", "schedule.epochs=1", "heads.components=0")
    changes = (f"model.encoder.pretrained={encoder}", "model.decoder_dimension=8", "sampling.batch=4", *still, *changes)
    settings = [word for change in changes for word in ("--set", change)]
    config = folder.parent / "config.toml"
    config.write_text('kind = "motion"\nname = "tuned"\n[model]\ndecoder = "conv"\n')
    named = ["--data", str(data), "--run", str(folder), "--output", str(folder / "model.safetensors")]
    return main(["train", "--config", str(config), *named, "--threads", "1", *settings])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_encoder_hears_what_it_heard_before(prepared: Path, tmp_path: Path, name: str) -> None:
    network = saved(name, tmp_path / "encoder")
    assert train(prepared, tmp_path / "run", tmp_path / "encoder") == 0
    encoder = checkpoint.load(tmp_path / "run" / "model.safetensors").model.encoder
    assert encoder.config.normalise_audio == ("do_stable_layer_norm" in str(NETWORKS[name]) and name == "wav2vec2")
    audio = torch.randn(1, 8000)
    audio = (audio - audio.mean()) / audio.std(correction=0)
    heard = getattr(network, "wav2vec2", network)
    with torch.no_grad():
        torch.testing.assert_close(encoder(audio), heard(audio).last_hidden_state, atol=2e-2, rtol=0)  # half precision


def test_the_convolutions_stay_and_the_rest_learns(prepared: Path, tmp_path: Path) -> None:
    network = saved("wavlm", tmp_path / "encoder")
    changes = ("schedule.rate=0.01", "schedule.decoder_epochs=1", "schedule.epochs=3", "schedule.average=0.0")
    assert train(prepared, tmp_path / "run", tmp_path / "encoder", *changes) == 0
    state = load_file(tmp_path / "run" / "state.safetensors")
    for tensor, value in network.state_dict().items():
        learned = state[f"model.encoder.network.{tensor}"]
        if tensor.startswith("feature_extractor."):
            assert torch.equal(value, learned), tensor
    query = "encoder.layers.0.attention.q_proj.weight"
    assert not torch.equal(network.state_dict()[query], state[f"model.encoder.network.{query}"])


def test_weights_may_be_an_older_torch_file(prepared: Path, tmp_path: Path) -> None:
    network = saved("wavlm", tmp_path / "encoder")
    (tmp_path / "encoder" / "model.safetensors").unlink()
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in network.state_dict().items()
    }
    assert old.keys() != network.state_dict().keys()
    torch.save(old, tmp_path / "encoder" / "pytorch_model.bin")
    (tmp_path / "encoder" / "preprocessor_config.json").write_text('{"do_normalize": true}')
    assert train(prepared, tmp_path / "run", tmp_path / "encoder") == 0
    encoder = checkpoint.load(tmp_path / "run" / "model.safetensors").model.encoder
    assert encoder.config.normalise_audio
    weight = network.state_dict()["encoder.layers.1.attention.k_proj.weight"]
    torch.testing.assert_close(encoder.network.encoder.layers[1].attention.k_proj.weight, weight, atol=1e-3, rtol=0)


def test_another_encoder_may_not_go_on_with_a_run(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved("wavlm", tmp_path / "encoder")
    assert train(prepared, tmp_path / "run", tmp_path / "encoder") == 0
    path = tmp_path / "encoder" / "model.safetensors"
    save_file({name: value + 1e-3 for name, value in load_file(path).items()}, path, {"format": "pt"})
    assert train(prepared, tmp_path / "run", tmp_path / "encoder") == 2
    assert "begin was 'encoder " in capsys.readouterr().err


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


WRONG = {
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json cannot be read"),
    "no json": (lambda folder: (folder / "config.json").write_text("{"), "config.json is no JSON"),
    "kind": (
        lambda folder: change_config(folder, model_type="bert"),
        "config.json describes a bert; there can be wavlm",
    ),
    "activation": (lambda folder: change_config(folder, hidden_act="relu"), "config.json.hidden_act is 'relu'"),
    "size": (lambda folder: change_config(folder, intermediate_size=32), "and the encoder's is [32"),
    "layers": (
        lambda folder: change_config(folder, num_hidden_layers=3),
        "model.safetensors lacks the tensor encoder.lay",
    ),
    "no weights": (
        lambda folder: (folder / "model.safetensors").unlink(),
        "neither model.safetensors nor pytorch_model",
    ),
    "damaged": (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "model.safetensors is no whole"),
}


@pytest.mark.parametrize("damage", WRONG)
def test_a_folder_that_cannot_be_used_is_one_sentence(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    change, sentence = WRONG[damage]
    saved("wavlm", tmp_path / "encoder")
    change(tmp_path / "encoder")
    assert train(prepared, tmp_path / "run", tmp_path / "encoder") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ")
    assert sentence in said


def test_a_kind_that_the_folder_does_not_hold_is_refused(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved("hubert", tmp_path / "encoder")
    assert train(prepared, tmp_path / "run", tmp_path / "encoder", "model.encoder.kind=wavlm") == 2
    assert "holds a wav2vec2 encoder, and the config asks for wavlm" in capsys.readouterr().err
