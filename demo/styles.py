# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m demo.styles``: one sentence in three styles, by three heads side by side.

Runs in the backend's environment, as `python -m demo`; Blender's part is `demo.styles_shot`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import part
from .layout import FRAMES_PER_SECOND, ROOT, SPEECH, STRIP_START, Phone, read_phones

OUTPUT = ROOT / "out" / "styles"
SECOND_SENTENCE = 3.25
"""Where in the demo's line it begins, in seconds; in the pause before it."""
MOMENTS = ("ey", "p", "ow", "uw")
"""What is spoken in the rows of the still: a favourite, poem, move."""
SEED = 11


@dataclass(frozen=True)
class Style:
    """One way to perform a line."""

    title: str
    identity: str
    """Whose manner, by its name in the model `diffusion`."""
    feels: Mapping[str, float]


STYLES = (
    Style("Alicia, happy", "speakers/espeak-en-us+Alicia", {"happy": 0.9}),
    Style("Marco, angry", "speakers/espeak-en-us+Marco", {"angry": 1.0}),
    Style("Antonio, sad", "speakers/espeak-en-us+antonio", {"sad": 1.0}),
)


def skipped_frames() -> int:
    """Frames of the demo's line that are left out in front of the sentence."""
    return round(SECOND_SENTENCE * FRAMES_PER_SECOND)


def frame_of(phone: Phone) -> int:
    """The scene frame at the middle of a phone of the demo's line."""
    return STRIP_START - skipped_frames() + round(phone.centre * FRAMES_PER_SECOND)


def shown(phones: list[Phone]) -> list[Phone]:
    """The first of each sound of `MOMENTS` in the sentence, in the order in which they are spoken."""
    sentence = [phone for phone in phones if phone.start >= SECOND_SENTENCE]
    found = [next(phone for phone in sentence if phone.name == name) for name in MOMENTS]
    return sorted(found, key=lambda phone: phone.start)


def draw_still(frames: Path, phones: list[Phone], path: Path) -> Path:
    """All heads at the moments of `shown`, one below the other, as a JPEG."""
    import numpy as np
    from PIL import Image  # comes with matplotlib

    pictures = [np.asarray(Image.open(frames / f"{frame_of(phone):04d}.png").convert("RGB")) for phone in shown(phones)]
    Image.fromarray(np.concatenate(pictures)).save(path, quality=88)
    return path


def main() -> int:
    """Make the video and the still in ``out/styles`` and tell where they are."""
    parser = argparse.ArgumentParser(prog="python -m demo.styles", description="One sentence in three styles.")
    parser.add_argument("--width", type=int, default=960, help="width of the video in pixels, of all three heads")
    parser.add_argument("--samples", type=int, default=3, help="render samples per pixel")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    chosen = parser.parse_args()
    output = chosen.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    part.run("demo.styles_shot", output, "--width", chosen.width, "--samples", chosen.samples)
    still = draw_still(output / "frames", read_phones(SPEECH.with_suffix(".json")), output / "styles.jpg")
    sys.stdout.write(f"\n  {output / 'styles.mp4'}\n  {still}\n\nDone in {time.monotonic() - started:.0f} s.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
