# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken answers: whatever a backend says, a job ends with one sentence, and the file is as it was."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter

import numpy as np
import pytest

from backend import protocol
from tests.faults import mutations
from tests.faults.addon.jobs import clear, ended
from tests.faults.figures import MB, handles, is_sentence, linux, memory

SECONDS = 20
CHANNELS = ("jawOpen", "mouthClose", "eyeBlinkLeft")


def good_conversation() -> list[protocol.Message]:
    """What a job of the shot's second gets from a backend that is well."""
    model = protocol.ModelInfo("default", "Default", ("arkit",), ("anna",), "CC0-1.0", 1)
    values = np.linspace(0, 1, 24 * len(CHANNELS), dtype=np.float32).reshape(24, -1)
    phones = protocol.Phones(1, ("p", "a"), ("pb", "AA"), np.array([[0, 0.5], [0.5, 1]], np.float32))
    return [
        protocol.Ready(protocol.VERSION, "0.0.1", "cpu", (model,)),
        protocol.Progress(1, "animating", 0.5),
        phones,
        protocol.Frames(1, 0, values[:12]),
        protocol.Frames(1, 12, values[12:]),
        protocol.Finished(1, "arkit", 24.0, 24, CHANNELS, ("{}",)),
    ]


@pytest.fixture
def run(addon, choice, tmp_path):
    """One job against a backend that says just these bytes; its sentence, or None where the keys were written."""

    def run(said: bytes) -> str | None:
        session, answers = addon.session.Session(), tmp_path / "answers"
        answers.write_bytes(said)
        launch = addon.environment.Launch(("cat", str(answers)), tmp_path / "log.txt")
        job = addon.job.Generation(choice(), launch, session)
        session._job = 1
        try:
            return ended(addon, job, SECONDS)
        finally:
            session.close()

    return run


@linux
def test_broken_answers_end_in_one_sentence_and_change_nothing(run, snapshot, shot, times, chance, record):
    frames = [mutations.frame(message) for message in good_conversation()]
    before, wanted, tried, outcomes = snapshot(), times(150, 3000), 0, Counter()
    conversations = 0
    while tried < wanted:
        spoiled = list(frames)
        for place in chance.sample(range(len(frames)), chance.choice((1, 1, 2, 6))):
            spoiled[place] = another(frames[place], chance)
            tried += 1
        if chance.random() < 0.1:
            chance.shuffle(spoiled)
        sentence = run(b"".join(spoiled))
        conversations += 1
        assert sentence in (None, "Cancelled.") or is_sentence(sentence), sentence
        outcomes["written" if sentence is None else "sentence"] += 1
        if sentence is None:
            clear(shot, before)
        assert snapshot() == before
        if tried <= wanted / 3:
            gc.collect()
            owned, opened = memory(os.getpid()), handles(os.getpid())
    gc.collect()
    grown = memory(os.getpid()) - owned
    assert handles(os.getpid()) <= opened + 2
    assert threading.active_count() < 10
    assert grown < 32 * MB
    outcome = (
        f"{outcomes['sentence']} of {conversations} jobs end in one sentence, {outcomes['written']} were still right"
    )
    record("mutated frames, the add-on's side", tried, f"{outcome}; {max(grown, 0) / MB:.1f} MB and no handle more")


def another(frame: bytes, chance) -> bytes:
    """A broken frame, or a whole one of any reply with nonsense in it."""
    if chance.random() < 0.75:
        return mutations.broken(frame, chance)
    kind = chance.choice(mutations.REPLIES)
    fitting = {"job": 1, "protocol": protocol.VERSION}
    fields = {name: value for name, value in fitting.items() if name in kind.__dataclass_fields__}
    if kind is protocol.Failed:
        fields["reason"] = "There is a reason, and the backend says it."
    return mutations.frame(mutations.any_message(kind, chance, **fields))
