# SPDX-License-Identifier: GPL-3.0-or-later
"""Closures heard in a waveform by somebody who is not told where any phone is marked.

The whole recording is searched: `gaps` are what a p or b leaves, `murmurs` what an m leaves. Both are rows of start and
end in seconds and how many decibels quieter it is than the sound on both sides.
"""

import numpy as np

STEP = 0.002
_STOP_BAND, _STOP_WINDOW = (600.0, 6000.0), 0.012
_MURMUR_BAND, _MURMUR_WINDOW = (1500.0, 4000.0), 0.016  # one and a half pitch periods of a man
_VOICE_BAND, _VOICE_WINDOW = (80.0, 600.0), 0.024
_AROUND = 0.080
_SHALLOWEST_GAP = 12.0
_VOICED_WITHIN = 18.0  # decibels below the loudest voice around: a murmur is 8 to 15 below a vowel
_FLANK = 0.040
_MURMUR_LENGTHS = np.arange(0.024, 0.140, 0.004)


def level(samples, rate, band, window):
    """float64 [n]: level of a band in decibels, one value every 2 ms; a floor stands for digital silence."""
    length = round(window * rate)
    starts = np.round(np.arange(0, len(samples) / rate, STEP) * rate).astype(int)
    padded = np.pad(np.asarray(samples, np.float64), (length // 2, length))
    frames = padded[starts[:, None] + np.arange(length)] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, 2 * length)) ** 2
    hertz = np.fft.rfftfreq(2 * length, 1 / rate)
    return 10 * np.log10(power[:, (hertz >= band[0]) & (hertz <= band[1])].sum(1) / length + 1e-7)


def gaps(samples, rate):
    """float64 [n, 3]: every deep minimum of the speech band, to where it has risen half way on each side."""
    heard = level(samples, rate, _STOP_BAND, _STOP_WINDOW)
    reach, alone = round(_AROUND / STEP), round(0.020 / STEP)
    found = []
    for lowest in range(len(heard)):
        if heard[lowest] > heard[max(lowest - alone, 0) : lowest + alone + 1].min():
            continue
        before, after = heard[max(lowest - reach, 0) : lowest + 1].max(), heard[lowest : lowest + reach + 1].max()
        depth = min(before, after) - heard[lowest]
        if depth >= _SHALLOWEST_GAP:
            left = right = lowest
            while heard[left] < (before + heard[lowest]) / 2:
                left -= 1
            while heard[right] < (after + heard[lowest]) / 2:
                right += 1
            found.append((left * STEP, right * STEP, depth))
    return np.array(found).reshape(-1, 3)


def murmurs(samples, rate):
    """float64 [n, 3]: every stretch that is voiced throughout, with its contrast above 1.5 kHz to both flanks."""
    sums = np.concatenate(([0.0], np.cumsum(level(samples, rate, _MURMUR_BAND, _MURMUR_WINDOW))))
    voiced = np.concatenate(([0], np.cumsum(_voiced(samples, rate))))
    flank = round(_FLANK / STEP)
    found = []
    for length in np.round(_MURMUR_LENGTHS / STEP).astype(int):
        start = np.arange(flank, len(sums) - 1 - length - flank)
        end = start + length
        inside = (sums[end] - sums[start]) / length
        before, after = (sums[start] - sums[start - flank]) / flank, (sums[end + flank] - sums[end]) / flank
        rows = np.stack((start * STEP, end * STEP, np.minimum(before, after) - inside), 1)
        found.append(rows[voiced[end] - voiced[start] > 0.9 * length])
    return np.concatenate(found)


def deepest(closures, middle, reach):
    """Start and end of the deepest of some closures whose middle is within `reach` of a time; none: None."""
    near = closures[np.abs(closures[:, :2].mean(1) - middle) < reach]
    return tuple(near[near[:, 2].argmax(), :2]) if len(near) else None


def _voiced(samples, rate):
    heard = level(samples, rate, _VOICE_BAND, _VOICE_WINDOW)
    reach = round(_AROUND / STEP)
    loudest = np.lib.stride_tricks.sliding_window_view(np.pad(heard, reach, mode="edge"), 2 * reach + 1).max(1)
    return heard > loudest - _VOICED_WITHIN
