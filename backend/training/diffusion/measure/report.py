# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: every figure that DiffusionTalker has to hold beside its aim, as a part of a page of the documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.training.errors import CorpusError

from .steps import StepsRow

BEGIN, END = "<!-- figures of DiffusionTalker -->", "<!-- end of the figures -->"


@dataclass(frozen=True)
class Found:
    """All figures of one model and its teacher."""

    steps: Sequence[StepsRow]
    """The teacher first."""
    retrieval: float
    strangers: float | None
    """Rank correlation; None where no strangers were named."""
    personalization: Mapping[str, Mapping[str, float]]
    """Correlations by statistic: with all annotation of an identity, and with that of their own speech alone."""
    closures: Mapping[str, Mapping[str, float]]
    """Of the default model and of this one, by name."""
    taught_life: Mapping[str, float]
    life: Mapping[str, float]
    feelings: Mapping[str, tuple[float, float]]
    shown: int
    """The steps that all but the first are measured at."""
    seconds: float
    """Of computing."""


def markdown(found: Found) -> str:
    """Tables, and what holds and what is missed."""
    parts = [_steps(found), _closures(found), _life(found), _people(found), _feelings(found)]
    last = f"Measured in {found.seconds:.0f} s of computing on one core."
    return "\n\n".join([*parts, _verdict(found), last])


def put(page: Path, text: str) -> None:
    """Put the report into a page between its marks. Raises CorpusError for a page without them."""
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    head, begin, rest = old.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise CorpusError(f"{page} has no lines {BEGIN} and {END} to put the figures between.")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")


def aims(found: Found) -> list[tuple[str, bool, str]]:
    """What must hold, whether it does, and the figure."""
    row = next(row for row in found.steps if row.steps == found.shown)
    spread = row.spread / found.steps[0].spread - 1
    default, own = list(found.closures.values())
    life = {name: found.life[name] / max(taught, 1e-9) - 1 for name, taught in found.taught_life.items()}
    worst = max((name for name in life if name != "blinks a minute"), key=lambda name: abs(life[name]))
    people = min(next(iter(found.personalization.values())).values())
    return [
        (
            f"{row.steps} steps: error of the mouth within 5 % of the teacher's",
            abs(row.error_change) <= 0.05,
            f"{row.error_change:+.1%}",
        ),
        (f"{row.steps} steps: mean spread over takes within 15 %", abs(spread) <= 0.15, f"{spread:+.0%}"),
        (f"{row.steps} steps: the same channel by channel", row.spread_change <= 0.15, f"{row.spread_change:.1%}"),
        (f"{row.steps} steps: 40 times faster denoising", row.faster >= 40, f"{row.faster:.0f} times"),
        (
            "closures: recall at least the default model's minus 0.02",
            own["recall"] >= default["recall"] - 0.02,
            f"{own['recall'] - default['recall']:+.3f}",
        ),
        (
            "closures: precision likewise",
            own["precision"] >= default["precision"] - 0.02,
            f"{own['precision'] - default['precision']:+.3f}",
        ),
        ("blink rate within 20 % of the data", abs(life["blinks a minute"]) <= 0.2, f"{life['blinks a minute']:+.1%}"),
        ("speeds of the upper face within 20 %", abs(life[worst]) <= 0.2, f"at worst {life[worst]:+.1%} ({worst})"),
        ("the right speaker in 90 % of held-out utterances", found.retrieval >= 0.9, f"{found.retrieval:.1%}"),
        ("identities move as their speakers: correlation of 0.8", people >= 0.8, f"at worst {people:.2f}"),
    ]


def _verdict(found: Found) -> str:
    lines = [f"| {what} | {figure} | {'yes' if holds else '**no**'} |" for what, holds, figure in aims(found)]
    return "\n".join(["| must hold | found | holds |", "|---|---|---|", *lines])


def _steps(found: Found) -> str:
    title = "**Steps against the teacher** (held-out sentences, the same noise)"
    head = (
        "| steps | error of the mouth | against the teacher | spread over takes | change per channel | apart | faster |"
    )
    lines = [
        f"| {row.steps} | {row.error:.4f} | {row.error_change:+.1%} | {row.spread:.4f} | {row.spread_change:.1%}"
        f" | {row.apart:.2f} | {row.faster:.1f} x |"
        for row in found.steps
    ]
    return "\n".join([title, "", head, "|---" * 7 + "|", *lines])


def _closures(found: Found) -> str:
    columns = ("recall", "precision", "f1", "vowel_jaw", "silence_p95")
    lines = [
        f"| {name} | " + " | ".join(f"{figures[column]:.3f}" for column in columns) + " |"
        for name, figures in found.closures.items()
    ]
    title = (
        f"**Lips**, {next(iter(found.closures.values()))['closures']:.0f} closures of p, b and m in held-out sentences"
    )
    return "\n".join([title, "", "| model | " + " | ".join(columns) + " |", "|---" * 6 + "|", *lines])


def _life(found: Found) -> str:
    lines = [
        f"| {name} | {taught:.4g} | {found.life[name]:.4g} | {found.life[name] / max(taught, 1e-9) - 1:+.1%} |"
        for name, taught in found.taught_life.items()
    ]
    title = "**Life of the upper face**"
    return "\n".join([title, "", "| | training data | takes | difference |", "|---|---|---|---|", *lines])


def _people(found: Found) -> str:
    lines = [f"| speakers known again by the {found.shown}-step model's ear | {found.retrieval:.1%} |"]
    if found.strangers is not None:
        lines.append(
            f"| strangers: rank correlation of likeness in sound and in articulation | {found.strangers:.2f} |"
        )
    everything, own_speech = found.personalization.values()
    lines += [
        f"| correlation over identities of {name}, annotated and performed | {value:.2f} |"
        for name, value in everything.items()
    ]
    lines += [
        f"| the same, only beside annotation of their own speech: {name} | {value:.2f} |"
        for name, value in own_speech.items()
    ]
    return "\n".join(["**People**", "", "| | |", "|---|---|", *lines])


def _feelings(found: Found) -> str:
    lines = [f"| {name} | {cosine:.2f} | {size:.0%} |" for name, (cosine, size) in found.feelings.items()]
    title = "**Emotions**: how the mean face changes from neutral, beside how the data's does"
    return "\n".join([title, "", "| emotion | cosine | size |", "|---|---|---|", *lines])
