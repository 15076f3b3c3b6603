# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend's life: it may die, hang, talk nonsense or be cancelled, and the next click works."""

from __future__ import annotations

import signal
import time

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, tone


@pytest.fixture
def shot(scene, tmp_path):
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    return add_character()


@pytest.fixture
def begin(addon, shot):
    """What a click in the interface does; `step` does what its timer would."""

    def begin():
        addon.runner.current.begin(addon.interface.properties.choice(bpy.context), addon.preferences.launch())

    return begin


@pytest.fixture
def step_until(addon):
    def step_until(condition, seconds: float = 20.0) -> float:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + seconds, addon.session.current.state
            addon.runner.current.step()
            time.sleep(0.01)
        return time.monotonic() - began

    return step_until


@pytest.fixture
def now(addon):
    return addon.session.current


def test_states_of_a_good_job(addon, begin, use_fake, step_until, now):
    use_fake("clicks")
    begin()
    assert now.state is addon.session.State.STARTING
    step_until(lambda: not now.busy)
    assert now.state is addon.session.State.READY
    assert now.message == "“Head” speaks: 3 shape keys, frames 1 to 24."
    assert addon.runner.current.report.missing[0] == "eyeLookDownLeft"


def test_next_job_uses_the_same_backend(addon, begin, use_fake, step_until, now):
    use_fake("clicks")
    begin()
    step_until(lambda: not now.busy)
    log = now.log_file
    begin()
    assert now.state is addon.session.State.RUNNING
    step_until(lambda: not now.busy)
    assert now.log_file == log


@pytest.mark.parametrize("mode", ["crash once"])
def test_killed_backend_is_one_sentence_and_the_next_click_works(
    addon, begin, use_fake, step_until, now, mode, tmp_path, monkeypatch, shot
):
    monkeypatch.setenv("MOUTHPIECE_TEST_MARK", str(tmp_path / "mark"))
    use_fake(mode)
    begin()
    step_until(lambda: not now.busy)
    assert now.state is addon.session.State.ERROR
    assert now.message.startswith("The backend stopped unexpectedly (killed, perhaps because memory ran out).")
    assert len(bpy.data.actions) == 0
    begin()
    step_until(lambda: not now.busy)
    assert now.state is addon.session.State.READY
    assert shot.data.shape_keys.animation_data.action


def test_last_words_are_shown(begin, use_fake, step_until, now):
    use_fake("crash")
    begin()
    step_until(lambda: not now.busy)
    assert now.log_lines == ["about to die"]


def test_backend_that_dies_between_two_jobs(addon, begin, use_fake, step_until, now):
    use_fake("clicks")
    begin()
    step_until(lambda: not now.busy)
    now._backend.kill()
    now._backend._child.wait()
    begin()
    step_until(lambda: not now.busy)
    assert now.state is addon.session.State.READY


def test_prints_do_not_disturb(begin, use_fake, step_until, now, shot):
    use_fake("prints")
    begin()
    step_until(lambda: not now.busy)
    assert len(curves_of(shot.data.shape_keys.animation_data.action)["jawOpen"]) == 24
    assert "a library says hello" in now.log_file.read_text(encoding="utf-8")
    assert "native code" in now.log_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["slow", "deaf"])
def test_cancel_within_a_second_leaves_everything_as_it_was(addon, begin, use_fake, step_until, now, mode):
    use_fake(mode)
    begin()
    step_until(lambda: now.fraction == 0.4)
    bpy.ops.mouthpiece.cancel()
    assert step_until(lambda: not now.busy) < 1.0
    assert now.message == "Cancelled."
    assert len(bpy.data.actions) == 0
    use_fake("clicks")
    begin()
    step_until(lambda: not now.busy)
    assert now.state is addon.session.State.READY


def test_cancel_while_the_backend_starts(addon, begin, use_fake, step_until, now):
    use_fake("never ready")
    begin()
    bpy.ops.mouthpiece.cancel()
    assert step_until(lambda: not now.busy) < 1.0
    assert now.state is addon.session.State.IDLE


def test_cancel_while_keys_are_built(addon, begin, use_fake, step_until, now, monkeypatch, shot):
    use_fake("clicks")
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    begin()
    step_until(lambda: now.stage == "writing")
    bpy.ops.mouthpiece.cancel()
    step_until(lambda: not now.busy)
    addon.runner.current.step()
    assert len(bpy.data.actions) == 0
    assert shot.data.shape_keys.animation_data is None


def test_backend_that_never_gets_ready(addon, begin, use_fake, step_until, now, monkeypatch):
    use_fake("never ready")
    monkeypatch.setattr(addon.session, "START_SECONDS", 0.3)
    begin()
    step_until(lambda: not now.busy)
    assert "gave no sign of life" in now.message


def test_character_deleted_while_its_motion_is_generated(addon, begin, use_fake, step_until, now, shot):
    use_fake("clicks")
    begin()
    bpy.data.objects.remove(shot)
    step_until(lambda: not now.busy)
    assert now.message.startswith("The character “Head” was deleted meanwhile.")
    assert len(bpy.data.actions) == 0


def test_character_renamed_while_its_motion_is_generated(addon, begin, use_fake, step_until, now, shot):
    use_fake("clicks")
    begin()
    shot.name = "Anna"
    step_until(lambda: not now.busy)
    assert shot.data.shape_keys.animation_data.action


def test_other_file_opened_while_a_job_runs(addon, begin, use_fake, step_until, now):
    use_fake("slow")
    begin()
    step_until(lambda: now.fraction == 0.4)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    step_until(lambda: not now.busy)
    assert now.failure is None
    assert len(bpy.data.actions) == 0


def test_second_click_is_refused_while_one_job_runs(addon, begin, use_fake):
    use_fake("slow")
    begin()
    assert not bpy.ops.mouthpiece.generate.poll()
    with pytest.raises(addon.errors.BadInput, match="at work already"):
        begin()


def test_check_backend(use_fake, now):
    use_fake("clicks")
    assert bpy.ops.mouthpiece.check_backend() == {"FINISHED"}
    assert now.message == "The backend works: Mouthpiece 0.0.1 on cpu, models: default."
    assert bpy.ops.mouthpiece.check_backend() == {"FINISHED"}


def test_check_backend_tells_what_is_wrong(use_fake):
    use_fake("no torch")
    with pytest.raises(RuntimeError, match="no torch"):
        bpy.ops.mouthpiece.check_backend()


def test_blender_that_goes_takes_the_backend_with_it(begin, use_fake, step_until, now):
    use_fake("slow")
    begin()
    step_until(lambda: now.fraction == 0.4)
    backend = now._backend
    began = time.monotonic()
    now.close()
    assert time.monotonic() - began < 1.0
    assert backend.exit_code == 0


@pytest.fixture
def deadly_pipes():
    """Broken pipes as Blender leaves them; Python on its own ignores the signal."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there is no SIGPIPE on Windows")
def test_writing_to_a_backend_that_has_just_died_does_not_end_blender(addon, begin, use_fake, deadly_pipes):
    use_fake("clicks")
    begin()
    backend = addon.session.current._backend
    backend._child.kill()
    backend._child.wait()
    for _ in range(20):
        backend.send(addon.process.protocol.Unload())
    time.sleep(0.2)
    backend._outgoing.put(None)
    assert backend.exit_code is not None
