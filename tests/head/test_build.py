# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped file is what the code computes, and it makes a FaceSpace."""

import numpy as np

from demo.head.__main__ import file_contents
from demo.head.anatomy import anatomy
from demo.head.face import Face


def test_shipped_file_is_what_the_code_computes(head):
    made = file_contents(Face(anatomy()))
    assert set(made) == set(head.arrays)
    for name in ("quads", "material", "materials", "parts", "part", "shapes", "mirror", "lips", "lids"):
        assert np.array_equal(made[name], head.arrays[name]), name
    assert np.array_equal(made["hair_quads"], head.arrays["hair_quads"])
    for name in ("vertices", "hair_vertices"):
        assert np.abs(made[name] - head.arrays[name]).max() < 1e-5, "ten micrometres"
    assert np.abs(made["steps"].astype(int) - head.arrays["steps"]).max() <= 5, "ten micrometres"


def test_face_space_has_the_head_as_template_and_masks(head):
    space = head.face_space()
    places = space.template.reshape(-1, 3)
    assert space.dim == 3 * len(head.rest)
    assert np.allclose(places * 1e3, head.rest, atol=1e-3)
    mouth = places[head.arrays["lips"][4, 0]]
    assert np.linalg.norm(places[space.lips] - mouth, axis=1).max() < 0.05
    assert places[space.upper_face, 2].min() > mouth[2] + 0.03
    assert not set(space.lips) & set(space.upper_face)
