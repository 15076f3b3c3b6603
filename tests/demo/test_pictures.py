# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's pictures show what they say: the curves, the closures, the frame of a phone."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image, ImageSequence

from backend import closures
from backend.face import ARKIT_CHANNELS
from demo import contact_sheet, curves, moving_picture
from demo.layout import SPEECH, Phone, read_phones
from demo.line import Line, read_line

FPS = 24


@pytest.fixture
def keys() -> curves.Keys:
    """Two seconds of a jaw that opens once, shut again by mouthClose in the middle."""
    values = np.zeros((2 * FPS, len(ARKIT_CHANNELS)), np.float32)
    values[:, ARKIT_CHANNELS.index("jawOpen")] = 0.4
    values[20:28, ARKIT_CHANNELS.index("mouthClose")] = 0.4
    frames = np.arange(len(values)) + 37.0
    return curves.Keys(ARKIT_CHANNELS, values, frames, (frames - 37) / FPS)


def test_lips_are_shut_only_where_mouth_close_answers_the_jaw(keys: curves.Keys):
    shut = closures.opening(keys.values, keys.names) < 0.05
    assert np.flatnonzero(shut).tolist() == list(range(20, 28))


def test_curves_are_drawn_over_the_waveform(keys: curves.Keys, tmp_path):
    phones = [Phone("aa", 0.0, 0.8), Phone("b", 0.83, 1.16), Phone("aa", 1.16, 2.0)]
    samples = np.sin(np.arange(32000) * 0.1).astype(np.float32)
    picture = plt.imread(curves.draw(keys, samples, 16000, phones, tmp_path / "curves.png"))
    assert picture.shape[:2] == (900, 1600)
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 20


def test_the_sheet_shows_the_frame_at_the_middle_of_the_phone(keys: curves.Keys, tmp_path):
    for number in keys.frames:
        shade = (number - 37) / len(keys.frames)
        plt.imsave(tmp_path / f"{int(number):04d}.png", np.full((8, 8, 3), shade))
    phone = Phone("b", 0.83, 1.16)
    assert contact_sheet.frame_at(tmp_path, keys, phone.centre).name == "0061.png"
    sheet = contact_sheet.draw(tmp_path, keys, [phone, Phone("sil", 1.5, 2.0)], tmp_path / "sheet.jpg")
    assert sheet.stat().st_size > 1000


def test_the_longest_phones_of_each_kind_are_chosen_in_spoken_order():
    phones = [Phone("b", t, t + length) for t, length in [(0, 0.05), (1, 0.2), (2, 0.1), (3, 0.3), (4, 0.15)]]
    [(title, chosen)] = contact_sheet.telling_phones(phones)
    assert title == "p b m"
    assert [phone.start for phone in chosen] == [1, 3, 4]


def test_the_demo_line_has_every_kind_of_mouth():
    titles = [title for title, _ in contact_sheet.telling_phones(read_phones(SPEECH.with_suffix(".json")))]
    assert titles == [title for title, _ in contact_sheet.KINDS]


def test_the_longest_sound_of_each_kind_is_chosen_and_silence_is_none():
    rows = [("sil", 0.0, 0.5), ("p", 0.5, 0.6), ("ow", 0.6, 0.9), ("m", 0.9, 1.1), ("uw", 1.1, 1.2)]
    chosen = contact_sheet.longest_phones([Phone(*row) for row in rows])
    assert [(title, phone.name) for title, phone in chosen] == [("p b m", "m"), ("o u w", "ow")]
    spoken = contact_sheet.longest_phones(read_phones(SPEECH.with_suffix(".json")))
    assert [title for title, _ in spoken] == ["p b m", "f v", "o u w", "a", "i e"]


def test_the_moving_picture_goes_round_once_through_all_frames(keys: curves.Keys, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(31, 85):  # six frames before the sound
        plt.imsave(frames / f"{number:04d}.png", np.full((8, 8, 3), (number - 31) / 54))
    line = Line(np.zeros(32000, np.float32), 16000, "Bob", [Phone("b", 0.83, 1.16), Phone("sil", 1.5, 2.0)])
    with Image.open(moving_picture.draw(frames, keys, line, tmp_path / "talking.webp")) as picture:
        assert picture.size == (moving_picture.SIDE + moving_picture.CHART, moving_picture.SIDE)
        assert picture.info["loop"] == 0
        shown = [(frame.convert("L"), frame.info["duration"]) for frame in ImageSequence.Iterator(picture)]
    shades = [int(np.asarray(frame)[100, 100]) for frame, _ in shown]
    assert sum(duration for _, duration in shown) == pytest.approx(54 * 1000 / FPS, abs=54)
    first = (37 - 31) + moving_picture.STILL * FPS
    assert shades[0] == pytest.approx(255 * first / 54, abs=8)
    assert np.argmin(shades) > np.argmax(shades), "the first frame comes after the last"


def test_the_moving_picture_tells_the_phone_of_its_moment():
    phones = read_line(SPEECH).phones
    spoken = [moving_picture.spoken_at(phones, second) for second in (-0.1, 0.75, 0.9, 1.06, 99.0)]
    assert spoken == ["", "ow", "", "m", ""]
