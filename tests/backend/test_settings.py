# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataclasses from plain values: what fits, and by which name the rest is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from backend.settings import SettingsError, from_plain, to_plain


@dataclass(frozen=True)
class Wave:
    kind: Literal["sine", "square"]
    height: float = 1.0


@dataclass(frozen=True)
class Noise:
    seed: int
    kind: Literal["noise"] = "noise"


@dataclass(frozen=True)
class Sound:
    parts: tuple[Wave | Noise, ...]
    name: str | None = None
    levels: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a sound has parts")


def test_plain_values_and_back() -> None:
    sound = Sound((Wave("square", 0.5), Noise(3)), levels={"left": 1.0}, notes={"any": [1, None, "x"]})
    assert from_plain(Sound, json.loads(json.dumps(to_plain(sound)))) == sound


def test_whole_numbers_are_floats_where_floats_are_wanted() -> None:
    assert isinstance(from_plain(Wave, {"kind": "sine", "height": 2}).height, float)


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ([], "sound must be a table"),
        ({}, "sound lacks the field 'parts'"),
        ({"parts": [], "size": 1}, "sound has no field 'size'"),
        ({"parts": []}, "sound: a sound has parts"),
        ({"parts": {}}, r"sound\.parts must be a list"),
        (
            {"parts": [{"kind": "saw"}]},
            r"sound\.parts\[0\]\.kind is 'saw'; it must be one of 'sine', 'square', 'noise'",
        ),
        ({"parts": [{"kind": []}]}, r"sound\.parts\[0\]\.kind is \[\]"),
        ({"parts": [{"kind": "noise", "seed": 1.5}]}, r"seed is 1\.5; it must be of type int"),
        ({"parts": [{"kind": "noise", "seed": True}]}, "seed is True; it must be of type int"),
        ({"parts": [{"kind": "sine"}], "name": 3}, r"sound\.name is 3; it must be of type str"),
        ({"parts": [{"kind": "sine"}], "levels": {"left": "1"}}, r"sound\.levels\.left is '1'"),
        ({"parts": [{"kind": "sine"}], "levels": []}, r"sound\.levels is \[\]; it must be of type dict"),
    ],
)
def test_what_does_not_fit_is_named(plain: object, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        from_plain(Sound, plain, "sound")
