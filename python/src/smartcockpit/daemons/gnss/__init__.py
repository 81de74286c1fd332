# SPDX-License-Identifier: Apache-2.0
"""A GNSS receiver in, the car's position on D-Bus out."""
