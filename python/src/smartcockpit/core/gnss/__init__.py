# SPDX-License-Identifier: Apache-2.0
"""Satellite positioning, pure: from receiver bytes to fixes, from fixes and the car's motion to a position.

`framing` cuts bytes into sentences and frames, `nmea` and `ubx` read them, `epoch` and `sky` put them
together, `receiver` is all of that in one. `navigator` decides where the car is, `yaw` and `deadreckoning`
help it where no satellite does.
"""
