# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker on annotated motion of any FaceSpaces: data sets prepared, models trained, figures of the papers."""
