# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast and how large everything is on this machine; what `mouthpiece bench` prints."""
