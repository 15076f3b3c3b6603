# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend that does what a test asks for, instead of running a model: ``python fake_backend.py MODE``.

It answers with 52 ARKit channels; `jawOpen` is the loudest sample around each frame, so a click in the sound shows as
one open frame, at the second that the request asks for and no other.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import sys
import time
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend import protocol  # noqa: E402

CHANNELS = tuple(json.loads((ROOT / "rigs" / "arkit.json").read_text(encoding="utf-8"))["shape_keys"])
SLIDERS = {"Open": "jawOpen", "Smile": "mouthClose", "CTRL:Brow": "mouthClose"}
"""In the mode `sliders`: the controls that the model was taught, and whose values they have."""
CHUNK = 24
TALKER = protocol.ModelInfo(
    "talker", "Talker", ("arkit",), ("anna", "bert"), "CC0-1.0", 1, (), 8, 16, 64, ("neutral", "happy", "sad")
)
"""In the mode `takes`: a model that denoises."""


def loudest(request: protocol.Generate) -> np.ndarray:
    """Peak of the sound within half a frame around each frame; float32 [frames]."""
    with wave.open(io.BytesIO(request.sound.tobytes())) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    frames = round(request.duration * request.fps)
    places = np.round((request.start + (np.arange(frames + 1) - 0.5) / request.fps) * rate)
    edges = places.astype(int).clip(0, len(samples))
    peaks = [abs(samples[a:b]).max(initial=0.0) for a, b in itertools.pairwise(edges)]
    return np.array(peaks, np.float32)


def motion(request: protocol.Generate) -> np.ndarray:
    values = np.zeros((round(request.duration * request.fps), len(CHANNELS)), np.float32)
    values[:, CHANNELS.index("jawOpen")] = loudest(request)
    values[:, CHANNELS.index("mouthClose")] = np.linspace(0.1, 0.9, len(values))
    return values


def phone_times(request: protocol.Generate) -> np.ndarray:
    """A pause, a p, a vowel and a pause, each a quarter of the line."""
    edges = np.linspace(0, request.duration, 5, dtype=np.float32)
    return np.stack((edges[:-1], edges[1:]), axis=1)


def taken(values: np.ndarray, seed: int) -> np.ndarray:
    """The take of a seed: its mouth is as far closed as the seed says, in tenths, and the less its jaw opens."""
    take = values.copy()
    take[:, CHANNELS.index("mouthClose")] = seed % 10 / 10
    take[:, CHANNELS.index("jawOpen")] *= 1 - seed % 10 / 20
    return take


def asked(request: protocol.Generate, seed: int) -> dict[str, object]:
    """What a request asks of a model that denoises, told back."""
    names, seconds, weights = request.emotions, request.emotion_seconds, request.emotion_weights
    return {
        "seed": seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "style": request.style if len(request.reference) else "",
        "heard": [request.reference_start, request.reference_duration],
        "felt": {
            name: list(zip(seconds.tolist(), weights[:, k].tolist(), strict=True)) for k, name in enumerate(names)
        },
    }


class FakeBackend:
    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.loaded: tuple[str, ...] = ()
        self.out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def say(self, message: protocol.Reply) -> None:
        protocol.write(self.out, message)

    def run(self) -> None:
        if self.mode == "no torch":
            self.say(protocol.Failed(0, "The backend's Python has no torch. Install it."))
            sys.exit(1)
        if self.mode == "no numpy":
            sys.exit("error: The backend's Python has no numpy. Install it.")
        if self.mode == "never ready":
            time.sleep(600)
        version = 999 if self.mode == "other version" else protocol.VERSION
        model = protocol.ModelInfo("default", "Default", ("arkit",), ("anna", "bert"), "CC0-1.0", 1)
        models = (model, TALKER) if self.mode == "takes" else (model,)
        self.say(protocol.Ready(version, "0.0.1", "cpu", models))
        while (request := protocol.read(sys.stdin.buffer)) is not None:
            match request:
                case protocol.Generate():
                    self.generate(request)
                case protocol.Unload():
                    self.loaded = ()
                case protocol.Look():
                    self.say(protocol.Status((model,), self.loaded, "Fake 3000", 6 << 30, 8 << 30))
                case protocol.Cancel() if self.mode != "deaf":
                    self.say(protocol.Cancelled(request.job))

    def generate(self, request: protocol.Generate) -> None:
        job, self.loaded = request.job, (request.model,)
        match self.mode:
            case "crash":
                sys.stderr.write("about to die\n2026-01-01 12:00:00,000 INFO job 1 was cancelled\n")
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash once" if not Path(os.environ["MOUTHPIECE_TEST_MARK"]).exists():
                Path(os.environ["MOUTHPIECE_TEST_MARK"]).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            case "garbage":
                self.out.write(b"Traceback (most recent call last):\n" * 10)
                self.out.flush()
                return
            case "fails":
                self.say(protocol.Failed(job, f"There is no model named {request.model}."))
                return
            case "gap":
                self.say(protocol.Frames(job, 5, motion(request)[5:]))
            case "slow" | "deaf":
                self.say(protocol.Progress(job, "animating", 0.4))
                return  # until it is cancelled
            case "prints":
                print("a library says hello", flush=True)  # noqa: T201 (this is the test)
                os.write(1, b"and so does native code\n")
        self.finish(request)

    def finish(self, request: protocol.Generate) -> None:
        job, values, names = request.job, motion(request), CHANNELS
        if self.mode == "sliders":
            names, values = tuple(SLIDERS), values[:, [CHANNELS.index(channel) for channel in SLIDERS.values()]]
        about = {"model": request.model, "identity": request.identity, "version": "0.0.1"}
        if self.mode == "phones":
            self.say(protocol.Phones(job, ("sil", "p", "ɑː", "sil"), ("sil", "pb", "AA", "sil"), phone_times(request)))
            about["transcript_note"] = f"{request.language}: {request.transcript}" if request.transcript else ""
        takes, told = [values], [about]
        if request.model == TALKER.name:
            seeds = range(request.seed, request.seed + request.takes)
            takes, told = [taken(values, seed) for seed in seeds], [about | asked(request, seed) for seed in seeds]
        for start in range(0, len(values), CHUNK) if self.mode != "gap" else ():
            self.say(protocol.Progress(job, "animating", start / len(values)))
            for number, take in enumerate(takes):
                self.say(protocol.Frames(job, start, take[start : start + CHUNK], number))
        metadata = tuple(json.dumps(one) for one in told)
        self.say(protocol.Finished(job, "arkit", request.fps, len(values), names, metadata))


if __name__ == "__main__":
    FakeBackend(sys.argv[1]).run()
