# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m demo.styles``: one sentence in three styles, by three heads side by side.

Runs in the backend's environment, as `python -m demo`; Blender's part is `demo.styles_shot`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .layout import BLENDER_PYTHON, FRAMES_PER_SECOND, ROOT, SPEECH, STRIP_START, Phone, read_phones

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
    Style("f5, happy", "speakers/espeak-en-us+f5", {"happy": 0.9}),
    Style("Storm, angry", "speakers/espeak-en-us+Storm", {"angry": 1.0}),
    Style("kal, sad", "speakers/festival-kal_diphone", {"sad": 1.0}),
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


def run_shot(output: Path, width: int, samples: int) -> None:
    """Generate, render and encode in Blender's module; its own messages go to a log beside the results."""
    command = [BLENDER_PYTHON, "-m", "demo.styles_shot", "--output", output, "--width", width, "--samples", samples]
    log = output / "blender.log"
    with log.open("w", encoding="utf-8") as stream:
        finished = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=stream, check=False)
    if finished.returncode:
        raise SystemExit(f"error: the shot of the styles failed; its last words are at the end of {log}")


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
    run_shot(output, chosen.width, chosen.samples)
    still = draw_still(output / "frames", read_phones(SPEECH.with_suffix(".json")), output / "styles.jpg")
    sys.stdout.write(f"\n  {output / 'styles.mp4'}\n  {still}\n\nDone in {time.monotonic() - started:.0f} s.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
