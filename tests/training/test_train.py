# SPDX-License-Identifier: GPL-3.0-or-later
"""From prompts to a model file, at a tiny size: a corpus, a set, a run that lowers its loss and resumes exactly."""

import json
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
import torch
from training_commands import metrics, run, settings

from backend import checkpoint
from backend.phonetics.phones import Phone, closures_of
from backend.training import commands
from backend.training.errors import ConfigError, CorpusError
from backend.training.lips import rules
from backend.training.lips.config import TrainingConfig, load
from backend.training.lips.data import TrainingSet
from backend.training.lips.prepare import COPY, OPEN, SHUT, prepare, read_clips
from backend.training.lips.task import SpeechToLips
from backend.training.speech import corpus, prompts
from backend.training.speech.corpus import Recording
from backend.training.speech.effort import Effort
from backend.training.speech.prompts import compose
from backend.training.speech.synthesize import plan, read_plan

TINY = [
    *("model.encoder.width=16", "model.encoder.blocks=1", "model.encoder.bands=20", "model.decoder_dimension=16"),
    *("optimizer.steps=24", "optimizer.validate_every=12", "optimizer.warmup=4", "optimizer.rate=0.01"),
    *("data.batch=4", "data.seconds=1.0", "optimizer.half_precision=false"),
]
HISS = {"s": 3000.0, "aa": 500.0, "iy": 1500.0, "m": 120.0}
EFFORTS = get_args(Effort)


def babble(folder: Path, source: str, count: int) -> None:
    """A corpus in which every phone is a tone of its own, as a speech engine for ants might make it."""
    (folder / "audio").mkdir(parents=True)
    random = np.random.default_rng(len(source))
    with (folder / corpus.MANIFEST).open("w", encoding="utf-8") as lines:
        for number in range(count):
            names = ["sil", *random.choice(list(HISS), 8), "sil"]
            bounds = np.cumsum([0, *random.uniform(0.08, 0.2, len(names))])
            phones = tuple(Phone(*row) for row in zip(names, bounds[:-1], bounds[1:], strict=True))
            times = np.arange(round(bounds[-1] * 16000)) / 16000
            which = np.minimum(np.searchsorted(bounds[1:], times, side="right"), len(names) - 1)
            pitch = np.array([HISS.get(name, 0.0) for name in names])[which]
            sound = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / 16000) * (pitch > 0)
            audio = f"audio/{number}.flac"
            soundfile.write(folder / audio, sound, 16000)
            made = Recording(audio, "", "ant", "en", source, "", phones, tuple(closures_of(phones)))
            lines.write(corpus.write_line(made) + "\n")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    babble(folder / "engine", "flite", 8)
    babble(folder / "people", "LibriSpeech test-other", 3)
    prepare([folder / "engine", folder / "people"], folder / "set")
    return folder / "set"


def options(*changes: str) -> list[str]:
    return ["--threads", "1", *settings(*TINY, *changes)]


def shipped_config() -> TrainingConfig:
    return load(commands.CONFIGS / "default.toml", TINY)


def test_a_run_lowers_its_loss_and_gives_a_model_file(prepared, tmp_path):
    model = tmp_path / "tiny.safetensors"
    run("train", "--data", prepared, "--run", tmp_path / "run", "--output", model, *options("optimizer.steps=240"))
    rows = metrics(tmp_path / "run")
    assert [row["step"] for row in rows] == list(range(12, 241, 12))
    assert rows[-1]["losses"]["motion"] < 0.8 * rows[0]["losses"]["motion"]
    loaded = checkpoint.load(model)
    assert loaded.spaces["arkit"].fps == 60
    assert loaded.identities == ("clear", "soft", "jaw", "lips", "smiling", "lopsided")
    assert loaded.info.training["seed"] == 1
    answer = loaded.model.predict(torch.randn(1, 16000) * 0.05, "arkit", 60)
    assert answer.shape == (1, 60, 52)
    figures = json.loads(run("evaluate", prepared.parent / "people", "--model", str(model), "--json"))
    assert next(iter(figures.values()))["closures"] > 0


def test_the_best_or_the_last_step_is_written(prepared, tmp_path):
    """A rate at which nothing gets better after the first steps: the best is not the last."""
    steps = {}
    for which, more in (("best", ()), ("last", ("--last",))):
        model = tmp_path / f"{which}.safetensors"
        changes = options("optimizer.validate_every=4", "optimizer.average=0.0", "optimizer.rate=0.3")
        run("train", "--data", prepared, "--run", tmp_path / "run", "--output", model, *more, *changes)
        steps[which] = checkpoint.load(model).info.training
    scores = {row["step"]: row["figures"]["score"] for row in metrics(tmp_path / "run")}
    assert steps["last"]["step"] == 24 > steps["best"]["step"] == max(scores, key=scores.__getitem__)
    assert steps["last"]["figures"]["score"] == pytest.approx(scores[24], abs=1e-3)


