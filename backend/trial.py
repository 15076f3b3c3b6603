# SPDX-License-Identifier: GPL-3.0-or-later
"""Trial: a model that was put on Apple's Metal unasked is tried there, and computes on the processor where it fails.

Metal lacks operations that other devices have, and nobody here could run it. Whoever asks for it gets it, or the error.
"""

from __future__ import annotations

import logging

import numpy as np

from . import device, memory, pipeline, planning, precision
from .checkpoint import LoadedModel
from .windows import SAMPLE_RATE

_log = logging.getLogger(__name__)


def ready(loaded: LoadedModel, device_name: str, wanted: precision.Precision) -> LoadedModel:
    """`precision.ready` on a device by its name, ``auto`` included. Raises `DeviceError` and `PrecisionError`."""
    chosen = device.choose(device_name)
    if device_name != "auto" or chosen != "mps":
        return precision.ready(loaded, chosen, wanted)
    try:
        tried = precision.ready(loaded, chosen, wanted)
        _speak(tried)
    except (RuntimeError, TypeError) as error:
        if memory.ran_out(error):
            raise
        _log.warning("%s does not run on Metal and computes on the processor: %s", loaded.info.name, error)
        loaded.model.to("cpu")
        return precision.ready(loaded, "cpu", wanted)
    return tried


def _speak(loaded: LoadedModel) -> None:
    """A second of noise in every space."""
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    for space in loaded.spaces:
        for _ in pipeline.generate(loaded, noise, planning.plan(loaded, planning.Request(space, raw=True))):
            pass
