# SPDX-License-Identifier: GPL-3.0-or-later
"""Ratios: things that are done in turn in the same process, so that a busy machine slows them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from backend import checkpoint, face, pipeline, planning, precision
from backend.checkpoint import LoadedModel, ModelCard
from backend.models.audio_encoder import EncoderConfig
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.speech_config import WAVLM_BASE_PLUS, SpeechEncoderConfig
from backend.windows import WINDOW_SECONDS

from . import subjects
from .figures import Figure

CLIP_SECONDS = 10
LARGEST_SHARE = 0.70
LARGEST_HALF_ERROR, LARGEST_ERROR = 0.01, 1e-5
MOST_DIFFUSION = 3.0
LEAST_SPEED_UP = 50.0
TURN_SECONDS = 0.3

Work = Callable[[], object]


def alternate(works: Mapping[str, Work], runs: int) -> dict[str, float]:
    """Median seconds of things that are done in turn, after one warm-up of each.

    What is soon done is done again until its turn has lasted `TURN_SECONDS`: once would measure how long it takes to
    clear up behind the long work before it, whose memory and caches it gets.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            turn = list(_turn(work))
            if run:
                taken[name] += turn
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _turn(work: Work) -> Iterator[float]:
    """Seconds of each time that the work is done in one turn."""
    turn_began = time.perf_counter()
    while (began := time.perf_counter()) < turn_began + TURN_SECONDS:
        work()
        yield time.perf_counter() - began


def plain_encoder(config: SpeechEncoderConfig, samples: np.ndarray) -> Work:
    """The plain network on a sound."""
    model, sound = plain_network(config), torch.from_numpy(samples)[None]

    def run() -> object:
        with torch.inference_mode():
            return model(sound, output_attentions=True)

    return run


def plain_network(config: SpeechEncoderConfig) -> Any:  # noqa: ANN401 (transformers' own modules are untyped)
    """The encoder as transformers runs it when asked for nothing: float32, eager attention with its maps."""
    from backend.models.speech_encoder import shared_settings
    from transformers import Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

    settings = shared_settings(config)
    if config.kind == "wavlm":
        return WavLMModel(WavLMConfig(**settings)).eval()
    settings["attn_implementation"] = "eager"
    return Wav2Vec2Model(Wav2Vec2Config(**settings)).eval()


def animate(loaded: LoadedModel, samples: np.ndarray) -> int:
    """Run the whole pipeline and keep nothing; gives the number of frames."""
    planned = planning.plan(loaded, planning.Request())
    return sum(len(chunk.values) for chunk in pipeline.generate(loaded, samples, planned))


def small_model(path: Path, runs: int) -> list[Figure]:
    """How many times faster the whole way through the default model is than the plain WavLM-base encoder alone."""
    samples, loaded = subjects.babble(CLIP_SECONDS), precision.ready(checkpoint.load(path), "cpu")
    plain = plain_encoder(WAVLM_BASE_PLUS, samples)
    seconds = alternate({"plain": plain, "own": lambda: animate(loaded, samples)}, runs)
    name = f"Plain WavLM-base encoder / default model, {CLIP_SECONDS} s"
    return [Figure(name, seconds["plain"] / seconds["own"], "x", at_least=LEAST_SPEED_UP)]


def big_model(title: str, path: Path, runs: int) -> list[Figure]:
    """One window through a UniTalker in every precision of this processor, against the plain encoder alone."""
    samples = subjects.babble(WINDOW_SECONDS)
    kinds: list[precision.Precision] = ["fp32", "bf16"] if precision.has_native_bf16("cpu") else ["fp32"]
    models = {kind: precision.ready(checkpoint.load(path), "cpu", kind) for kind in kinds}
    reference = checkpoint.load(path)
    config = cast(SpeechEncoderConfig, reference.unitalker().config.encoder)
    wanted = motion(reference, samples)
    extent = float(wanted.max() - wanted.min())
    errors = {kind: float(np.abs(motion(model, samples) - wanted).max()) for kind, model in models.items()}
    works: dict[str, Work] = {"plain": plain_encoder(config, samples)}
    works |= {kind: partial(motion, model, samples) for kind, model in models.items()}
    seconds = alternate(works, runs)
    found = []
    for kind in kinds:
        share, goal = seconds[kind] / seconds["plain"], LARGEST_SHARE if kind == kinds[-1] else None
        found.append(Figure(f"{title} {kind} / plain encoder, {WINDOW_SECONDS} s", share, "x", at_most=goal))
        most = LARGEST_ERROR if kind == "fp32" else LARGEST_HALF_ERROR
        found.append(Figure(f"{title} {kind}: largest error / range", errors[kind] / extent, "x", at_most=most))
    return found


def motion(loaded: LoadedModel, samples: np.ndarray) -> np.ndarray:
    """The motion of one window in the model's first space, as the network gives it: float32 [frames, dim]."""
    space = next(iter(loaded.spaces.values()))
    frames = round(len(samples) / 16_000 * space.fps)
    return loaded.model.predict(torch.from_numpy(samples)[None], space.name, frames)[0].numpy()


def diffusion(path: Path, listener: Path, runs: int) -> list[Figure]:
    """What eight denoising steps cost, beside a UniTalker with the same encoder; the whole way from sound to frames.

    The model in `path` is measured beside the one in `listener`, which it hears by.
    """
    encoders: dict[str, EncoderConfig] = {"the small encoder": MelEncoderConfig(), "WavLM-base": WAVLM_BASE_PLUS}
    samples, found = subjects.babble(CLIP_SECONDS), []
    pair = {
        kind: precision.ready(checkpoint.load(file), "cpu") for kind, file in (("talker", path), ("peer", listener))
    }
    seconds = alternate({kind: partial(animate, loaded, samples) for kind, loaded in pair.items()}, runs)
    title = f"DiffusionTalker in {subjects.STEPS} steps / default model, {CLIP_SECONDS} s"
    found.append(Figure(title, seconds["talker"] / seconds["peer"], "x", at_most=MOST_DIFFUSION))
    for name, encoder in encoders.items():
        models = {"talker": subjects.diffusion_talker(encoder), "peer": subjects.peer_of(encoder)}
        works = {kind: partial(animate, _ready(model), samples) for kind, model in models.items()}
        seconds = alternate(works, runs)
        title = f"DiffusionTalker in {subjects.STEPS} steps / UniTalker, {name}, {CLIP_SECONDS} s"
        found.append(Figure(title, seconds["talker"] / seconds["peer"], "x", at_most=MOST_DIFFUSION))
    return found


def _ready(model: checkpoint.Model) -> LoadedModel:
    loaded = LoadedModel(model, {"arkit": face.arkit(30.0)}, ("one",), ModelCard("bench", "bench", ""))
    return precision.ready(loaded, "cpu")