@pytest.mark.parametrize("muon", ["false", "true"])
def test_a_stopped_run_goes_on_with_the_same_curve(prepared, tmp_path, muon):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    changes = options(f"optimizer.muon={muon}")
    run("train", "--data", prepared, "--run", whole, *changes)
    stopped = KeyboardInterrupt("as by the user")
    step_of = SpeechToLips.step
    steps = iter(range(15))

    def interrupted(self, batch):
        if next(steps, None) is None:
            raise stopped
        return step_of(self, batch)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SpeechToLips, "step", interrupted)
        run("train", "--data", prepared, "--run", halves, *changes)
    run("train", "--data", prepared, "--run", halves, *changes)
    assert [row["step"] for row in metrics(halves)] == [12, 24]
    for one, other in zip(metrics(whole), metrics(halves), strict=True):
        assert one["losses"] == other["losses"]
        assert one["figures"] == other["figures"]


def test_another_config_may_not_resume_a_run(prepared, tmp_path):
    run("train", "--data", prepared, "--run", tmp_path, *options())
    with pytest.raises(ConfigError, match=r"optimizer\.rate was 0\.01, is 0\.5"):
        run("train", "--data", prepared, "--run", tmp_path, *options("optimizer.rate=0.5"))


def test_batches_repeat_and_differ(prepared):
    config = shipped_config()
    first, again, other_seed = (TrainingSet(prepared, config.data, config.augment, seed).batch(3) for seed in (1, 1, 2))
    assert torch.equal(first.audio, again.audio)
    assert torch.equal(first.values, again.values)
    assert not torch.equal(first.audio, other_seed.audio)
    assert first.audio.shape == (4, 16000)
    assert first.values.shape == (4, 60, 52)
    assert first.values.min() >= 0
    assert first.values.max() <= 1


def test_a_chunk_hears_what_lies_at_its_time_in_a_long_recording(prepared):
    config = shipped_config()
    training_set = TrainingSet(prepared, config.data, config.augment, 1)
    clip = training_set.clips[0]
    whole, times = training_set.sound(clip), np.arange(clip.samples)
    for first, step in ((-500.0, 1.1), (1234.5, 0.8), (clip.samples - 900.25, 1.3), (clip.samples + 5.0, 1.0)):
        places = first + np.arange(1600) * step
        by_numpy = np.interp(places, times, whole, left=0, right=0).astype(np.float32)
        assert np.array_equal(training_set._heard_at(clip, places), by_numpy)


