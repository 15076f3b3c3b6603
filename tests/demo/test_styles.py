# SPDX-License-Identifier: GPL-3.0-or-later
"""One sentence in three styles: the model knows them, and the still shows the moments that it names."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from backend import catalogue, checkpoint
from backend.models.talker_config import DiffusionTalkerConfig
from demo import styles
from demo.layout import FRAMES_PER_SECOND, SPEECH, STRIP_START, read_phones

PHONES = read_phones(SPEECH.with_suffix(".json"))


def test_the_model_of_the_box_knows_every_style():
    loaded = checkpoint.load(catalogue.find("diffusion"))
    config = loaded.model.config
    assert isinstance(config, DiffusionTalkerConfig)
    for style in styles.STYLES:
        assert style.identity in loaded.identities
        assert set(style.feels) <= set(config.emotions)


def test_the_sentence_begins_in_a_pause_and_its_moments_are_spoken_in_it():
    pause = next(phone for phone in PHONES if phone.start <= styles.SECOND_SENTENCE < phone.end)
    assert pause.name == "sil"
    moments = styles.shown(PHONES)
    assert [moment.name for moment in moments] == ["ey", "p", "ow", "uw"]
    for moment in moments:
        second = (styles.frame_of(moment) - STRIP_START) / FRAMES_PER_SECOND + styles.SECOND_SENTENCE
        assert abs(second - moment.centre) <= 0.5 / FRAMES_PER_SECOND + 1e-6


def test_the_still_has_a_row_for_every_moment(tmp_path: Path):
    moments = styles.shown(PHONES)
    for row, moment in enumerate(moments):
        picture = np.full((20, 40, 3), row / len(moments))
        plt.imsave(tmp_path / f"{styles.frame_of(moment):04d}.png", picture)
    still = plt.imread(styles.draw_still(tmp_path, PHONES, tmp_path / "styles.jpg"))
    assert still.shape == (20 * len(moments), 40, 3)
    shades = still.reshape(len(moments), -1).mean(axis=1)
    assert np.all(np.diff(shades) > 40)
