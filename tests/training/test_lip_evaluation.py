# SPDX-License-Identifier: GPL-3.0-or-later
"""What an evaluation looks at: parts of corpora, voices that are changed, sounds without speech, tables."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import training_commands

from backend import catalogue, checkpoint
from backend.training.errors import ConfigError, CorpusError
from backend.training.lips import evaluate, resting
from backend.training.speech import corpus

HELD_OUT = Path(__file__).parents[1] / "data" / "speech"


@pytest.fixture(scope="module")
def two_sources(tmp_path_factory) -> Path:
    """A corpus of two recordings of the held-out speech, each from a source and in a language of its own."""
    folder = tmp_path_factory.mktemp("mixed")
    lines = []
    for (path, recording), source in zip(corpus.read_pairs(HELD_OUT), ("studio", "suburb"), strict=False):
        about = {"audio": path.name, "source": source, "speaker": f"{source}-1", "language": source[:2]}
        (folder / path.name).write_bytes(path.read_bytes())
        lines.append(corpus.write_line(corpus.Recording(**{**vars(recording), **about, "licence": "CC0"})))
    (folder / corpus.MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model() -> checkpoint.LoadedModel:
    torch.set_num_threads(1)
    return checkpoint.load(catalogue.find("default"))


@pytest.fixture
def effects(tmp_path) -> Path:
    """Sounds without speech: two of hardly anything, and words that are among them by mistake."""
    for name in ("wind/breeze.wav", "wind/storm.ogg", "voices/parrot.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    hiss = 1e-4 * np.random.default_rng(3).standard_normal(16000)
    soundfile.write(tmp_path / "wind" / "breeze.wav", hiss, 16000)
    soundfile.write(tmp_path / "wind" / "storm.ogg", hiss, 16000)
    (tmp_path / "wind" / "licence.txt").write_text("CC0", encoding="utf-8")
    spoken = corpus.read_pairs(HELD_OUT)[0][0]
    (tmp_path / "voices" / "parrot.flac").write_bytes(spoken.read_bytes())
    return tmp_path


def test_only_one_source_or_speaker_of_a_corpus_that_has_it(two_sources):
    assert len(evaluate.recordings_of(two_sources)) == 2
    for only in ("suburb", "suburb-1"):
        ((_, recording),) = evaluate.recordings_of(two_sources, only)
        assert recording.source == "suburb"
    assert len(evaluate.recordings_of(two_sources, "elsewhere")) == 2


def test_rows_by_language_in_noise_and_without_speech(two_sources, model):
    figures = evaluate.evaluate(model, evaluate.Wanted((two_sources,), by=("language",), noise=(10.0,)))
    name = str(two_sources)
    assert list(figures) == [name, f"{name}, language st", f"{name}, language su", f"{name}, noise at 10 dB"]
    assert figures[f"{name}, noise at 10 dB"]["curves"] < figures[name]["curves"]
    table = evaluate.table(figures | {"hum": {evaluate.REST: 0.01}})
    assert "| hum | 0.010 |" in table
    assert table.count(name) == len(figures)


def test_rows_for_each_combination_of_fields_and_for_all_but_one_source(two_sources, model):
    wanted = evaluate.Wanted((two_sources,), by=("source", "language"), without=("studio", "elsewhere"))
    figures = evaluate.evaluate(model, wanted)
    everything, studio, suburb, others = figures.values()
    assert list(figures)[1:] == [
        f"{two_sources}, source studio, language st",
        f"{two_sources}, source suburb, language su",
        f"{two_sources}, without studio",
    ]
    assert studio["closures"] + suburb["closures"] == everything["closures"]
    assert others == suburb


def test_recordings_that_are_alike_in_a_field_are_not_told_apart_by_it(two_sources, model):
    figures = evaluate.evaluate(model, evaluate.Wanted((two_sources,), only="suburb", by=("source", "language")))
    assert list(figures) == [str(two_sources)]


def test_the_rules_themselves_close_the_lips_at_every_p_b_and_m(two_sources, model):
    figures = evaluate.evaluate(model, evaluate.Wanted((two_sources,), rules=True))
    learned, ceiling = figures[str(two_sources)], figures[f"{two_sources}, the rules themselves"]
    assert ceiling["f1"] == ceiling["curves"] == pytest.approx(1)
    assert ceiling["closures"] == learned["closures"]
    assert learned["curves"] < 0.99


def test_whispering_and_shouting_are_measured_beside_the_plain_voice(two_sources, model):
    wanted = evaluate.Wanted((two_sources,), effort=True)
    figures = evaluate.evaluate(model, wanted)
    plain, whispered, shouted = figures.values()
    assert list(figures)[1:] == [f"{two_sources}, whispered", f"{two_sources}, shouted"]
    assert whispered["closures"] == shouted["closures"] == plain["closures"]
    assert len({plain["curves"], whispered["curves"], shouted["curves"]}) == 3
    assert evaluate.evaluate(model, wanted) == figures


def test_recorded_sounds_have_a_row_for_each_file_and_for_each_folder(effects, model):
    paths = (effects, effects / "wind", effects / "voices", effects / "voices" / "parrot.flac")
    figures = evaluate.evaluate(model, evaluate.Wanted((), recorded=paths))
    rested = {str(Path(name).relative_to(effects)): row[evaluate.REST] for name, row in figures.items()}
    assert list(rested) == [".", "wind", "voices", "voices/parrot.flac"]
    assert rested["wind"] < 0.05 < 0.2 < rested["."] < rested["voices"] == rested["voices/parrot.flac"]
    assert evaluate.table(figures).splitlines()[0] == f"| sounds without speech | {evaluate.REST} |"


def test_a_folder_without_sounds_is_named(tmp_path, model):
    with pytest.raises(CorpusError, match=f"{tmp_path} holds no sound file"):
        resting.over_recorded(lambda sound: np.zeros((1, 52), np.float32), (tmp_path,))


def test_the_command_tells_parts_of_a_corpus_apart(two_sources, effects):
    words = ("--by", "source", "language", "--recorded", effects / "wind", "--json")
    figures = json.loads(training_commands.run("evaluate", two_sources, *words))
    assert f"{two_sources}, source suburb, language su" in figures
    assert list(figures)[-1] == str(effects / "wind")


def test_the_command_wants_something_to_measure_with():
    with pytest.raises(ConfigError, match="--recorded"):
        training_commands.run("evaluate", "--rules")


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
