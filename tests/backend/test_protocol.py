# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages survive the pipe unchanged, and nothing else passes."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import struct
import tracemalloc

import numpy as np
import pytest

from backend import protocol
from backend.protocol import ProtocolError

MESSAGES = [
    protocol.Generate(1, np.arange(300, dtype=np.uint8), -0.5, 2.5, "default", "arkit", 29.97, "ann", True),
    protocol.Cancel(7),
    protocol.Unload(),
    protocol.Look(),
    protocol.Status((protocol.ModelInfo("a", "A", ("x",), ("b",), "CC0", 1),), ("a", "c"), "Karte 9", 3 << 33, 1 << 36),
    protocol.Ready(1, "0.1.0", "cpu", (protocol.ModelInfo("a", "Ä “b”", ("x", "y"), (), "CC0", 1 << 40),)),
    protocol.Progress(2, "animating", 0.25),
    protocol.Frames(3, 10, np.linspace(0, 1, 104, dtype=np.float32).reshape(2, 52)),
    protocol.Frames(3, 10, np.random.default_rng(0).random((2, 5, 3), np.float32)),
    protocol.Frames(3, 10, np.zeros((0, 52), np.float32)),
    protocol.Frames(3, 10, np.zeros((4, 52), np.float32), take=2),
    protocol.Finished(3, "arkit", 24.0, 48, ("jawOpen", "mouthClose"), ("{}", '{"seed": 1}')),
    protocol.Failed(4, "Nein, \ud83d und ✗.", "Traceback …"),
    protocol.Cancelled(5),
]
NAMES = [type(message).__name__ for message in MESSAGES]


def sent(message: object) -> bytes:
    stream = io.BytesIO()
    protocol.write(stream, message)
    return stream.getvalue()


def frame(header: object, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(text), len(payload)) + text + payload


def same(one: object, other: object) -> bool:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    equal = [np.array_equal(a, b) and a.dtype == b.dtype if isinstance(a, np.ndarray) else a == b for a, b in pairs]
    return type(one) is type(other) and all(equal)


@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_a_message_arrives_as_it_was_sent(message: protocol.Message):
    stream = io.BytesIO(sent(message) * 2)
    assert same(protocol.read(stream), message)
    assert same(protocol.read(stream), message)
    assert protocol.read(stream) is None


def test_any_memory_layout_becomes_little_endian_and_contiguous():
    table = np.arange(24, dtype=">f4").reshape(4, 6)[::-1, ::2]
    arrived = protocol.read(io.BytesIO(sent(protocol.Frames(1, 0, table))))
    np.testing.assert_array_equal(arrived.values, table)
    assert arrived.values.flags.c_contiguous and arrived.values.dtype == np.dtype("<f4")


def test_a_whole_number_will_do_for_a_fraction():
    message = protocol.read(io.BytesIO(sent(dataclasses.replace(MESSAGES[0], fps=24, start=-1))))
    assert (message.fps, message.start) == (24.0, -1.0)
    assert isinstance(message.fps, float)


@pytest.mark.parametrize(
    "changes",
    [
        {"job": True},
        {"job": 1.0},
        {"job": np.int64(1)},
        {"start": float("nan")},
        {"start": float("inf")},
        {"start": 10**400},
        {"start": "0"},
        {"model": b"default"},
        {"model": "x" * (1 << 20)},
        {"raw": 1},
        {"sound": [1, 2]},
        {"sound": np.zeros(3, np.int16)},
        {"sound": np.zeros((3, 1), np.uint8)},
    ],
    ids=str,
)
def test_wrong_fields_are_not_sent(changes: dict[str, object]):
    stream = io.BytesIO()
    with pytest.raises(ProtocolError):
        protocol.write(stream, dataclasses.replace(MESSAGES[0], **changes))
    assert stream.getvalue() == b""


def test_only_messages_are_sent():
    for thing in (protocol.ModelInfo("a", "b", (), (), "c", 1), "Cancel", None):
        with pytest.raises(ProtocolError):
            protocol.write(io.BytesIO(), thing)


FRAMES = {"message": "Frames", "job": 1, "start": 0, "values": {"dtype": "float32", "shape": [1, 2]}, "take": 0}


