# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files that the add-on reads by itself: each is one sentence or still valid, and never an exception."""

from __future__ import annotations

import base64
import json
import resource
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.faults.figures import is_sentence, linux
from tests.faults.mutations import damaged

JOBS = b"""[defaults]
model = "default"
[[shots]]
blend = "a.blend"
strip = "line"
object = "Head"
"""
DEEP = {".json": b"[" * 200_000, ".toml": b"a = " + b"[" * 5000}


@pytest.fixture
def readers(addon, tmp_path) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    """By the ending of its name: a whole file, and what reads it."""
    phones = [addon.phones.Phone("p", "pb", number / 10, (number + 1) / 10) for number in range(20)]
    addon.phones.write(tmp_path / "whole.phones.json", phones)
    addon.vertices.point_cache.write(tmp_path / "whole.pc2", np.zeros((4, 5, 3), np.float32))
    (tmp_path / "whole.toml").write_bytes(JOBS)
    profile = addon.rig.profile.FOLDER / "arkit.json"
    (tmp_path / "whole.rig.json").write_bytes(profile.read_bytes())
    reading = {
        ".phones.json": addon.phones.read,
        ".pc2": addon.vertices.point_cache.read,
        ".toml": addon.batch.read,
        ".rig.json": addon.rig.profile.load,
    }
    return {ending: (tmp_path / f"whole{ending}", read) for ending, read in reading.items()}


def test_damaged_settings(addon, readers, tmp_path, times, chance, record):
    tried, outcomes = times(80, 800), Counter()
    for number in range(tried):
        ending, (whole, read) = list(readers.items())[number % len(readers)]
        deep = DEEP.get(Path(ending).suffix or ending) if number < 2 * len(readers) else None
        path = tmp_path / f"spoiled{ending}"
        path.write_bytes(deep or damaged(whole.read_bytes(), chance))
        try:
            read(path)
        except addon.errors.BadInput as problem:
            assert str(problem).splitlines()[0]
            outcomes["sentence"] += 1
        else:
            outcomes["read"] += 1
    assert outcomes["sentence"] > tried / 4
    outcome = f"{outcomes['sentence']} refused, {outcomes['read']} still valid"
    record("damaged rig profiles, job files, phones and point caches", tried, outcome)


def test_an_action_with_a_damaged_memory_is_one_without(addon, times, chance, record):
    """What a lip sync remembers lies in the .blend file, which may come from anybody."""
    ledger = addon.writing.ledger
    record_of = ledger.Record("line", "Head", "default", "arkit", "pivot", 1.0, "0.0.1", 1, 24, 24.0, ("jawOpen",))
    action = bpy.data.actions.new("spoken")
    ledger.Ledger(True, (ledger.Line(record_of, 1, ()),)).store(action)
    whole, tried = action[ledger.PROPERTY].encode(), times(60, 600)
    assert ledger.Ledger.of(action).lines
    for content in (b"[" * 200_000, b"3", b"[]", b"{}", json.dumps({"own": 1, "lines": [3]}).encode()):
        action[ledger.PROPERTY] = content.decode()
        assert isinstance(ledger.Ledger.of(action), ledger.Ledger)
    for _ in range(tried):
        action[ledger.PROPERTY] = damaged(whole, chance).replace(b"\0", b"").decode("utf-8", "replace")
        assert isinstance(ledger.Ledger.of(action), ledger.Ledger)
    record("damaged memory of a lip sync in an action", tried, "an action without lip sync, or still valid")


@linux
def test_keys_that_made_room_are_given_back_whole_or_not_at_all(addon, times, chance, record):
    """They lie in the same memory; damaged ones, and bombs, are one sentence before a key has moved."""
    ledger = addon.writing.ledger
    artists = np.zeros(40, addon.writing.keys.layout())
    artists["co"] = np.random.default_rng(0).random((40, 2))
    whole, tried, outcomes = ledger.packed(artists).encode(), times(60, 600), Counter()
    assert (ledger.unpacked(whole.decode()) == artists).all()
    bomb = zlib.compressobj(1)
    pieces = [bomb.compress(bytes(1 << 20)) for _ in range(400)]
    bombs = [base64.b64encode(b"".join((*pieces, bomb.flush()))).decode(), "é", 3, "QQ=="]
    spoiled = (damaged(whole, chance).decode("utf-8", "replace") for _ in range(tried - len(bombs)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in (*bombs, *spoiled):
        try:
            ledger.unpacked(text)
        except addon.errors.BadInput as problem:
            assert is_sentence(str(problem))
            outcomes["sentence"] += 1
        else:
            outcomes["read"] += 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert outcomes["sentence"] > tried / 2 and grown < 256
    outcome = f"{outcomes['sentence']} refused in one sentence, {outcomes['read']} still whole; at most {grown:.0f} MB"
    record("damaged keys that a lip sync has put aside", tried, outcome)
