# SPDX-License-Identifier: GPL-3.0-or-later
"""Forced alignment and free decoding, on scores whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from backend import alignment
from backend.alignment import Item, Span

A, B, C = 1, 2, 3


def scores(path: list[int], noise: float = 0.0, classes: int = 29) -> np.ndarray:
    """Log-probabilities of a listener that hears `path`, with some doubt."""
    table = np.full((len(path), classes), -6.0) + noise * np.random.default_rng(5).normal(size=(len(path), classes))
    table[np.arange(len(path)), path] += 6
    table -= np.log(np.exp(table).sum(axis=1, keepdims=True))
    return table.astype(np.float32)


def test_every_item_is_found_where_it_is_heard():
    spans = alignment.align(scores([0, 0, A, A, A, B, C, C]), [Item(0, 1, True), Item(A), Item(B), Item(C)])
    assert spans == [Span(0, 0, 2), Span(1, 2, 5), Span(2, 5, 6), Span(3, 6, 8)]


def test_pauses_are_left_out_where_nobody_pauses():
    items = [Item(0, 2, True), Item(A), Item(0, 2, True), Item(B), Item(0, 2, True)]
    assert alignment.align(scores([A, A, B, B]), items) == [Span(1, 0, 2), Span(3, 2, 4)]
    with_pause = alignment.align(scores([A, 0, 0, 0, B, 0, 0]), items)
    assert with_pause == [Span(1, 0, 1), Span(2, 1, 4), Span(3, 4, 5), Span(4, 5, 7)]


def test_an_item_lasts_as_long_as_it_must():
    spans = alignment.align(scores([A, A, A, B, C, C, C]), [Item(A), Item(B, 3), Item(C)])
    assert spans is not None
    assert spans[1].last - spans[1].first == 3


def test_an_item_that_is_not_heard_takes_its_shortest_time():
    spans = alignment.align(scores([A, A, A, A, C, C, C, C]), [Item(A), Item(B), Item(C)])
    assert spans is not None
    assert spans[1].last - spans[1].first == 1
    assert 3 <= spans[1].first <= 4


def test_more_items_than_readings_do_not_fit():
    assert alignment.align(scores([A, B]), [Item(A), Item(B), Item(C)]) is None
    assert alignment.align(scores([A]), [Item(A, 2)]) is None
    assert alignment.align(scores([A]), []) is None


def test_free_decoding_passes_over_single_odd_readings():
    assert alignment.decode(scores([A] * 5 + [C] + [A] * 5 + [B] * 6), 10.0) == [Span(A, 0, 11), Span(B, 11, 17)]


def test_fit_is_worse_the_less_of_the_text_is_heard():
    heard = scores([A] * 5 + [B] * 5 + [C] * 5)
    free = alignment.decode(heard)

    def fit(*kinds: int) -> float:
        spans = alignment.align(heard, [Item(kind) for kind in kinds])
        assert spans is not None
        return alignment.fit(heard, spans, kinds, free)

    assert fit(A, B, C) == pytest.approx(0.0, abs=1e-5)
    assert fit(A, B, C) < fit(A, C) < fit(9, 8, 7)


@pytest.fixture
def speech() -> tuple[list[Item], np.ndarray, np.ndarray]:
    """Ten minutes: the items of a text, the classes heard, and their scores."""
    random = np.random.default_rng(2)
    items, path = [Item(0, 2, True)], [0] * 10
    for number, kind in enumerate(random.integers(1, 29, 6500).tolist()):
        items.append(Item(kind))
        path += [kind] * int(random.integers(2, 7))
        if number % 5 == 4:
            items.append(Item(0, 2, True))
            path += [0] * int(random.choice([0, 0, 5, 20]))
    return items, np.array(path), scores(path, noise=1.0)


def test_ten_minutes_are_aligned_in_memory_that_grows_with_their_length(speech, monkeypatch):
    items, path, heard = speech
    assert len(path) > 50 * 600
    kept = []
    step = alignment._Step
    monkeypatch.setattr(alignment, "_Step", lambda *parts: kept.append(parts[1].nbytes) or step(*parts))
    spans = alignment.align(heard, items)
    assert spans is not None
    kinds = np.concatenate([np.full(span.last - span.first, items[span.item].kind) for span in spans])
    assert (kinds == path).mean() > 0.99
    assert sum(kept) < 0.05 * len(path) * len(items), "of most states nothing may be kept"


def test_free_decoding_is_the_same_while_the_sound_is_still_heard():
    """Compared with a search that keeps everything: the best way of all classes, written down plainly."""
    heard = scores(np.random.default_rng(1).integers(0, 29, 300).repeat(3).tolist(), noise=2.0)
    search, first = alignment.FreeSearch(), 0
    for count in (1, 0, 250, 1, 648):
        search.hear(heard[first : first + count])
        first += count
    assert first == len(heard)
    best, ways = heard[0].astype(np.float64), [[state] for state in range(29)]
    for reading in heard[1:]:
        winner = int(best.argmax())
        switched = best < best[winner] - alignment.SWITCH_COST
        ways = [[*(ways[winner] if switched[state] else ways[state]), state] for state in range(29)]
        best = np.maximum(best, best[winner] - alignment.SWITCH_COST) + reading
    spans = search.spans()
    assert [span.item for span in spans for _ in range(span.first, span.last)] == ways[int(best.argmax())]
    assert spans == alignment.decode(heard) and len(spans) > 100
    assert alignment.FreeSearch().spans() == []
