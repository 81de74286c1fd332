# SPDX-License-Identifier: Apache-2.0
"""Names on the bus that more than one module needs."""

from __future__ import annotations

PREFIX = "org.smartcockpit"
"""Every name, interface and error of ours starts with it."""

DBUS_NAME = "org.freedesktop.DBus"
DBUS_PATH = "/org/freedesktop/DBus"
DBUS_INTERFACE = "org.freedesktop.DBus"
PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
PEER = "org.freedesktop.DBus.Peer"

ERROR = "org.freedesktop.DBus.Error."
"""Prefix of the errors that the D-Bus specification and its reference library define."""