@pytest.mark.parametrize(
    "data",
    [
        frame({"message": "Nothing"}),
        frame({"message": 3}),
        frame({"job": 1}),
        frame([1, 2]),
        frame(b"\xff\xfe"),
        frame(b"{"),
        frame(b""),
        frame(b"[" * 100_000),
        frame({"message": "Cancel"}),
        frame({"message": "Cancel", "job": 1, "more": 2}),
        frame({"message": "Cancel", "job": "1"}),
        frame({"message": "Cancel", "job": True}),
        frame({"message": "Cancel", "job": None}),
        frame({"message": "Cancel", "job": 1}, b"payload"),
        frame({"message": "Progress", "job": 1, "stage": "x", "fraction": float("nan")}),
        frame(b'{"message": "Progress", "job": 1, "stage": "x", "fraction": 1e999}'),
        frame({"message": "Cancel", "job": 1})[:-1],
        frame({"message": "Cancel", "job": 1})[:5],
        struct.pack("<II", (1 << 20) + 1, 0) + b" " * ((1 << 20) + 1),
        frame(FRAMES, b"1234567"),
        frame(FRAMES, b"123456789"),
        frame({**FRAMES, "values": [[0.0, 1.0]]}),
        frame({**FRAMES, "values": {"dtype": "object", "shape": [1, 2]}}, b"12345678"),
        frame({**FRAMES, "values": {"dtype": "uint8", "shape": [1, 8]}}, b"12345678"),
        frame({**FRAMES, "values": {"dtype": "float32", "shape": [2]}}, b"12345678"),
        frame({**FRAMES, "values": {"dtype": "float32", "shape": [1, -2]}}, b"12345678"),
        frame({**FRAMES, "values": {"dtype": "float32", "shape": [1, 2.0]}}, b"12345678"),
        frame({**FRAMES, "values": {"dtype": "float32", "shape": [0, 1 << 62]}}),
        frame({**FRAMES, "values": {"dtype": "float32", "shape": [1, 2], "order": "F"}}, b"12345678"),
        frame({"message": "Ready", "protocol": 1, "version": "", "device": "", "models": {}}),
        frame({"message": "Ready", "protocol": 1, "version": "", "device": "", "models": [{"name": "a"}]}),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes):
    with pytest.raises(ProtocolError) as caught:
        protocol.read(io.BytesIO(data))
    assert str(caught.value).endswith(".")


def test_a_lie_about_the_length_costs_no_memory():
    shape = [1 << 15, 1 << 15]
    header = json.dumps({**FRAMES, "values": {"dtype": "float32", "shape": shape}}).encode()
    lie = struct.pack("<II", len(header), 0) + header
    with pytest.raises(ProtocolError):
        protocol.read(io.BytesIO(lie))
    full = {**FRAMES, "values": {"dtype": "float32", "shape": [1 << 15, (1 << 15) - 1]}}
    text = json.dumps(full).encode()
    size = (1 << 15) * ((1 << 15) - 1) * 4
    tracemalloc.start()
    with pytest.raises(ProtocolError, match="middle"):
        protocol.read(io.BytesIO(struct.pack("<II", len(text), size) + text + b"some"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_thousands_of_broken_frames_are_refused_or_are_messages():
    """Whatever arrives, the reader gives a message that could be sent again, None, or a ProtocolError; never more."""
    chance = random.Random(0)
    frames = [sent(message) for message in MESSAGES]
    refused = 0
    for _ in range(6000):
        data = bytearray(chance.choice(frames))
        for _ in range(chance.randint(1, 4)):
            mutate(data, chance)
        try:
            message = protocol.read(io.BytesIO(bytes(data)))
        except ProtocolError:
            refused += 1
        else:
            assert message is None or sent(message)
    assert refused > 3000


def mutate(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(5):
        case 0:
            del data[at:]
        case 1:
            data[at:at] = chance.randbytes(chance.randint(1, 8))
        case 2:
            del data[at : at + chance.randint(1, 8)]
        case 3 if at < len(data):
            data[at] = chance.randrange(256)
        case _:
            data[at : at + 1] = chance.choice([b"null", b"true", b"1e999", b"-1", b'"', b"}", b"[", b"NaN"])
    if not data:
        data.append(0)


def test_reading_and_writing_is_fast_enough_for_a_film():
    """100 MB of sound goes through in far less than it takes to animate it."""
    sound = np.zeros(100_000_000, np.uint8)
    arrived = protocol.read(io.BytesIO(sent(protocol.Generate(1, sound, 0.0, 1.0, "m", "", 24.0))))
    assert len(arrived.sound) == len(sound)
