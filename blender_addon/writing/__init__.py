# SPDX-License-Identifier: GPL-3.0-or-later
"""From curves of values to keys in the artist's file; everything else in it stays as it was.

`options` says how they are written; `keys` cuts keys out and in, `ledger` remembers whose they are, `stack` knows which
actions play together, and `staging` builds it all aside, block by block, and puts it in place in one step.
"""
