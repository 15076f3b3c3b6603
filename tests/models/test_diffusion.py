# SPDX-License-Identifier: GPL-3.0-or-later
"""The mathematics of diffusion, against diffusers' scheduler and against itself in double precision."""

from __future__ import annotations

import itertools

import pytest
import torch
from diffusers import DDIMScheduler

from backend.models import diffusion
from backend.models.diffusion import Level

NAMES = {"x": "sample", "eps": "epsilon", "v": "v_prediction"}
TIMES = 512


def scheduler(schedule: str, prediction: str) -> DDIMScheduler:
    shape = {"beta_schedule": "squaredcos_cap_v2"}
    if schedule == "linear":
        shape = {"beta_schedule": "linear", "beta_start": 0.1 / TIMES, "beta_end": 20 / TIMES}
    return DDIMScheduler(
        TIMES, prediction_type=NAMES[prediction], clip_sample=False, timestep_spacing="trailing", **shape
    )


def exact_scheduler(schedule: str, prediction: str) -> DDIMScheduler:
    """The same in double precision: a prediction of the noise is divided by an alpha near 0."""
    found, shares = scheduler(schedule, prediction), diffusion.signal_shares(schedule, TIMES)
    found.alphas_cumprod, found.final_alpha_cumprod = shares[1:], shares[0]
    return found


def network(z: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """Any smooth function of sample and time."""
    return torch.tanh(1.3 * z + 0.2 * torch.sin(9 * z)) * (0.4 + time.reshape(-1, 1, 1) / TIMES)


def exact(shares: torch.Tensor, time: torch.Tensor) -> Level:
    return diffusion.level_at(diffusion.levels_of(shares, torch.float64), time)


def sampled(schedule: str, prediction: str, steps: int, theirs: DDIMScheduler) -> tuple[torch.Tensor, torch.Tensor]:
    """The same noise sampled by us and by diffusers."""
    shares, times = diffusion.signal_shares(schedule, TIMES), diffusion.sampling_times(TIMES, steps)
    theirs.set_timesteps(steps)
    assert [time - 1 for time in times[:-1]] == theirs.timesteps.tolist()
    z = wanted = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for time, then in itertools.pairwise(torch.tensor(times)[:, None].expand(-1, 2)):
        wanted = theirs.step(network(wanted, time), int(time[0]) - 1, wanted, eta=0.0).prev_sample
        now, after = exact(shares, time), exact(shares, then)
        z = diffusion.ddim_step(z, diffusion.clean(network(z, time), z, now, prediction), now, after)
    return z, wanted


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("prediction", ["x", "eps", "v"])
@pytest.mark.parametrize("steps", [512, 64, 8])
def test_sampling_is_that_of_diffusers(schedule: str, prediction: str, steps: int):
    ours, theirs = sampled(schedule, prediction, steps, exact_scheduler(schedule, prediction))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("prediction", ["x", "v"])
def test_sampling_is_that_of_diffusers_as_it_comes(schedule: str, prediction: str):
    """With its own schedule in single precision, where nothing is divided by an alpha near 0."""
    ours, theirs = sampled(schedule, prediction, 8, scheduler(schedule, prediction))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("prediction", ["x", "eps", "v"])
def test_every_sample_of_a_batch_may_be_at_a_time_of_its_own(schedule: str, prediction: str):
    theirs, shares = exact_scheduler(schedule, prediction), diffusion.signal_shares(schedule, TIMES)
    theirs.set_timesteps(8)
    z = torch.randn(8, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    times = torch.tensor(diffusion.sampling_times(TIMES, 8))
    now, then = exact(shares, times[:-1]), exact(shares, times[1:])
    together = diffusion.ddim_step(z, diffusion.clean(network(z, times[:-1]), z, now, prediction), now, then)
    for number, time in enumerate(times[:-1]):
        said = network(z[number : number + 1], time[None])
        alone = theirs.step(said, int(time) - 1, z[number : number + 1], eta=0.0).prev_sample
        torch.testing.assert_close(together[number : number + 1], alone, rtol=0, atol=1e-6)


def test_any_number_of_steps_ends_at_the_clean_sample():
    assert diffusion.sampling_times(TIMES, 3) == [512, 341, 171, 0]


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_schedules_are_those_of_diffusers(schedule: str):
    shares = diffusion.signal_shares(schedule, TIMES)
    assert shares[0] == 1
    assert shares[-1] < 1e-3 and (shares.diff() < 0).all()
    torch.testing.assert_close(shares[1:].float(), scheduler(schedule, "x").alphas_cumprod, rtol=0, atol=1e-6)


def test_noise_is_added_as_diffusers_adds_it():
    x, eps = torch.randn(2, 4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    time = torch.tensor([1, 17, 300, 512])
    level, theirs = exact(diffusion.signal_shares("cosine", TIMES), time), exact_scheduler("cosine", "v")
    wanted = theirs.add_noise(x, eps, time - 1), theirs.get_velocity(x, eps, time - 1)
    torch.testing.assert_close((diffusion.noisy(x, eps, level), diffusion.velocity(x, eps, level)), wanted)


def test_every_prediction_says_the_same():
    x, eps = torch.randn(2, 4, 5, 3, dtype=torch.float64)
    level = exact(diffusion.signal_shares("cosine", TIMES), torch.tensor([1, 17, 300, 512]))
    z = diffusion.noisy(x, eps, level)
    for prediction, output in (("x", x), ("eps", eps), ("v", diffusion.velocity(x, eps, level))):
        torch.testing.assert_close(diffusion.clean(output, z, level, prediction), x)
        torch.testing.assert_close(diffusion.noise(output, z, level, prediction), eps)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_one_step_with_the_distilled_target_ends_where_two_steps_of_the_teacher_end(schedule: str):
    shares = diffusion.signal_shares(schedule, TIMES)
    steps = 8
    time = torch.arange(1, steps + 1) * (TIMES // steps)
    middle, end = time - TIMES // steps // 2, time - TIMES // steps
    z = torch.randn(steps, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    levels = [exact(shares, each) for each in (time, middle, end)]
    halfway = diffusion.ddim_step(z, network(z, time), *levels[:2])
    two_steps = diffusion.ddim_step(halfway, network(halfway, middle), *levels[1:])
    target = diffusion.distilled(z, two_steps, levels[0], levels[2])
    torch.testing.assert_close(diffusion.ddim_step(z, target, levels[0], levels[2]), two_steps, rtol=0, atol=1e-14)
    torch.testing.assert_close(target[0], two_steps[0], rtol=0, atol=1e-14)


def test_guidance_leads_away_from_the_unconditional():
    with_condition, without = torch.randn(2, 3, 4)
    assert torch.equal(diffusion.guided(with_condition, without, 0.0), without)
    torch.testing.assert_close(diffusion.guided(with_condition, without, 1.0), with_condition)
    further = diffusion.guided(with_condition, without, 2.0) - with_condition
    torch.testing.assert_close(further, with_condition - without)


def test_the_weight_of_a_distilled_step_is_truncated():
    level = exact(diffusion.signal_shares("cosine", TIMES), torch.tensor([1, 128, 256, 512]))
    weight = diffusion.distillation_weight(level, 5.0).flatten()
    assert weight[0] == 5 and weight[-1] == 1
    assert 1 <= weight[2] < weight[1] <= 5
