# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet: rendered frames at the sounds that a viewer can read off the lips."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .curves import Keys
from .layout import Phone

KINDS = (
    ("p b m", {"p", "b", "m"}),
    ("f v", {"f", "v"}),
    ("o u w", {"ow", "uw", "w", "ao", "uh", "oy"}),
    ("a", {"aa", "ae", "ay", "ah", "aw"}),
    ("i e", {"iy", "ey", "ih", "y", "eh"}),
    ("silence", {"sil", "pau", "h#"}),
)
PER_KIND = 3
FACE = (0.16, 0.86, 0.27, 0.85)
"""What is shown of a frame: top, bottom, left and right, as parts of its size."""


def telling_phones(phones: list[Phone]) -> list[tuple[str, list[Phone]]]:
    """For each kind of mouth its longest examples, in the order in which they are spoken."""
    rows = []
    for title, names in KINDS:
        found = sorted((phone for phone in phones if phone.name in names), key=lambda phone: phone.start - phone.end)
        if found:
            rows.append((title, sorted(found[:PER_KIND], key=lambda phone: phone.start)))
    return rows


def longest_phones(phones: list[Phone]) -> list[tuple[str, Phone]]:
    """The longest phone of each kind of mouth beside silence."""
    kinds = [(title, examples) for title, examples in telling_phones(phones) if title != KINDS[-1][0]]
    return [(title, max(examples, key=lambda phone: phone.end - phone.start)) for title, examples in kinds]


def frame_at(folder: Path, keys: Keys, second: float) -> Path:
    """The rendered picture that is on screen at a second of the sound."""
    nearest = int(np.argmin(np.abs(keys.seconds - second)))
    return folder / f"{round(float(keys.frames[nearest])):04d}.png"


def face(picture: np.ndarray) -> np.ndarray:
    """The part of a frame that matters here."""
    height, width = picture.shape[:2]
    top, bottom, left, right = FACE
    return picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def draw(folder: Path, keys: Keys, phones: list[Phone], path: Path) -> Path:
    """One row per kind of mouth, a phone's own frame in each cell; saved as a JPEG."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    rows = telling_phones(phones)
    columns = 2
    height = -(-len(rows) // columns)
    figure, axes = pyplot.subplots(
        height, columns * PER_KIND, figsize=(columns * PER_KIND * 2.6, height * 2.75), dpi=100, squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, (title, examples) in enumerate(rows):
        row, first = index // columns, index % columns * PER_KIND
        for offset, phone in enumerate(examples):
            axis = axes[row][first + offset]
            axis.imshow(face(pyplot.imread(frame_at(folder, keys, phone.centre))))
            axis.set_title(f"{phone.name}  {phone.centre:.2f} s" if title != "silence" else "silence", fontsize=10)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, pil_kwargs={"quality": 88})
    pyplot.close(figure)
    return path
