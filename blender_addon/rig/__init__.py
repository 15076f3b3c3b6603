# SPDX-License-Identifier: GPL-3.0-or-later
"""From a model's channels to whatever moves a character: shape keys, bones, properties, pose actions.

`spelling`, `profile`, `match` and `solve` know names and numbers only; the others read Blender's data. Nothing here
writes: `targets_of` says what should be written where.
"""
