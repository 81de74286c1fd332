# SPDX-License-Identifier: Apache-2.0
"""From places and fixes to VSS signals with their quality.

Positions by satellites and estimated ones are valid, the latter with `IsEstimated`; height and ground speed
are not estimated and turn stale. A position whose successor is overdue is stale, then unavailable. The
heading is stale while the car stands: it is the last one that meant something.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.gnss.dates import iso8601
from smartcockpit.core.gnss.fix import Fix, fix_type
from smartcockpit.core.gnss.navigator import Place, Source
from smartcockpit.core.signals import SignalQuality, Update, Value
from smartcockpit.daemons.gnss.signals import SPECS

VALID, STALE, UNAVAILABLE = SignalQuality.VALID, SignalQuality.STALE, SignalQuality.UNAVAILABLE
_INDEX = {spec.path: i for i, spec in enumerate(SPECS)}
_HERE, _OURS = "Vehicle.CurrentLocation.", "Vehicle.SmartCockpit.Location."
LATITUDE, LONGITUDE, HEADING, ACCURACY, TIMESTAMP, ALTITUDE, VERTICAL = (
    _INDEX[_HERE + name]
    for name in (
        "Latitude", "Longitude", "Heading", "HorizontalAccuracy", "Timestamp", "Altitude", "VerticalAccuracy",
    )
)  # fmt: skip
FIX_TYPE = _INDEX[_HERE + "GNSSReceiver.FixType"]
ESTIMATED, USED, IN_VIEW, GROUND_SPEED = (
    _INDEX[_OURS + name] for name in ("IsEstimated", "SatellitesUsed", "SatellitesInView", "GroundSpeed")
)
OF_PLACE = (LATITUDE, LONGITUDE, HEADING, ACCURACY, TIMESTAMP, ESTIMATED)
OF_FIX = (ALTITUDE, VERTICAL, GROUND_SPEED)
OF_RECEIVER = (FIX_TYPE, USED, IN_VIEW)


class PositionSignals:
    """Publishes on `publisher`, whose board holds `SPECS`."""

    def __init__(self, board: SignalBoard, publisher: SignalPublisher) -> None:
        self._board, self._publisher = board, publisher

    def place(self, place: Place, time_us: int, utc_us: int, fix: Fix | None = None) -> None:
        """Publish where the car is; `fix` is what it rests on when that is satellites."""
        if place.source in (Source.NONE, Source.STALE, Source.LOST):
            self._worse(place)
            return
        updates: list[Update] = [
            (LATITUDE, place.latitude_deg, VALID, time_us),
            (LONGITUDE, place.longitude_deg, VALID, time_us),
            (ACCURACY, round(place.error_m, 2), VALID, time_us),
            (ESTIMATED, place.source is Source.ESTIMATED, VALID, time_us),
        ]
        if utc_us:
            updates.append((TIMESTAMP, iso8601(utc_us), VALID, time_us))
        if place.course_deg is not None:
            quality = VALID if place.course_holds else STALE
            if place.course_holds or self._board.qualities[HEADING] != STALE:
                updates.append((HEADING, place.course_deg, quality, time_us))
        if fix is not None and place.source is Source.SATELLITES:
            known = (
                fix.altitude_m,
                fix.vertical_error_m,
                None if fix.speed_mps is None else fix.speed_mps * 3.6,
            )
            rows = zip(OF_FIX, known, strict=True)
            updates += [(i, round(v, 3), VALID, time_us) for i, v in rows if v is not None]
            missing: Sequence[int] = [i for i, v in zip(OF_FIX, known, strict=True) if v is None]
        else:
            missing = OF_FIX
        self._publisher.publish(updates)
        self._mark(missing, STALE)

    def receiver(self, fix: Fix, in_view: int) -> None:
        """Publish what the receiver says of itself."""
        values: tuple[Value, ...] = (fix_type(fix), min(255, fix.satellites_used), min(255, in_view))
        self._publisher.publish(
            [(i, v, VALID, fix.received_us) for i, v in zip(OF_RECEIVER, values, strict=True)]
        )

    def receiver_gone(self) -> None:
        """There is no receiver."""
        self._mark(OF_RECEIVER, UNAVAILABLE)

    def _worse(self, place: Place) -> None:
        quality = STALE if place.source is Source.STALE else UNAVAILABLE
        self._mark((*OF_PLACE, *OF_FIX), quality)

    def _mark(self, indices: Sequence[int], quality: SignalQuality) -> None:
        """Lower the quality; what never was stays unavailable."""
        known = [i for i in indices if self._board.qualities[i] > quality]
        self._publisher.publish([(i, self._board.values[i], quality, self._board.times_us[i]) for i in known])
