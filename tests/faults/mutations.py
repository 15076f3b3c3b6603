# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of every kind that the protocol has, made from its own annotations, broken frames of them; broken files."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import struct
import typing
from typing import Annotated, Any

import numpy as np

from backend import protocol

KINDS: tuple[type, ...] = typing.get_args(protocol.Message)
REQUESTS: tuple[type, ...] = typing.get_args(protocol.Request)
REPLIES: tuple[type, ...] = typing.get_args(protocol.Reply)
TEXTS = ("", "default", "../../etc/passwd", "pivot", "Ä “b” ✗", "\ud83d", "\x00", "9" * 5000, "a" * 300, "{}", "en")
WHOLE = (0, 1, -1, 7, 2**31, 2**63, 2**64, 10**30)
BROKEN_VALUES = (None, True, -1, 1e308, 2**64, 0.5, "", "x", [], [1], [[]], {}, {"dtype": "object", "shape": [1]})
SIZES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 20, (1 << 20) + 1)


def any_message(kind: type, chance: random.Random, **fields: object) -> Any:
    """A message of that kind that `protocol.write` takes, with nasty but permitted values."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return kind(**{name: _value(hint, chance) for name, hint in hints.items()} | fields)


def _value(hint: Any, chance: random.Random) -> object:
    if typing.get_origin(hint) is Annotated:
        return _array(hint.__metadata__[0], chance)
    if typing.get_origin(hint) is tuple:
        return tuple(_value(typing.get_args(hint)[0], chance) for _ in range(chance.choice((0, 1, 2, 5))))
    if dataclasses.is_dataclass(hint):
        return any_message(typing.cast("type", hint), chance)
    values = {
        bool: chance.random() < 0.5,
        int: chance.choice(WHOLE),
        float: chance.choice((0.0, -1.5, 24.0, 1e300, -1e300, 5e-324, 0.04)),
        str: chance.choice(TEXTS),
    }
    return values[hint]


def _array(layout: Any, chance: random.Random) -> np.ndarray:
    shape = [chance.choice((0, 1, 3, 52)) for _ in range(chance.choice(layout.dimensions))]
    data = np.frombuffer(chance.randbytes(int(np.prod(shape)) * np.dtype(layout.dtype).itemsize), layout.dtype)
    return data.reshape(shape)


def frame(message: protocol.Message) -> bytes:
    """A message as it travels."""
    stream = io.BytesIO()
    protocol.write(stream, message)
    return stream.getvalue()


def read(data: bytes) -> protocol.Message | None:
    """What our own reader makes of it; None where it refuses it or there is nothing. Anything else is a crash."""
    try:
        return protocol.read(io.BytesIO(data))
    except protocol.ProtocolError:
        return None


def broken(data: bytes, chance: random.Random) -> bytes:
    """A frame with something wrong: bits, length, types, fields, order or payload. Now and then it stays a frame."""
    return chance.choice(WAYS)(data, chance)


def _flipped(data: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def _truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _lengthened(data: bytes, chance: random.Random) -> bytes:
    """One of its two lengths is a lie."""
    spoiled = bytearray(data)
    struct.pack_into("<I", spoiled, chance.choice((0, 4)), chance.choice(SIZES))
    return bytes(spoiled)


def _swapped(data: bytes, chance: random.Random) -> bytes:
    """Pieces of it have changed places."""
    one, other = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:one] + data[other:] + data[one:other]


def _rewritten(data: bytes, chance: random.Random) -> bytes:
    """The header is whole JSON with something else in it: another type, a field more or less, another name."""
    header, payload = opened(data)
    names = list(header)
    match chance.randrange(5):
        case 0:
            header.pop(chance.choice(names))
        case 1:
            header[chance.choice(("more", "path", "__class__"))] = chance.choice(BROKEN_VALUES)
        case 2:
            header["message"] = chance.choice([kind.__name__ for kind in KINDS])
        case 3:
            payload = payload[: len(payload) // 2] if chance.random() < 0.5 else payload + b"\0" * 8
        case _:
            _spoil(header, chance)
    return closed(header, payload)


def _spoil(header: dict[str, Any], chance: random.Random) -> None:
    """Another value somewhere in the header, however deep."""
    place, key = header, chance.choice([name for name in header if name != "message"] or ["message"])
    while isinstance(place[key], dict | list) and place[key] and chance.random() < 0.6:
        place = place[key]
        key = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
    place[key] = chance.choice((*BROKEN_VALUES, *TEXTS, *WHOLE))


WAYS = (_flipped, _truncated, _lengthened, _swapped, _rewritten, _rewritten, _rewritten)


def opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and payload of a whole frame."""
    size = struct.unpack_from("<I", data)[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def closed(header: dict[str, Any], payload: bytes) -> bytes:
    """A frame of any header."""
    text = json.dumps(header).encode()
    return struct.pack("<II", len(text), len(payload)) + text + payload


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Cut off, with flipped bits (half of them near an end, where headers are), or with a hole of one value."""
    match chance.randrange(4):
        case 0:
            return data[: chance.randrange(len(data))]
        case 1:
            spoiled = bytearray(data)
            first = chance.randrange(len(data))
            length = min(chance.choice((4, 8, 600)), len(data) - first)
            spoiled[first : first + length] = bytes([chance.choice((0, 0xFF, 0x7F))]) * length
        case _:
            spoiled = bytearray(data)
            reach = chance.choice((64, 512, len(data)))
            for _ in range(chance.choice((1, 3, 30))):
                place = chance.randrange(min(reach, len(data)))
                spoiled[-1 - place if chance.random() < 0.25 else place] ^= 1 << chance.randrange(8)
    return bytes(spoiled)
