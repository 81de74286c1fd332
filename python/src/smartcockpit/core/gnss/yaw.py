# SPDX-License-Identifier: Apache-2.0
"""Heading from the car's yaw rate, and what is wrong with that yaw rate.

A Kalman filter with three states: heading, bias and scale of the yaw rate sensor. The receiver's course over
ground corrects it while there is one, and a standing car shows the bias outright. Signs: yaw rate is left
positive (ISO 8855), heading runs clockwise from north.
"""

from __future__ import annotations

import math

from smartcockpit.core.gnss.geodesy import angle_between

BIAS_DPS, SCALE = 2.0, 0.03
"""What an uncalibrated sensor may be wrong by (standard deviations)."""
NOISE_H, NOISE_B, NOISE_S = 0.02, 4e-6, 1e-8
"""Growth of the variances per second: heading (slip, noise of the sensor), bias, scale (their drift)."""
LAG_S = 0.2
"""A receiver's course may be so late, which shows in bends."""
LEAST = 1e-9
"""No variance is less: rounding must not make one negative."""
GATE = 6.0
STUBBORN = 15
"""So many courses in a row that do not fit prove the filter wrong, not the receiver."""


class YawFilter:
    """`predict` with each yaw rate, `course` and `standstill` when they are known."""

    def __init__(self) -> None:
        self.heading_deg = 0.0
        self.bias_dps = 0.0
        self.scale = 1.0
        self._hh, self._bb, self._ss = 180.0**2, BIAS_DPS**2, SCALE**2
        self._hb = self._hs = self._bs = 0.0
        self._misfits = 0

    @property
    def heading_error_deg(self) -> float:
        """Return the standard deviation of the heading; 180 and more: not known."""
        return math.sqrt(self._hh)

    @property
    def bias_error_dps(self) -> float:
        """Return the standard deviation of the bias."""
        return math.sqrt(self._bb)

    def predict(self, rate_dps: float, dt_s: float) -> None:
        """Turn for `dt_s` at the sensor's `rate_dps`."""
        self.heading_deg = (self.heading_deg - (self.scale * rate_dps - self.bias_dps) * dt_s) % 360.0
        a, c = dt_s, -rate_dps * dt_s
        self._hh += 2 * a * self._hb + 2 * c * self._hs
        self._hh += a * a * self._bb + 2 * a * c * self._bs + c * c * self._ss + NOISE_H * dt_s
        self._hh = min(max(self._hh, LEAST), 360.0**2)
        self._hb += a * self._bb + c * self._bs
        self._hs += a * self._bs + c * self._ss
        self._bb = max(self._bb, LEAST) + NOISE_B * dt_s
        self._ss = max(self._ss, LEAST) + NOISE_S * dt_s

    def course(self, heading_deg: float, error_deg: float, rate_dps: float) -> None:
        """Take the receiver's word for the heading, with its standard deviation, at the present yaw rate."""
        noise = 4.0 * (error_deg**2 + (LAG_S * rate_dps) ** 2)  # errors of neighbouring epochs are alike
        gap = angle_between(heading_deg, self.heading_deg)
        total = self._hh + noise
        if gap * gap > GATE * GATE * total:
            self._misfits += 1
            if self._misfits < STUBBORN:
                return
            self._hh, self._hb, self._hs = 180.0**2, 0.0, 0.0
            total = self._hh + noise
        self._misfits = 0
        kh, kb, ks = self._hh / total, self._hb / total, self._hs / total
        self._correct(kh * gap, kb * gap, ks * gap)
        self._bb -= kb * self._hb
        self._bs -= kb * self._hs
        self._ss -= ks * self._hs
        self._hh *= 1.0 - kh
        self._hb *= 1.0 - kh
        self._hs *= 1.0 - kh

    def standstill(self, rate_dps: float) -> None:
        """The car stands: all that the sensor shows is bias."""
        gap = self.scale * rate_dps - self.bias_dps
        total = self._bb + 0.2**2
        kh, kb, ks = self._hb / total, self._bb / total, self._bs / total
        self._correct(kh * gap, kb * gap, ks * gap)
        self._hh -= kh * self._hb
        self._hs -= kh * self._bs
        self._ss -= ks * self._bs
        self._hb *= 1.0 - kb
        self._bs *= 1.0 - kb
        self._bb *= 1.0 - kb

    def _correct(self, heading_deg: float, bias_dps: float, scale: float) -> None:
        self.heading_deg = (self.heading_deg + heading_deg) % 360.0
        self.bias_dps += bias_dps
        self.scale += scale


class SpeedScale:
    """How much faster or slower the car is than its speedometer says."""

    def __init__(self) -> None:
        self.value = 1.0
        self._variance = 0.05**2

    @property
    def error(self) -> float:
        """Return the standard deviation."""
        return math.sqrt(self._variance)

    def take(self, ground_mps: float, wheel_mps: float, error_mps: float) -> None:
        """Compare the receiver's speed with the wheels' (both above some m/s)."""
        ratio = ground_mps / wheel_mps
        if abs(ratio - self.value) > 0.3:
            return  # one of them is broken; nothing can be learned
        self._variance += 1e-7
        noise = 10.0 * (error_mps / wheel_mps) ** 2
        gain = self._variance / (self._variance + noise)
        self.value += gain * (ratio - self.value)
        self._variance *= 1.0 - gain
