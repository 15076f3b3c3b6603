# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped head as a mesh: size, quads, edges, symmetry, proportions."""

from collections import Counter

import numpy as np


def edges_seen(head):
    """Each edge of a face in the direction the face goes round, with how often it occurs."""
    seen = Counter()
    for face in head.arrays["quads"].astype(int).tolist():
        corners = list(dict.fromkeys(face))
        seen.update(zip(corners, corners[1:] + corners[:1], strict=True))
    return seen


def test_has_the_size_of_a_character_mesh(head):
    assert 3000 <= len(head.rest) <= 6000


def test_is_made_of_quads(head):
    triangles = [face for face in head.arrays["quads"].tolist() if len(set(face)) < 4]
    assert len(triangles) < 0.05 * len(head.arrays["quads"])


def test_neighbouring_faces_face_the_same_way(head):
    assert max(edges_seen(head).values()) == 1


def test_no_vertex_is_left_over(head):
    assert len(np.unique(head.arrays["quads"])) == len(head.rest)


def test_skin_is_open_only_at_the_bust_and_behind_the_lids(head):
    seen = edges_seen(head)
    skin = set(head.rows("skin").tolist())
    rim = {a for a, b in seen if a in skin and (b, a) not in seen}
    lids = set(head.arrays["lids"][:, -1].ravel().tolist())
    floor = head.rest[list(rim - lids), 2]
    assert rim >= lids
    assert np.ptp(floor) < 0.1


def test_left_and_right_are_exact_mirror_images(head):
    mirror = head.arrays["mirror"].astype(int)
    flip = np.array((-1, 1, 1), dtype=np.float32)
    assert np.array_equal(mirror[mirror], np.arange(len(mirror)))
    assert np.array_equal(head.arrays["vertices"][mirror] * flip, head.arrays["vertices"])


def test_faces_are_mirror_images_too(head):
    mirror = head.arrays["mirror"].astype(int)
    faces = {frozenset(face) for face in head.arrays["quads"].astype(int).tolist()}
    assert {frozenset(mirror[list(face)].tolist()) for face in faces} == faces


def test_face_follows_the_canon(head):
    skin = head.rest[head.rows("skin")]
    eyes = head.rest[head.rows("cornea left")].mean(axis=0)
    chin = skin[(np.abs(skin[:, 0]) < 3) & (skin[:, 1] < -60)][:, 2].min()
    top = skin[:, 2].max()
    assert 200 < top - chin < 240, "a head of natural size"
    assert abs((eyes[2] - chin) / (top - chin) - 0.5) < 0.04, "eyes at half height"
    corners = head.rest[head.arrays["lips"][3, [12, 36]]]
    assert abs(np.ptp(corners[:, 0]) - 48) < 5
    assert corners[0, 2] < eyes[2] - 55, "mouth a third of the face below the eyes"


def test_surface_has_no_spikes(head):
    """No corner of a skin face is sharper than 8 degrees, apart from the folds inside lips and lids."""
    folds = np.concatenate([head.arrays["lips"].ravel(), head.arrays["lids"].ravel()])
    quads = head.arrays["quads"].astype(int)
    skin = quads[np.isin(quads, head.rows("skin")).all(axis=1) & ~np.isin(quads, folds).any(axis=1)]
    corners = head.rest[skin]
    ahead, behind = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    cosine = (ahead * behind).sum(axis=2) / np.linalg.norm(ahead, axis=2) / np.linalg.norm(behind, axis=2)
    assert np.degrees(np.arccos(cosine)).min() > 8
