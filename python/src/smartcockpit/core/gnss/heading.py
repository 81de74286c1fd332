# SPDX-License-Identifier: Apache-2.0
"""When the receiver's course means something: a standing car's antenna seems to go in all directions."""

from __future__ import annotations

from smartcockpit.core.gnss.fix import Fix

START_MPS, STOP_MPS = 1.5, 0.7
"""It begins to mean something at 5.4 km/h and ends to at 2.5; between them what was holds on."""
MAX_ERROR_DEG = 20.0


class CourseGate:
    """Gate with hysteresis; `course` is the last one that meant something, `open` whether it still does."""

    def __init__(self) -> None:
        self.course_deg: float | None = None
        self.open = False

    def take(self, fix: Fix) -> None:
        """Look at a fix."""
        fast_enough = (fix.speed_mps or 0.0) >= (STOP_MPS if self.open else START_MPS)
        sure_enough = (fix.course_error_deg or 0.0) <= MAX_ERROR_DEG
        self.open = fast_enough and sure_enough and fix.course_deg is not None
        if self.open and fix.course_deg is not None:
            self.course_deg = fix.course_deg % 360.0
