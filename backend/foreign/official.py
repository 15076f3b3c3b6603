# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the official UniTalker release: its data sets, its configs, its tensor names. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from backend.models.speech_config import WAV2VEC2_XLSR_53, WAVLM_BASE_PLUS, SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalkerConfig
from backend.settings import SettingsError, from_plain, to_plain

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Annotation:
    """What a data set's motion is written in."""

    dim: int
    """Numbers per frame."""
    fps: float
    scale: float
    pca: bool
    """The head gives PCA coefficients."""


@dataclass(frozen=True)
class DataSet:
    """One data set of the release and the people in it."""

    annot_type: str
    subjects: int


ANNOTATIONS = {
    "BIWI_23370_vertices": Annotation(70110, 25.0, 0.2, True),
    "FLAME_5023_vertices": Annotation(15069, 30.0, 1.0, True),
    "meshtalk_6172_vertices": Annotation(18516, 30.0, 0.001, True),
    "3DETF_blendshape_weight": Annotation(52, 30.0, 1.0, False),
    "flame_params_from_dadhead": Annotation(413, 30.0, 1.0, False),
    "inhouse_blendshape_weight": Annotation(51, 30.0, 1.0, False),
}

DATA_SETS = {
    "D0": DataSet("BIWI_23370_vertices", 6),
    "D1": DataSet("FLAME_5023_vertices", 12),
    "D2": DataSet("meshtalk_6172_vertices", 13),
    "D3": DataSet("3DETF_blendshape_weight", 141),
    "D4": DataSet("3DETF_blendshape_weight", 24),
    "D5": DataSet("flame_params_from_dadhead", 719),
    "D6": DataSet("inhouse_blendshape_weight", 8),
    "D7": DataSet("inhouse_blendshape_weight", 11),
}

POSITION_ROWS = 3000
"""Frames that the official transformer decoder's position table must at least hold."""


@dataclass(frozen=True)
class Layout:
    """Everything about an official checkpoint that its tensors do not say."""

    encoder: SpeechEncoderConfig
    decoder_type: str
    decoder_dimension: int
    identity_num: int
    interpolate_pos: int
    pca_dim: int
    headlayer: int
    period: int
    annotations: dict[str, Annotation]
    datasets: dict[str, DataSet]


def read_layout(plain: object) -> Layout:
    """The layout that a config file describes; `SettingsError` names what is missing or wrong."""
    config = _table(plain, "the config")
    kept = {name: config[name] for name in Layout.__dataclass_fields__ if name in config}
    for name, kind in (("annotations", Annotation), ("datasets", DataSet)):
        entries = _table(kept.get(name), name)
        kept[name] = {key: _only(kind, _table(entry, f"{name}.{key}")) for key, entry in entries.items()}
    kept["encoder"] = _encoder(config)
    return from_plain(Layout, kept, "the config")


def recognise(shapes: Mapping[str, Shape]) -> Layout | None:
    """The layout of a released UniTalker-B or -L, by the names and shapes of its tensors; None for all others."""
    mask = shapes.get("audio_encoder.masked_spec_embed")
    is_wavlm = "audio_encoder.encoder.layers.0.attention.gru_rel_pos_const" in shapes
    encoder = WAVLM_BASE_PLUS if is_wavlm else WAV2VEC2_XLSR_53
    identities = _rows(shapes.get("decoder.learnable_style_emb.weight"))
    dimension = _rows(shapes.get("decoder.audio_feature_map.weight"))
    rows = {name: _head_rows(shapes, name) for name in ANNOTATIONS}
    if mask != (encoder.width,) or not identities or not dimension or not any(rows.values()):
        return None
    annotations = {
        name: Annotation(facts.dim, facts.fps, facts.scale, rows[name][-1] < facts.dim)
        for name, facts in ANNOTATIONS.items()
        if rows[name]
    }
    return Layout(
        encoder=encoder,
        decoder_type="transformer" if "decoder.PPE.pe" in shapes else "conv",
        decoder_dimension=dimension,
        identity_num=identities,
        interpolate_pos=1,
        pca_dim=max([rows[name][-1] for name, facts in annotations.items() if facts.pca], default=0),
        headlayer=len(next(filter(None, rows.values()))),
        period=30,
        annotations=annotations,
        datasets={name: facts for name, facts in DATA_SETS.items() if facts.annot_type in annotations},
    )


def unitalker_config(layout: Layout, shapes: Mapping[str, Shape], templates: Collection[str]) -> UniTalkerConfig:
    """The config of our own model for a layout; `SettingsError` where a head is not there or has impossible rows."""
    plain = {
        "encoder": to_plain(layout.encoder),
        "decoder": layout.decoder_type,
        "decoder_dimension": layout.decoder_dimension,
        "identity_count": layout.identity_num,
        "heads": [_head(layout, name, shapes, name in templates) for name in head_order(layout)],
        "interpolate_position": layout.interpolate_pos,
        "period": layout.period,
    }
    return from_plain(UniTalkerConfig, plain, "the config")


def head_order(layout: Layout) -> list[str]:
    """Annotation types with what most characters can use first: weights, then FLAME, then vertices; newest first."""
    ranks = {"weight": 0, "vertices": 2}
    newest_first = list(layout.annotations)[::-1]
    return sorted(newest_first, key=lambda name: ranks.get(name.rsplit("_", 1)[-1], 1))


def identity_names(layout: Layout) -> tuple[str, ...]:
    """A name per identity row without the pivot: data set and subject, or numbers where the data sets do not add up."""
    names = tuple(f"{name}/{subject}" for name, facts in layout.datasets.items() for subject in range(facts.subjects))
    if len(names) != layout.identity_num - 1:
        return tuple(map(str, range(layout.identity_num - 1)))
    return names


