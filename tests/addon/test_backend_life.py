# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend between its jobs: what it holds, that it gives it back, that it ends when idle, and the words for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone


@pytest.fixture
def now(addon):
    return addon.session.current


@pytest.fixture
def until(addon) -> Callable:
    """Step as the timer does until something is so."""

    def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + seconds, addon.session.current.state
            addon.runner.current.step()
            time.sleep(0.01)

    return until


@pytest.fixture
def speak(addon, scene, tmp_path, until) -> Callable[[], None]:
    """Generate a second of lip sync, and wait until the backend has told how things stand."""
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    add_character()

    def speak() -> None:
        assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
        until(lambda: addon.session.current.status and addon.session.current.status.loaded)

    return speak


@pytest.fixture
def is_idle_for(addon, monkeypatch) -> Callable[[float], None]:
    """Have the preference stand at so many seconds."""
    return lambda seconds: monkeypatch.setattr(addon.preferences, "idle_seconds", lambda: seconds)


def test_a_real_backend_tells_what_it_holds_gives_it_back_and_works_again(addon, speak, until, now):
    speak()
    assert now.status.loaded == ("default",)
    assert addon.interface.status.sentence() == "Ready, with “default” loaded."
    assert bpy.ops.mouthpiece.unload_model() == {"FINISHED"}
    until(lambda: not now.status.loaded)
    assert not bpy.ops.mouthpiece.unload_model.poll(), "there is nothing left to unload"
    assert now.has_backend
    speak()
    child = now._backend._child
    now.rest(0.0)
    assert child.wait(10) is not None
    speak()
    assert now.status.loaded == ("default",)


def test_an_idle_backend_ends_and_the_next_click_starts_another(addon, use_fake, speak, until, now, is_idle_for):
    use_fake("clicks")
    speak()
    first = now._backend._child
    is_idle_for(0.2)
    began = time.monotonic()
    until(lambda: not now.has_backend, 10)
    assert time.monotonic() - began < 5
    assert first.wait(5) is not None
    assert now.state is addon.session.State.IDLE
    assert addon.interface.status.word_and_icon()[0] == "Unloaded"
    assert [model.name for model in now.models] == ["default"], "the panel still offers the models it was told of"
    is_idle_for(math.inf)
    speak()
    assert now._backend._child.pid != first.pid
    assert addon.interface.status.word_and_icon()[0] == "Ready"


def test_a_backend_at_work_is_not_idle(addon, use_fake, speak, until, now, is_idle_for):
    use_fake("slow")
    is_idle_for(0.0)
    addon.runner.current.begin(addon.interface.properties.choice(bpy.context), addon.preferences.launch())
    until(lambda: now.fraction > 0.3)
    for _ in range(20):
        addon.runner.current.step()
        time.sleep(0.01)
    assert now.has_backend and now.busy
    assert not bpy.ops.mouthpiece.unload_model.poll()
    assert addon.interface.status.word_and_icon()[0] == "Busy"
    addon.runner.current.cancel()
    until(lambda: not now.has_backend)


def test_the_timer_looks_after_an_idle_backend_now_and_then_and_ends_with_it(addon, use_fake, speak, now, is_idle_for):
    use_fake("clicks")
    speak()
    tick = addon.runner._on_timer
    assert tick() == addon.runner.IDLE_TICK_SECONDS
    is_idle_for(0.0)
    assert tick() is None
    assert not now.has_backend


def test_a_click_between_two_rare_looks_does_not_wait_for_the_next_one(addon, use_fake, speak):
    use_fake("clicks")
    speak()
    timers, tick = bpy.app.timers, addon.runner._on_timer
    while timers.is_registered(tick):  # of other tests
        timers.unregister(tick)
    timers.register(tick, first_interval=100.0, persistent=True)
    addon.runner.current.watch()
    assert timers.is_registered(tick)
    timers.unregister(tick)
    assert not timers.is_registered(tick), "one timer, not two"


def test_idle_minutes_are_a_preference_and_none_means_never(addon):
    chosen = addon.preferences.chosen()
    assert addon.preferences.idle_seconds() == 600
    chosen.idle_minutes = 0
    assert addon.preferences.idle_seconds() == math.inf
    chosen.property_unset("idle_minutes")


def test_a_backend_that_dies_while_it_waits_is_not_said_to_be_ready(addon, use_fake, speak, until, now):
    use_fake("clicks")
    speak()
    now._backend._child.kill()
    until(lambda: not now.has_backend)
    assert now.state is addon.session.State.IDLE
    assert addon.interface.status.word_and_icon()[0] == "Not Running"
    speak()


def test_memory_is_told_in_gigabytes_of_the_device(addon, use_fake, speak, now):
    use_fake("clicks")
    speak()
    assert addon.sentences.memory("cuda", now.status) == "Fake 3000: 6.4 of 8.6 GB free"
    assert addon.sentences.memory("cpu", now.status) == "Processor: 6.4 of 8.6 GB free"
    assert addon.sentences.memory("mps", replace(now.status, memory=0)) == "The Mac's graphics"


def test_a_failed_start_is_failed_and_says_why(addon, use_fake, scene, tmp_path):
    use_fake("no torch")
    with pytest.raises(RuntimeError, match="has no torch"):
        bpy.ops.mouthpiece.check_backend()
    assert addon.interface.status.word_and_icon()[0] == "Failed"
    assert "has no torch" in addon.interface.status.sentence()
