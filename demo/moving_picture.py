# SPDX-License-Identifier: GPL-3.0-or-later
"""The moving picture at the head of the README: the face speaks while the playhead passes sound and keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont  # comes with matplotlib

from .curves import SHOWN, SILENCE, Keys
from .layout import FRAMES_PER_SECOND, Phone
from .line import Line

SIDE = 384
"""Height of the picture in pixels, and width of the face in it."""
CHART = 576
"""Width of the sound and the curves beside the face."""
FACE = (0.17, 0.10, 0.87, 0.80)
"""What is shown of a frame: left, top, right and bottom, as parts of its size."""
GROUND, STRIP, SOUND, PLAYHEAD, LETTERS = "#1d1d1d", "#3f6b57", "#9fd0b8", "#5b8fd9", "#d8d8d8"
SOUND_ROW, WORDS, KEYS_ROW = (0.66, 0.20), 0.595, (0.06, 0.48)
"""Bottom and height of the two parts of the chart, and where the words stand, as parts of its height."""
LEFT, RIGHT = 0.03, 0.97
"""Where the sound begins and ends, as parts of the chart's width."""
STILL = 1.22
"""Second of the sound at which the picture begins, for those who see it stand still; it goes round from there."""
QUALITY = 62


def draw(folder: Path, keys: Keys, line: Line, path: Path) -> Path:
    """All frames in `folder`, as an animation in WebP that goes round and round."""
    chart, font = still_chart(keys, line), ImageFont.load_default(size=30)
    frames = timed(folder, keys)
    shown = [
        beside(face(frame), chart, second / line.length, spoken_at(line.phones, second), font)
        for frame, second in frames
    ]
    first = int(np.argmin([abs(second - STILL) for _, second in frames]))
    start, *others = shown[first:] + shown[:first]
    duration = round(1000 / FRAMES_PER_SECOND)
    start.save(path, save_all=True, append_images=others, duration=duration, loop=0, quality=QUALITY, method=4)
    return path


def timed(folder: Path, keys: Keys) -> list[tuple[Path, float]]:
    """The rendered frames, each with its second of the sound; below 0 before the sound begins."""
    begin = keys.frames[0] - keys.seconds[0] * FRAMES_PER_SECOND
    return [(path, float(int(path.stem) - begin) / FRAMES_PER_SECOND) for path in sorted(folder.glob("*.png"))]


def spoken_at(phones: list[Phone], second: float) -> str:
    """The phone of that moment; empty in silence."""
    return next((phone.name for phone in phones if phone.start <= second < phone.end and phone.name not in SILENCE), "")


def face(frame: Path) -> Image.Image:
    """The part of a frame that matters here."""
    with Image.open(frame) as picture:
        left, top, right, bottom = (
            round(part * side) for part, side in zip(FACE, (*picture.size, *picture.size), strict=True)
        )
        return picture.convert("RGB").crop((left, top, right, bottom)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def beside(
    head: Image.Image, chart: Image.Image, share: float, phone: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    """One frame: the head, and the chart with its playhead at that share of the sound and the phone above it."""
    whole = Image.new("RGB", (SIDE + CHART, SIDE))
    whole.paste(head, (0, 0))
    whole.paste(chart, (SIDE, 0))
    place = SIDE + CHART * (LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0))
    pen = ImageDraw.Draw(whole)
    pen.line([(place, SIDE * 0.14), (place, SIDE * 0.94)], fill=PLAYHEAD, width=2)
    pen.text((place, SIDE * 0.075), phone, fill=LETTERS, font=font, anchor="mm")
    return whole


def still_chart(keys: Keys, line: Line) -> Image.Image:
    """What stands still: the sound as a strip of the Sequencer, and the keys that were made from it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(CHART / 100, SIDE / 100), dpi=100, facecolor=GROUND)
    sound, weights = (figure.add_axes((LEFT, low, RIGHT - LEFT, high)) for low, high in (SOUND_ROW, KEYS_ROW))
    sound.set_facecolor(STRIP)
    sound.plot(np.arange(len(line.samples)) / line.rate, line.samples, color=SOUND, linewidth=0.6)
    for name, colour in SHOWN:
        weights.plot(keys.seconds, keys.curve(name), color=colour, label=name, linewidth=1.8)
    weights.set_facecolor(GROUND)
    weights.set_ylim(-0.02, 1.25 * float(keys.values.max()))
    weights.legend(loc="upper center", ncols=len(SHOWN) // 2, frameon=False, labelcolor=LETTERS, fontsize=9)
    figure.text(0.5, WORDS, line.words, ha="center", va="center", color=LETTERS, fontsize=9.5)
    for axis in (sound, weights):
        axis.set(xlim=(0, line.length), xticks=(), yticks=())
        axis.spines[:].set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
