# SPDX-License-Identifier: GPL-3.0-or-later
"""What an evaluation looks at: parts of corpora, noise at a known distance, tables."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend import catalogue, checkpoint
from backend.training.lips import evaluate
from backend.training.speech import corpus

HELD_OUT = Path(__file__).parents[1] / "data" / "speech"


@pytest.fixture(scope="module")
def two_sources(tmp_path_factory) -> Path:
    """A corpus of two recordings of the held-out speech, each from a source of its own."""
    folder = tmp_path_factory.mktemp("mixed")
    lines = []
    for (path, recording), source in zip(corpus.read_pairs(HELD_OUT), ("studio", "suburb"), strict=False):
        about = {"audio": path.name, "source": source, "language": source[:2]}
        (folder / path.name).write_bytes(path.read_bytes())
        lines.append(corpus.write_line(corpus.Recording(**{**vars(recording), **about})))
    (folder / corpus.MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_only_one_source_of_a_corpus_that_has_it(two_sources):
    assert len(evaluate.recordings_of(two_sources)) == 2
    ((_, recording),) = evaluate.recordings_of(two_sources, "suburb")
    assert recording.source == "suburb"
    assert len(evaluate.recordings_of(two_sources, "elsewhere")) == 2


def test_rows_by_language_in_noise_and_without_speech(two_sources):
    torch.set_num_threads(1)
    loaded = checkpoint.load(catalogue.find("default"))
    figures = evaluate.evaluate(loaded, evaluate.Wanted((two_sources,), by="language", noise=(10.0,)))
    name = str(two_sources)
    assert list(figures) == [name, f"{name}, language st", f"{name}, language su", f"{name}, noise at 10 dB"]
    assert figures[f"{name}, noise at 10 dB"]["curves"] < figures[name]["curves"]
    table = evaluate.table(figures | {"hum": {evaluate.REST: 0.01}})
    assert "| hum | 0.010 |" in table
    assert table.count(name) == len(figures)


def test_a_model_of_another_rate_is_compared_frame_by_frame_too(two_sources):
    """Lips of `diffusion`, which gives 30 frames a second, follow those of the rules, which have 60."""
    torch.set_num_threads(1)
    loaded = checkpoint.load(catalogue.find("diffusion"))
    assert loaded.spaces["arkit"].fps == 30
    figures = evaluate.evaluate(loaded, evaluate.Wanted((two_sources,)))[str(two_sources)]
    assert figures["curves"] > 0.5


def test_noise_is_as_far_below_the_voice_as_asked():
    voice = np.sin(np.arange(16000) / 20).astype(np.float32)
    noise = evaluate.noisy(voice, 20.0) - voice
    assert 10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.3)
