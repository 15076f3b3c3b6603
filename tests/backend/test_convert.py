# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints become model files; damaged, foreign and dangerous ones become one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.checkpoint import load
from backend.face import ETF_CHANNELS, FLAME_CHANNELS, INHOUSE_CHANNELS
from backend.foreign import official
from backend.foreign.convert import Conversion, ConvertError, convert, official_shapes
from backend.models.speech_config import WAV2VEC2_XLSR_53, WAVLM_BASE_PLUS
from backend.models.unitalker import UniTalker

torch.set_num_threads(1)

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
CASES = sorted(path.name for path in GOLDEN.glob("case*"))
CASE = GOLDEN / "case1_wavlm_conv_pos1_pca"
VERTICES = ("BIWI_23370_vertices", "FLAME_5023_vertices", "meshtalk_6172_vertices")
CONTROLS = ("inhouse_blendshape_weight", "3DETF_blendshape_weight", "flame_params_from_dadhead")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of case 1 to spoil."""
    return Path(shutil.copytree(CASE, tmp_path / "case"))


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def converted(folder: Path, output: Path, **options: Path | None) -> Conversion:
    return convert(folder / "checkpoint.pt", output, **{"config": folder / "config.json", **options})


@pytest.mark.parametrize("name", CASES)
def test_every_golden_layout_is_converted_whole(name: str, tmp_path: Path) -> None:
    folder, output = GOLDEN / name, tmp_path / "model.safetensors"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    conversion = converted(folder, output, pca=folder / "pca" if config["use_pca"] else None)
    loaded = load(output)
    assert set(loaded.spaces) == set(conversion.spaces) == set(config["annotations"])
    assert conversion.left_out == ()
    assert len(loaded.identities) == conversion.identities == config["identity_num"] - 1
    assert conversion.bytes == output.stat().st_size
    for space_name, facts in config["annotations"].items():
        space = loaded.spaces[space_name]
        assert (space.dim, space.fps, space.scale) == (facts["dim"], facts["fps"], facts["scale"])
        assert space.kind == ("vertices" if space_name.endswith("vertices") else space.kind)


def test_a_safetensors_checkpoint_with_its_own_bases_gives_the_same_file(case: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "model.safetensors", tmp_path / "again" / "model.safetensors"
    second.parent.mkdir()
    converted(case, first, pca=case / "pca")
    tensors = tensors_of(case)
    for path in (case / "pca").glob("*.npz"):
        arrays = np.load(path)
        rows = torch.from_numpy(arrays["components_to_data"]).float().contiguous()
        tensors[f"pca_layer_dict.{path.stem}.feat_to_data"] = rows
        tensors[f"pca_layer_dict.{path.stem}.data_to_feat"] = rows.T.contiguous()
        tensors[f"pca_layer_dict.{path.stem}.data_bias"] = torch.from_numpy(arrays["original_data_mean"]).float()
        tensors[f"pca_layer_dict.{path.stem}.feat_mean"] = torch.zeros(len(rows))
        tensors[f"pca_layer_dict.{path.stem}.feat_std"] = torch.ones(len(rows))
    save_file(tensors, case / "checkpoint.safetensors")
    convert(case / "checkpoint.safetensors", second, config=case / "config.json")
    audio = torch.randn(1, 8000)
    models = [load(path).model for path in (first, second)]
    for space in (*CONTROLS, *VERTICES):
        assert torch.equal(*(model.predict(audio, space, 12) for model in models))


def test_spaces_without_a_basis_are_left_out_and_named(tmp_path: Path) -> None:
    conversion = converted(CASE, tmp_path / "model.safetensors")
    assert set(conversion.left_out) == set(VERTICES)
    assert tuple(load(tmp_path / "model.safetensors").spaces) == conversion.spaces == CONTROLS


def test_weights_come_first_and_in_their_official_order(tmp_path: Path) -> None:
    converted(CASE, tmp_path / "model.safetensors", pca=CASE / "pca")
    loaded = load(tmp_path / "model.safetensors")
    assert tuple(loaded.spaces) == (*CONTROLS, *VERTICES[::-1])
    channels = [loaded.spaces[name].channels for name in CONTROLS]
    assert channels == [INHOUSE_CHANNELS, ETF_CHANNELS, FLAME_CHANNELS]
    assert loaded.identities[0] == "D0/0"
    assert loaded.identities[31:33] == ("D3/0", "D3/1")
    assert (loaded.identities[172], loaded.identities[933]) == ("D4/0", "D7/10")
    assert loaded.info.training == {"converted_from": "checkpoint.pt"}


def test_official_orders_of_weights() -> None:
    assert INHOUSE_CHANNELS[:4] == ("eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight")
    assert INHOUSE_CHANNELS[14:21] == (
        *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
        *("jawOpen", "mouthClose"),
    )
    assert INHOUSE_CHANNELS[-3:] == ("cheekPuff", "cheekSquintLeft", "cheekSquintRight")
    assert ETF_CHANNELS[:6] == (
        *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    )
    assert ETF_CHANNELS.index("jawOpen") == 24
    assert (len(INHOUSE_CHANNELS), len(ETF_CHANNELS), len(FLAME_CHANNELS)) == (51, 52, 413)
    assert set(ETF_CHANNELS) - set(INHOUSE_CHANNELS) == {"tongueOut"}


def test_templates_are_kept_and_added(tmp_path: Path) -> None:
    inputs, expected = (np.load(CASE / f"{part}.npz") for part in ("inputs", "expected"))
    names = [key.removeprefix("template.") for key in inputs if key.startswith("template.")]
    np.savez(tmp_path / "templates.npz", **{name: inputs[f"template.{name}"] for name in names})
    output = tmp_path / "model.safetensors"
    converted(CASE, output, pca=CASE / "pca", templates=tmp_path / "templates.npz")
    loaded = load(output)
    audio = torch.from_numpy(inputs["raw_audio0"])[None]
    for name in names:
        motion = loaded.model.predict(audio, name, 60, torch.tensor([39]))
        np.testing.assert_allclose(motion.numpy(), expected[f"r0.{name}.out_motion"], atol=1e-4, rtol=0)
        np.testing.assert_array_equal(loaded.spaces[name].template, inputs[f"template.{name}"][0])


def test_older_names_of_normalised_weights(case: Path, tmp_path: Path) -> None:
    tensors = tensors_of(case)
    stem = "audio_encoder.encoder.pos_conv_embed.conv."
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        tensors[stem + old] = tensors.pop(f"{stem}parametrizations.weight.{new}")
    torch.save(tensors, case / "checkpoint.pt")
    converted(case, tmp_path / "old.safetensors")
    converted(CASE, tmp_path / "new.safetensors")
    audio = torch.randn(1, 4000)
    old, new = (load(tmp_path / f"{name}.safetensors").model.predict(audio, CONTROLS[0], 9) for name in ("old", "new"))
    assert torch.equal(old, new)


def test_checkpoints_of_older_torch_versions(case: Path, tmp_path: Path) -> None:
    torch.save(tensors_of(case), case / "checkpoint.pt", _use_new_zipfile_serialization=False)
    assert converted(case, tmp_path / "model.safetensors").spaces == CONTROLS


def test_half_precision_checkpoints_are_widened(case: Path, tmp_path: Path) -> None:
    torch.save({name: tensor.half() for name, tensor in tensors_of(case).items()}, case / "checkpoint.pt")
    converted(case, tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in load(tmp_path / "model.safetensors").model.parameters()} == {torch.float32}


# ------------------------------------------------------------------------------------------------- released layouts


@pytest.mark.parametrize(
    ("encoder", "tensors", "parameters", "of_the_encoder", "title"),
    [
        (WAVLM_BASE_PLUS, 277, 96_053_300, 94_381_936, "UniTalker-B"),
        (WAV2VEC2_XLSR_53, 451, 317_175_620, 315_438_720, "UniTalker-L"),
    ],
)
def test_released_layouts_are_recognised(encoder, tensors: int, parameters: int, of_the_encoder: int, title) -> None:
    shapes = released_shapes(encoder)
    assert len(shapes) == tensors
    layout = official.recognise(shapes)
    assert layout.encoder == encoder
    config = official.unitalker_config(layout, shapes, ())
    assert [head.components for head in config.heads] == [0, 0, 0, 512, 512, 512]
    with torch.device("meta"):
        model = UniTalker(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert sum(parameter.numel() for parameter in model.encoder.parameters()) == of_the_encoder
    assert official.identity_names(layout)[-1] == "D7/10"


def released_shapes(encoder) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a released checkpoint, whose heads for vertices have 512 rows."""
    layout = official.Layout(encoder, "conv", 256, 935, 1, 512, 1, 30, official.ANNOTATIONS, official.DATA_SETS)
    heads = {
        f"out_head_dict.{name}.weight": (512 if facts.pca else facts.dim, 256)
        for name, facts in official.ANNOTATIONS.items()
    }
    with torch.device("meta"):
        model = UniTalker(official.unitalker_config(layout, heads, ()))
    return {name: shape for name, shape in official_shapes(model).items() if not name.startswith("pca_layer_dict.")}