_RENAMED = (
    (r"encoder\.network\.", "audio_encoder."),
    (r"decoder\.identities\.", "decoder.learnable_style_emb."),
    (r"decoder\.audio\.", "decoder.audio_feature_map."),
    (r"decoder\.positions$", "decoder.PPE.pe"),
    (r"decoder\.layer\.", "decoder.transformer_decoder.layers.0."),
    (r"decoder\.blocks\.(\d)\.convolution\.", r"decoder.tcn.first_net.conv_layers.\1.conv."),
    (r"decoder\.blocks\.(\d)\.norm\.", r"decoder.tcn.first_net.conv_layers.\1.norm."),
    (r"decoder\.blocks\.(\d)\.skip\.", r"decoder.tcn.first_net.conv_layers.\1.residual_layer.0."),
    (r"heads\.([^.]+)\.basis\.components$", r"pca_layer_dict.\1.feat_to_data"),
    (r"heads\.([^.]+)\.basis\.mean$", r"pca_layer_dict.\1.data_bias"),
)

UNUSED = re.compile(r"pca_layer_dict\.[^.]+\.(data_to_feat|feat_mean|feat_std)")
"""Stored beside a PCA basis and never used: its transpose, and a whitening that the official code leaves out."""

OLD_NAMES = {
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}
"""How older versions of torch called the two parts of a normalised convolution weight."""


def official_name(name: str, config: UniTalkerConfig) -> str:
    """The official name of one of our model's tensors."""
    for pattern, official in _RENAMED:
        renamed, found = re.subn("^" + pattern, official, name)
        if found:
            return renamed
    is_single = all(head.layers == 1 for head in config.heads)
    layers = r"out_head_dict.\1." if is_single else r"out_head_dict.\1.head_layer.\2."
    return re.sub(r"^heads\.([^.]+)\.layers\.(\d+)\.", layers, name)


def current_name(name: str) -> str:
    """An official tensor name as today's torch writes it."""
    for old, new in OLD_NAMES.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def official_shape(name: str, shape: Shape, config: UniTalkerConfig) -> Shape:
    """The shape that the official code stores one of our model's tensors in."""
    if name == "decoder.positions":
        return (1, config.period * (POSITION_ROWS // config.period + 1), shape[1])
    return shape


def _rows(shape: Shape | None) -> int:
    return shape[0] if shape else 0


def _head_rows(shapes: Mapping[str, Shape], name: str) -> list[int]:
    """Output sizes of the linear layers of a head, in order; empty where there is no such head."""
    single = shapes.get(f"out_head_dict.{name}.weight")
    if single is not None:
        return [_rows(single)]
    stacked = re.compile(rf"out_head_dict\.{re.escape(name)}\.head_layer\.(\d+)\.weight")
    found = {int(match[1]): _rows(shapes[tensor]) for tensor in shapes if (match := stacked.fullmatch(tensor))}
    return [found[number] for number in sorted(found)]


def _head(layout: Layout, name: str, shapes: Mapping[str, Shape], has_template: bool) -> dict[str, Any]:
    facts, rows = layout.annotations[name], _head_rows(shapes, name)
    if not rows:
        raise SettingsError(f"the checkpoint has no head for {name}")
    components = rows[-1] if facts.pca else 0
    if components > min(layout.pca_dim, facts.dim):
        raise SettingsError(f"the head of {name} gives {components} PCA coefficients, more than the config allows")
    return to_plain(HeadConfig(name, facts.dim, components, layout.headlayer, has_template))


def encoder_fields(settings: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The sizes of a SpeechEncoderConfig, as plain values, out of a config of transformers; SettingsError."""
    for name, wanted in (("feat_extract_activation", "gelu"), ("hidden_act", "gelu"), ("layer_norm_eps", 1e-5)):
        if settings.get(name, wanted) != wanted:
            raise SettingsError(f"{where}.{name} is {settings[name]!r}; only {wanted!r} is known")
    return {ours: settings[theirs] for theirs, ours in _ENCODER_FIELDS.items() if theirs in settings}


def _encoder(config: dict[str, Any]) -> dict[str, Any]:
    """The plain SpeechEncoderConfig of an official config."""
    sizes = encoder_fields(_table(config.get("encoder_config"), "encoder_config"), "encoder_config")
    kind = config.get("encoder_kind")
    return {"kind": kind, **sizes, "normalise_audio": config.get("do_normalize_audio", kind == "wav2vec2")}


_ENCODER_FIELDS = {
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "attention_heads",
    "intermediate_size": "feed_forward",
    "conv_dim": "convolution_channels",
    "conv_kernel": "convolution_kernels",
    "conv_stride": "convolution_strides",
    "conv_bias": "convolution_bias",
    "feat_extract_norm": "convolution_norm",
    "do_stable_layer_norm": "stable_layer_norm",
    "num_conv_pos_embeddings": "position_kernel",
    "num_conv_pos_embedding_groups": "position_groups",
    "num_buckets": "distance_buckets",
    "max_bucket_distance": "distance_limit",
}


def _table(plain: object, where: str) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise SettingsError(f"{where} must be a table of named values")
    return plain


def _only(kind: type, plain: dict[str, Any]) -> dict[str, Any]:
    """The entries of a table that a dataclass has fields for; official configs hold more than we need."""
    return {name: plain[name] for name in kind.__dataclass_fields__ if name in plain}
