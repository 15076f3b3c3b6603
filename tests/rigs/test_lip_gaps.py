# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces of every convention speak: their lips meet at p, b and m, and open as an ARKit face's do."""

from __future__ import annotations

import pytest

from tests.rigs import lips

FOLLOWS = 0.96
CLOSED = 2.0
"""Millimetres between the lips at most p, b and m; the opening of an "a" is ten times that."""
WIDER = 2.7
"""Millimetres by which they may be further apart at the shortest m than on an ARKit face, where it is 1.7 open."""
SPECIAL = {"Jaw bone and lip visemes": (0.94, 3.0, 3.6)}
"""Its recipes leave nothing for the lips of an open mouth to do, where most such heads have something."""


@pytest.mark.parametrize("title", lips.faces())
def test_lips_follow_the_speech_and_meet(rig, title):
    row = lips.measure(rig, title)
    follows, closed, wider = SPECIAL.get(title, (FOLLOWS, CLOSED, WIDER))
    assert row.correlation >= follows
    assert row.closed <= closed
    assert row.widest <= row.reference + wider
    assert 0.7 <= row.mean <= 1.2


def test_the_measure_can_fail(rig):
    """A head whose PP opens the mouth and whose aa shuts it."""
    wrong = dict(lips.heads.VISEMES) | {"PP": "aa", "aa": "PP"}
    shapes = lips.heads.renamed(wrong, "viseme_{}")
    seen = lips.driven(rig, "oculus", shapes, lips.heads.speech())
    assert seen[lips.heads.closed_frames()].max() > 5.0