@pytest.mark.parametrize("spoiled", ["decoder.audio_feature_map.weight", "audio_encoder.masked_spec_embed"])
def test_other_layouts_need_a_config(spoiled: str) -> None:
    shapes = released_shapes(WAVLM_BASE_PLUS)
    assert official.recognise({name: shape for name, shape in shapes.items() if name != spoiled}) is None
    assert official.recognise({**shapes, spoiled: ()}) is None
    with pytest.raises(ConvertError, match="no released UniTalker-B or -L: describe its layout with --config"):
        convert(CASE / "checkpoint.pt", Path("never.safetensors"))


# ---------------------------------------------------------------------------------------------- refused checkpoints


def refused(folder: Path, sentence: str, **options: Path | None) -> None:
    output = folder / "model.safetensors"
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConvertError, match=sentence) as caught:
        converted(folder, output, **options)
    assert "\n" not in str(caught.value)
    assert sorted(folder.rglob("*")) == before, "something was written"


BAD_TENSORS: dict[str, Callable[[dict], object]] = {
    r"lacks the tensor decoder\.audio_feature_map\.bias": lambda tensors: tensors.pop("decoder.audio_feature_map.bias"),
    r"lacks the tensor decoder\.tcn\.first_net\.conv_layers\.0\.residual_layer\.0\.weight": lambda tensors: tensors.pop(
        "decoder.tcn.first_net.conv_layers.0.residual_layer.0.weight"
    ),
    "no head for inhouse_blendshape_weight": lambda tensors: tensors.pop(
        "out_head_dict.inhouse_blendshape_weight.weight"
    ),
    "a tensor that its layout does not have: decoder.surprise": lambda tensors: tensors.update(
        {"decoder.surprise": torch.zeros(1)}
    ),
    r"decoder\.learnable_style_emb\.weight .* has shape \[934, 64\] instead of \[935, 64\]": lambda tensors: (
        tensors.update({"decoder.learnable_style_emb.weight": torch.zeros(934, 64)})
    ),
    r"decoder\.audio_feature_map\.bias .* no numbers": lambda tensors: tensors["decoder.audio_feature_map.bias"].fill_(
        torch.inf
    ),
    r"'epoch' is no tensor": lambda tensors: tensors.update(epoch=3),
    r"'steps' is no tensor": lambda tensors: tensors.update(steps=torch.tensor([3])),
    "more than the config allows": lambda tensors: tensors.update(
        {"out_head_dict.BIWI_23370_vertices.weight": torch.zeros(17, 24)}
    ),
    r"PCA basis of BIWI_23370_vertices in the checkpoint has the wrong shape": lambda tensors: tensors.update(
        {
            "pca_layer_dict.BIWI_23370_vertices.feat_to_data": torch.zeros(20, 7),
            "pca_layer_dict.BIWI_23370_vertices.data_bias": torch.zeros(7),
        }
    ),
}


