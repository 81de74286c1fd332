# SPDX-License-Identifier: Apache-2.0
"""CAN buses in, VSS signals on D-Bus out."""
