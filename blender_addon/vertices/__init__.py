# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of whole meshes, for models whose FaceSpace is vertices: as a point cache, or as shape keys of our own."""