@pytest.mark.parametrize("sentence", BAD_TENSORS)
def test_tensors_that_do_not_fit(case: Path, sentence: str) -> None:
    tensors = tensors_of(case)
    BAD_TENSORS[sentence](tensors)
    torch.save(tensors, case / "checkpoint.pt")
    refused(case, sentence)


class Dangerous:
    """Unpickling this writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_not_run(case: Path, zipped: bool) -> None:
    mark = case.parent / "it ran"
    tensors = {**tensors_of(case), "payload": Dangerous(mark)}
    torch.save(tensors, case / "checkpoint.pt", _use_new_zipfile_serialization=zipped)
    refused(case, "damaged or holds more than tensors, and was not run")
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 1, 100, 0.3, 0.9, -1])
def test_truncated_checkpoints(case: Path, kept: float) -> None:
    path = case / "checkpoint.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    refused(case, "is empty|is damaged or holds more than tensors")


@pytest.mark.parametrize("content", [b"a text file", b"\x89PNG\r\n\x1a\n" * 9, b"PK\x03\x04" * 40, b"\x80\x02]q\x00."])
def test_foreign_checkpoints(case: Path, content: bytes) -> None:
    (case / "checkpoint.pt").write_bytes(content)
    refused(case, "is damaged or holds more than tensors|it is no table of tensors")


def test_files_that_are_not_there(case: Path) -> None:
    refused(case, "There is no folder .* with PCA files", pca=case / "nowhere")
    refused(case, "There is no file .*nothing.npz", templates=case / "nothing.npz")
    refused(case, "The config .*nothing.json cannot be read", config=case / "nothing.json")
    (case / "checkpoint.pt").unlink()
    refused(case, "There is no checkpoint")


def test_a_model_file_is_not_converted_again(tmp_path: Path) -> None:
    converted(CASE, tmp_path / "model.safetensors")
    with pytest.raises(ConvertError, match="is a Mouthpiece model already"):
        convert(tmp_path / "model.safetensors", tmp_path / "again.safetensors", config=CASE / "config.json")


def test_the_output_is_a_new_file_of_the_right_kind(case: Path) -> None:
    save_file(tensors_of(case), case / "checkpoint.safetensors")
    for checkpoint, output in (("checkpoint.pt", "model.pt"), ("checkpoint.safetensors", "checkpoint.safetensors")):
        with pytest.raises(ConvertError, match="must be another file than the checkpoint and end in"):
            convert(case / checkpoint, case / output, config=case / "config.json")


def test_a_failed_conversion_leaves_an_older_model_alone(case: Path) -> None:
    output = case / "model.safetensors"
    converted(case, output)
    before = output.read_bytes()
    (case / "checkpoint.pt").write_bytes(b"damaged")
    refused(case, "damaged")
    assert output.read_bytes() == before


BAD_CONFIGS: dict[str, Callable[[dict], object]] = {
    "lacks the field 'decoder_type'": lambda config: config.pop("decoder_type"),
    r"decoder is 'lstm'; it must be one of": lambda config: config.update(decoder_type="lstm"),
    "annotations must be a table": lambda config: config.pop("annotations"),
    r"annotations\.BIWI_23370_vertices must be a table": lambda config: config["annotations"].update(
        BIWI_23370_vertices=3
    ),
    r"encoder\.kind is 'hubert'": lambda config: config.update(encoder_kind="hubert"),
    r"encoder_config\.hidden_act is 'relu'; only 'gelu'": lambda config: config["encoder_config"].update(
        hidden_act="relu"
    ),
    "inhouse_blendshape_weight has 51 values per frame, not 50": lambda config: config["annotations"][
        "inhouse_blendshape_weight"
    ].update(dim=50),
    r"learnable_style_emb\.weight .* instead of \[900, 64\]": lambda config: config.update(identity_num=900),
    "holds a tensor that its layout does not have: out_head_dict.3DETF": lambda config: config["annotations"].pop(
        "3DETF_blendshape_weight"
    ),
}


@pytest.mark.parametrize("sentence", BAD_CONFIGS)
def test_configs_that_do_not_fit(case: Path, sentence: str) -> None:
    config = json.loads((case / "config.json").read_text(encoding="utf-8"))
    BAD_CONFIGS[sentence](config)
    (case / "config.json").write_text(json.dumps(config), encoding="utf-8")
    refused(case, sentence)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_configs_that_are_no_json(case: Path, content: bytes) -> None:
    (case / "config.json").write_bytes(content)
    refused(case, "is no JSON file|does not describe a UniTalker")


BAD_BASES = {
    "has no original_data_mean": {"components_to_data": np.zeros((20, 120))},
    r"has components of shape \[20, 119\]; \[16 or more, 120\]": {
        "components_to_data": np.zeros((20, 119)),
        "original_data_mean": np.zeros(119),
    },
    r"has components of shape \[15, 120\]": {
        "components_to_data": np.zeros((15, 120)),
        "original_data_mean": np.zeros(120),
    },
    "holds values that are no numbers": {
        "components_to_data": np.full((20, 120), np.nan),
        "original_data_mean": np.zeros(120),
    },
    "is no npz file of numbers": {"components_to_data": np.array([{}]), "original_data_mean": np.zeros(120)},
}


@pytest.mark.parametrize("sentence", BAD_BASES)
def test_bases_that_do_not_fit(case: Path, sentence: str) -> None:
    np.savez(case / "pca" / "BIWI_23370_vertices.npz", **BAD_BASES[sentence])
    refused(case, sentence, pca=case / "pca")


BAD_TEMPLATES = {
    "hold 'nobody'; the checkpoint's spaces are BIWI": {"nobody": np.zeros(3)},
    "has 119 numbers instead of 120": {"BIWI_23370_vertices": np.zeros((1, 119))},
    "no numbers": {"BIWI_23370_vertices": np.full((40, 3), np.inf)},
}


@pytest.mark.parametrize("sentence", BAD_TEMPLATES)
def test_templates_that_do_not_fit(case: Path, sentence: str) -> None:
    np.savez(case / "templates.npz", **BAD_TEMPLATES[sentence])
    refused(case, sentence, templates=case / "templates.npz")


def test_a_text_file_is_no_template(case: Path) -> None:
    (case / "templates.npz").write_text("neutral")
    refused(case, "is no npz file of numbers", templates=case / "templates.npz")
