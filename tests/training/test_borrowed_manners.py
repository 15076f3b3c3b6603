# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings in another speaker's manner: who is to move is told by the table, who is heard is known by the voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from backend.phonetics.phones import Phone
from backend.training import commands
from backend.training.config import parse, read_table
from backend.training.diffusion import talker_model, task, train
from backend.training.diffusion.config import DiffusionConfig, SamplingConfig
from backend.training.diffusion.measure import scenes
from backend.training.motion import motion_set
from backend.training.motion import prepare as preparation
from backend.training.motion.motion_set import MotionSet
from backend.training.speech import corpus
from backend.training.speech.corpus import Recording

torch.set_num_threads(1)
RATE, SECONDS = 16000, 4.5


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> MotionSet:
    """Two speakers of a low and a high voice, every recording of whom is there again in the other's manner."""
    folder = tmp_path_factory.mktemp("spoken")
    lines, time = [], np.arange(round(SECONDS * RATE)) / RATE
    for number in range(24):
        speaker, hertz = ("ann", 240) if number % 2 else ("bob", 90)
        wave = 0.03 * np.sin(2 * np.pi * hertz * np.arange(1, 10)[:, None] * time).sum(axis=0)
        soundfile.write(folder / f"{number}.flac", wave.astype(np.float32), RATE)
        phones = tuple(Phone("AA" if part % 2 else "T", part * 0.15, part * 0.15 + 0.15) for part in range(28))
        lines.append(corpus.write_line(Recording(f"{number}.flac", "", speaker, "en", "test", "none", phones, ())))
    (folder / corpus.MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (report,) = preparation.prepare("speakers", folder, folder / "out")
    return motion_set.read([report.prepared.folder])[0]


def test_a_manifest_says_who_is_heard(prepared: MotionSet):
    borrowed = [clip for clip in prepared.clips if clip.is_borrowed]
    assert len(borrowed) == len(prepared.clips) / 2 == 24
    assert all({clip.identity, clip.voice} == set(prepared.header.identities) for clip in borrowed)


def test_scenes_are_of_ones_own_manner_or_of_borrowed_ones(prepared: MotionSet):
    own, borrowed = (scenes.of_sets([prepared], "train", borrowed=which) for which in (False, True))
    assert len(own) == len(borrowed) > 10
    assert [scene.identity for scene in own] != [scene.identity for scene in borrowed]


def test_a_borrowed_manner_is_told_by_the_table_and_heard_as_its_voice(prepared: MotionSet):
    path = commands.CONFIGS / "diffusion_tiny.toml"
    settings = parse(DiffusionConfig, read_table(path, ["sampling.batch=16"]), path)
    talker = talker_model.teacher(settings, [prepared])
    batch = train.chunks_of([prepared], talker, settings).batch(0)
    is_borrowed = task.voice_of(batch) != batch.identity
    assert 0 < is_borrowed.sum() < 16
    always = SamplingConfig(pivot=0, heard=1.0)
    assert torch.equal(task.drawn(batch, always).is_heard, ~is_borrowed)
    told = task.tell(talker.model, batch, 30.0, task.drawn(batch, always))
    personalizer = talker.model.personalizer
    own = personalizer.fused(personalizer.identities(task.voice_of(batch)))
    torch.testing.assert_close(told.personal, own)
    contrast = task.personal_losses(talker.model, batch, told, torch.zeros_like(batch.values))["contrast"]
    as_if_own = task.personal_losses(talker.model, replace(batch, voice=None), told, torch.zeros_like(batch.values))[
        "contrast"
    ]
    assert not torch.allclose(contrast, as_if_own)
