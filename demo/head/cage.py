# SPDX-License-Identifier: GPL-3.0-or-later
"""The control cage: where the edge loops run.

Half a head as a few dozen named corners and quads, laid out by hand the way a character artist lays out a face: rings
around the mouth (m, a, b, c), rings around the eye (e, f), a strip over the nose, a forehead, a skull and a neck. The
corners only need to be near the form: two rounds of subdivision later they are dropped onto it.
"""

from __future__ import annotations

import numpy as np

from .mesh import Mesh

CORNERS: dict[str, tuple[float, float, float]] = {
    # the border of the red of the lips, from the middle of the upper one over the corner to the lower one
    "m0": (0, -96, 53.5), "m1": (9, -96, 54.5), "m2": (18, -93, 51), "m3": (26, -86, 45),
    "m4": (18, -92, 38.5), "m5": (9, -94, 35.5), "m6": (0, -95, 35),
    # nose base, fold from the nose wing to the mouth corner, crease above the chin
    "a0": (0, -96, 66), "a1": (10, -93, 67), "a2": (24, -88, 64), "a3": (37, -80, 46),
    "a4": (27, -84, 27), "a5": (13, -89, 23), "a6": (0, -91, 23),
    # tip of the nose, its wing, cheek, line of the jaw
    "b0": (0, -117, 77), "b1": (17, -98, 75), "b2": (34, -84, 72), "b3": (50, -66, 48),
    "b4": (36, -62, 12), "b5": (17, -76, 3), "b6": (0, -80, 1),
    # outer cheek and the underside of the jaw
    "c2": (49, -72, 76), "c3": (58, -35, 52), "c4": (44, -30, 15), "c5": (19, -50, -2), "c6": (0, -52, -3),
    # throat, and the side of the head in front of the ear
    "d6": (0, -25, -22), "d5": (20, -22, -20), "d4": (48, 0, 8), "d3": (62, -8, 66),
    # the border of the eyelids, from the inner corner over the brow side
    "e0": (14, -82, 110), "e1": (22, -87, 120), "e2": (32, -88, 123), "e3": (42, -82, 120),
    "e4": (50, -72, 112), "e5": (42, -82, 105), "e6": (32, -86, 102), "e7": (22, -86, 104),
    # the ring around the eye socket
    "f0": (9, -92, 110), "f1": (13, -94, 130), "f2": (33, -89, 134), "f3": (50, -74, 129),
    "f4": (60, -58, 112), "f5": (50, -72, 95), "f6": (33, -84, 92), "f7": (16, -92, 93),
    # the ridge of the nose and the space between the brows
    "g2": (0, -106, 94), "g1": (0, -94, 111), "h0": (0, -94, 130),
    "k5": (65, -36, 92),
    # forehead
    "p0": (0, -90, 156), "p1": (18, -88, 156), "p2": (37, -80, 155), "p3": (54, -62, 150), "p4": (66, -38, 132),
    # the line over and behind the ear
    "q5": (70, -12, 120), "q6": (68, 14, 100), "q7": (55, 26, 60),
    # skull, three rows from the hairline over the crown to the nape
    "r0": (0, -42, 210), "r1": (22, -42, 206), "r2": (43, -38, 194), "r3": (62, -24, 168),
    "s0": (0, 60, 211), "s1": (26, 58, 207), "s2": (50, 50, 193), "s3": (69, 28, 158),
    "t0": (0, 102, 138), "t1": (26, 97, 136), "t2": (48, 82, 130), "t3": (64, 54, 115),
    # neck
    "n6": (0, -22, -55), "n5": (20, -19, -52), "n4": (42, -2, -38), "n3": (53, 28, 0),
    "u3": (46, 60, 18), "u2": (34, 72, 32), "u1": (18, 78, 38), "u0": (0, 79, 40),
    "x6": (0, -34, -122), "x5": (40, -32, -122), "x4": (84, -16, -122), "x3": (112, 30, -122),
    "y3": (92, 66, -122), "y2": (60, 80, -122), "y1": (30, 84, -122), "y0": (0, 85, -122),
}  # fmt: skip

QUADS = """
m0 m1 a1 a0  m1 m2 a2 a1  m2 m3 a3 a2  m3 m4 a4 a3  m4 m5 a5 a4  m5 m6 a6 a5
a0 a1 b1 b0  a1 a2 b2 b1  a2 a3 b3 b2  a3 a4 b4 b3  a4 a5 b5 b4  a5 a6 b6 b5
b0 b1 f7 g2  b1 b2 f6 f7  b2 c2 f5 f6  b2 b3 c3 c2  b3 b4 c4 c3  b4 b5 c5 c4  b5 b6 c6 c5
g2 f7 f0 g1  g1 f0 f1 h0  c2 k5 f4 f5  c2 c3 d3 k5  c3 c4 d4 d3  c4 c5 d5 d4  c5 c6 d6 d5
e0 e1 f1 f0  e1 e2 f2 f1  e2 e3 f3 f2  e3 e4 f4 f3  e4 e5 f5 f4  e5 e6 f6 f5  e6 e7 f7 f6  e7 e0 f0 f7
h0 f1 p1 p0  f1 f2 p2 p1  f2 f3 p3 p2  f3 f4 p4 p3  f4 k5 q5 p4
k5 d3 q6 q5  d3 d4 q7 q6  d4 n4 n3 q7  d4 d5 n5 n4  d5 d6 n6 n5
p0 p1 r1 r0  p1 p2 r2 r1  p2 p3 r3 r2  p3 p4 q5 r3
r0 r1 s1 s0  r1 r2 s2 s1  r2 r3 s3 s2  r3 q5 q6 s3
s0 s1 t1 t0  s1 s2 t2 t1  s2 s3 t3 t2  s3 q6 q7 t3
t0 t1 u1 u0  t1 t2 u2 u1  t2 t3 u3 u2  t3 q7 n3 u3
n6 x6 x5 n5  n5 x5 x4 n4  n4 x4 x3 n3  n3 x3 y3 u3  u3 y3 y2 u2  u2 y2 y1 u1  u1 y1 y0 u0
"""

NAMES = tuple(CORNERS)


def half_quads() -> np.ndarray:
    """The named quads of the left half as indices into NAMES, [F, 4]."""
    row = {name: index for index, name in enumerate(NAMES)}
    return np.array([row[name] for name in QUADS.split()]).reshape(-1, 4)


def cage() -> Mesh:
    """The whole cage: the left half, and the right one welded to it along x = 0."""
    left = np.array(list(CORNERS.values()), dtype=float)
    quads = half_quads()
    shared = left[:, 0] == 0.0
    other = np.arange(len(left))
    other[~shared] = len(left) + np.arange((~shared).sum())
    right = left[~shared] * (-1.0, 1.0, 1.0)
    return Mesh(np.concatenate([left, right]), np.concatenate([quads, other[quads][:, ::-1]]))


def corner(name: str) -> int:
    """Vertex number of a corner of the left half; the same in every subdivision of the cage."""
    return NAMES.index(name)
