# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model that denoises can be asked for: takes, steps, a seed, guidance, somebody's style, emotions."""