def test_only_the_decoder_learns_where_that_is_asked_for(prepared, tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    run("train", "--data", prepared, "--run", tmp_path / "one", "--output", first, *options())
    more = ["--from", first, "--last", *options("learn=decoder", "seed=2")]
    run("train", "--data", prepared, "--run", tmp_path / "two", "--output", second, *more)
    before, after = (checkpoint.load(file).model.state_dict() for file in (first, second))
    changed = {name for name, weights in before.items() if not torch.equal(weights, after[name])}
    assert changed
    assert not [name for name in changed if name.startswith("encoder.")]
    assert "decoder.identities.weight" in changed


def test_the_decoder_alone_needs_a_model_to_begin_with(prepared, tmp_path):
    with pytest.raises(ConfigError, match="name that by --from"):
        run("train", "--data", prepared, "--run", tmp_path / "run", *options("learn=decoder"))


def test_held_out_people_are_never_trained_on(prepared):
    config = shipped_config()
    training_set = TrainingSet(prepared, config.data, config.augment, 1)
    assert {clip.source for clip in training_set.held_out()} == {"LibriSpeech test-other"}
    chosen = [group.name for group, share in zip(config.data.groups, training_set.shares, strict=True) if share > 0]
    assert chosen == ["engines"]


def test_a_set_keeps_sound_motion_and_closures_together(prepared):
    clips = read_clips(prepared)
    curves, lips = np.load(prepared / "curves.npy"), np.load(prepared / "lips.npy")
    copies = [clip.name for clip in clips if clip.name.endswith(COPY)]
    assert len(clips) == 11 + len(copies)
    assert {name.removesuffix(COPY) for name in copies} < {clip.name for clip in clips}
    assert clips[-1].first_frame + clips[-1].frames == len(curves) == len(lips)
    assert np.load(prepared / "samples.npy").shape == (clips[-1].first_sample + clips[-1].samples,)
    jaw, close = rules.CHANNELS.index("jawOpen"), rules.CHANNELS.index("mouthClose")
    gap = curves[:, jaw].astype(float) - curves[:, close]
    assert gap[lips == SHUT].max() < 0.05 < np.percentile(gap[lips == OPEN], 50)


def test_processes_side_by_side_make_the_same_set(prepared, tmp_path):
    prepare([prepared.parent / "engine", prepared.parent / "people"], tmp_path / "set", processes=2)
    names = sorted(path.name for path in prepared.iterdir())
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == names
    assert all((tmp_path / "set" / name).read_bytes() == (prepared / name).read_bytes() for name in names)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_missing_sound_is_named(prepared, tmp_path, processes):
    broken = tmp_path / "broken"
    shutil.copytree(prepared.parent / "people", broken)
    (broken / "audio" / "1.flac").unlink()
    with pytest.raises(CorpusError, match=r"1\.flac"):
        prepare([broken], tmp_path / "set", processes)
    assert not (tmp_path / "set").exists()


def test_a_set_that_cannot_be_made_leaves_no_folder_behind(tmp_path):
    empty, kept = tmp_path / "empty", tmp_path / "kept"
    for folder in (empty, kept):
        folder.mkdir()
    with pytest.raises(CorpusError, match="is no corpus"):
        prepare([empty], tmp_path / "set")
    (empty / corpus.MANIFEST).touch()
    with pytest.raises(CorpusError, match=r"There is no recording in .*empty"):
        prepare([empty], tmp_path / "set")
    line = {"audio": "a.flac", "phones": [], "text": "", "speaker": "", "language": "", "source": "", "licence": ""}
    (empty / corpus.MANIFEST).write_text(json.dumps(line) + "\n", encoding="utf-8")
    for output in (tmp_path / "set", kept):
        with pytest.raises(CorpusError, match=r"a\.flac"):
            prepare([empty], output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "kept"]


def test_a_broken_manifest_line_is_named(tmp_path):
    (tmp_path / corpus.MANIFEST).write_text('{"audio": "a.flac"}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="line 1"):
        corpus.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("optimizer.stepz=3", "stepz"), ("optimizer.steps=soon", "steps"), ("seed", "entry=value")],
)
def test_wrong_config_entries_are_named(change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load(commands.CONFIGS / "default.toml", [change])


def test_the_same_seed_plans_the_same_corpus():
    sets = read_plan(commands.CONFIGS / "corpus.toml")
    first, again, other = (list(plan(sets, seed, 0.01)) for seed in (1, 1, 2))
    assert first == again != other
    assert len({name for name, _ in first}) == len(first)


def test_prompts_fill_every_slot():
    from random import Random

    european = (
        "en",
        "de",
        "fr",
        "es",
        "it",
        "nl",
        "pt",
        "sv",
        "pl",
        "tr",
        "fi",
        "cs",
        "ro",
        "hu",
        "da",
        "nb",
        "el",
        "ru",
    )
    for language in (*european, "ca", "cmn", "hi", "id", "ja", "mr", "te"):
        sentences = {compose(language, Random(seed)) for seed in range(40)}
        assert len(sentences) > 30
        assert not any("{" in sentence for sentence in sentences)


def test_at_least_fifteen_languages_have_sentences_of_their_own_to_whisper_and_to_shout():
    from random import Random

    found = 0
    for language, lists in prompts._languages().items():
        plain, *strained = ({compose(language, Random(seed), effort) for seed in range(60)} for effort in EFFORTS)
        assert not any("{" in sentence for sentences in strained for sentence in sentences)
        if all(effort in lists for effort in EFFORTS[1:]):
            found += 1
            assert min(len(sentences) for sentences in strained) > 12, language
            assert plain.isdisjoint(strained[0] | strained[1]) and strained[0].isdisjoint(strained[1]), language
    assert found >= 15


def test_a_language_without_sentences_to_shout_shouts_the_others(monkeypatch):
    from random import Random

    monkeypatch.setattr(prompts, "_languages", lambda: {"xx": {"templates": ["Ba bo.", "Bu."], "whispered": ["Bi."]}})
    assert {compose("xx", Random(seed), "shouted") for seed in range(9)} == {"Ba bo.", "Bu."}
    assert {compose("xx", Random(seed), "whispered") for seed in range(9)} == {"Bi."}
